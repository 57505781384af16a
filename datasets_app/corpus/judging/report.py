"""The validation report of the earlier pipeline, written and read: `<stem>_validation.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.judging.replies import KEYS, UnscoredError, number_of
from datasets_app.corpus.judging.scores import (
    FAIL,
    NEEDS_REVIEW,
    PARTS,
    PASS,
    PRIORITIES,
    Bucket,
    Cuts,
    Scores,
    Summary,
    priority,
)
from datasets_app.corpus.readers.records import clean_value

LITERALS = {name: KEYS[name][0] for name in PARTS}  # how files call the three
FILE_END, FILTERED_END = "_validation.json", "_filtered.json"


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """A pair with its place in the set and what a judge said; without scores it is unscored."""

    index: int
    question: str
    answer: str
    scores: Scores | None
    pair_id: str = ""
    source_file: str = ""
    chunk_id: str = ""
    chunk_index: int | None = None
    issues: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()
    seconds: float = 0.0
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heading:
    """What a report tells of the whole; `averages` are those of overall and the three parts."""

    judge: str  # provider:model
    finished_at: str  # ISO 8601
    source_file: str
    cuts: Cuts
    summary: Summary
    distribution: list[Bucket]
    averages: Mapping[str, Decimal]
    seconds: float = 0.0


def report_text(heading: Heading, pairs: Callable[[], Iterable[ScoredPair]]) -> Iterator[str]:
    """Yield the report in pieces; the pairs are walked through three times and never held."""
    cuts = heading.cuts
    head = {
        "validation_metadata": _metadata(heading),
        "summary_statistics": _statistics(heading),
    }
    yield json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + ",\n"
    yield '  "cross_reference_index": {'
    told = ((json.dumps(str(one.index)), _crossed(one, cuts)) for one in pairs())
    yield from _joined(f"{name}: {value}" for name, value in told)
    yield '},\n  "validation_results": ['
    yield from _joined(_indented(_result(one, cuts)) for one in pairs())
    yield '],\n  "flagged_issues": {'
    for number, name in enumerate(PRIORITIES):
        yield f'{"," if number else ""}\n    "{name}_priority": ['
        yield from _joined(_flagged(one) for one in pairs() if _priority(one, cuts) == name)
        yield "]"
    yield "\n  }\n}\n"


def _metadata(heading: Heading) -> dict[str, Any]:
    return {
        "validator_model": heading.judge,
        "validation_timestamp": heading.finished_at,
        "total_qa_pairs": heading.summary.total,
        "validation_threshold": float(heading.cuts.passing),
        "source_file": heading.source_file,
        "processing_info": {
            "review_threshold": float(heading.cuts.failing),
            "unscored": heading.summary.unscored,
        },
    }


def _statistics(heading: Heading) -> dict[str, Any]:
    summary = heading.summary
    counts = summary.counts
    passed = counts.get(PASS, 0)
    return {
        "total_qa_pairs": summary.total,
        "pass_count": passed,
        "needs_review_count": counts.get(NEEDS_REVIEW, 0),
        "fail_count": counts.get(FAIL, 0),
        "pass_rate": round(passed / summary.scored, 4) if summary.scored else 0.0,
        "average_scores": {
            "overall": float(heading.averages.get("overall", 0)),
            **{
                LITERALS[name].removesuffix("_score"): float(heading.averages.get(name, 0))
                for name in PARTS
            },
        },
        "score_distribution": {
            one.name: {"count": one.count, "percentage": one.share} for one in heading.distribution
        },
        "score_ranges": {one.name: one.count for one in heading.distribution},
        "total_processing_time": round(heading.seconds, 2),
    }


def _crossed(pair: ScoredPair, cuts: Cuts) -> str:
    value = {
        "qa_pair_id": pair.pair_id,
        "validation_status": _status(pair, cuts),
        "overall_score": _overall(pair),
        "source_file": pair.source_file,
        "chunk_id": pair.chunk_id,
    }
    return json.dumps(value, ensure_ascii=False)


def _result(pair: ScoredPair, cuts: Cuts) -> dict[str, Any]:
    scores = pair.scores
    return {
        "qa_pair_id": pair.pair_id,
        "qa_pair_index": pair.index,
        "question": pair.question,
        "answer": pair.answer,
        "source_file": pair.source_file,
        "chunk_id": pair.chunk_id,
        "chunk_index": pair.chunk_index,
        "validation_score": {
            **{LITERALS[name]: getattr(scores, name) if scores else None for name in PARTS},
            "overall_score": _overall(pair),
            "issues_found": list(pair.issues),
            "recommendations": list(pair.recommendations),
            "validation_status": _status(pair, cuts),
        },
        "processing_time": round(pair.seconds, 3),
        "original_qa_metadata": dict(pair.meta),
    }


def _status(pair: ScoredPair, cuts: Cuts) -> str | None:
    return cuts.verdict(pair.scores.overall) if pair.scores else None


def _overall(pair: ScoredPair) -> float | None:
    return float(pair.scores.overall) if pair.scores else None


def _priority(pair: ScoredPair, cuts: Cuts) -> str:
    if pair.scores is None:
        return ""
    overall = pair.scores.overall
    return priority(overall, cuts.verdict(overall), pair.issues)


def _flagged(pair: ScoredPair) -> str:
    value = {
        "qa_pair_id": pair.pair_id,
        "qa_pair_index": pair.index,
        "overall_score": _overall(pair),
        "question": pair.question,
        "issues_found": list(pair.issues),
    }
    return json.dumps(value, ensure_ascii=False)


def _indented(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n    ")


def _joined(pieces: Iterable[str]) -> Iterator[str]:
    before, end = "\n    ", ""
    for piece in pieces:
        yield f"{before}{piece}"
        before, end = ",\n    ", "\n  "
    yield end


def filtered_text(pairs: Iterable[ScoredPair], *, metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pairs that were kept, as the earlier pipeline's format step takes them."""
    yield '{\n  "metadata": ' + json.dumps(metadata, ensure_ascii=False)
    yield ',\n  "filtered_pairs": ['
    told = (
        {
            "question": one.question,
            "answer": one.answer,
            "validation_score": _overall(one),
            "source_file": one.source_file,
        }
        for one in pairs
    )
    yield from _joined(json.dumps(one, ensure_ascii=False) for one in told)
    yield "]\n}\n"


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a report or a file of filtered pairs holds; every status is computed anew."""

    pairs: list[ScoredPair]
    changed: int  # statuses that the file has otherwise
    problems: list[str]
    judge: str = ""
    finished: str = ""  # as the file says it, wherever it says it
    threshold: float | None = None


def read_report(value: Any, cuts: Cuts | None = None) -> ReadReport:
    """Return the pairs of a report; raises CorpusError where it is none.

    One bad score leaves its own pair unscored and is listed.
    """
    rows, head = _rows_of(value)
    cuts = cuts or Cuts()
    pairs: list[ScoredPair] = []
    problems: list[str] = []
    changed = 0
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping) or not _is_pair(row):
            problems.append(f"Pair {place}: it has no question and answer.")
            continue
        pair, told = _pair_of(row, place)
        problems += [f"Pair {place}: {told}"] if told else []
        status = _status(pair, cuts)
        changed += status is not None and status != _said_status(row)
        pairs.append(pair)
    threshold = head.get("validation_threshold", head.get("filter_threshold"))
    return ReadReport(
        pairs,
        changed,
        problems,
        judge=_text(head.get("validator_model")),
        finished=_finished(value, head),
        threshold=_threshold(threshold),
    )


def _rows_of(value: Any) -> tuple[list[Any], Mapping[str, Any]]:
    if isinstance(value, list):  # filtered pairs as they were written at first
        return value, {}
    if isinstance(value, Mapping):
        head = value.get("validation_metadata") or value.get("metadata") or {}
        for name in ("validation_results", "filtered_pairs", "training_pairs"):
            if isinstance(value.get(name), list):
                return value[name], head if isinstance(head, Mapping) else {}
    raise CorpusError(
        "This is no file of pairs: it has no list “validation_results”, “filtered_pairs” or "
        "“training_pairs”."
    )


def _is_pair(row: Mapping[str, Any]) -> bool:
    return all(isinstance(row.get(name), str) for name in ("question", "answer"))


def _pair_of(row: Mapping[str, Any], place: int) -> tuple[ScoredPair, str]:
    held = row.get("validation_score")
    scores, trouble = _scores_of(held) if isinstance(held, Mapping) else _only_overall(held)
    said = held if isinstance(held, Mapping) else {}
    meta = row.get("original_qa_metadata")
    index, chunk_index = row.get("qa_pair_index"), row.get("chunk_index")
    pair = ScoredPair(
        index if isinstance(index, int) else place,
        _text(row["question"]),
        _text(row["answer"]),
        scores,
        pair_id=_text(row.get("qa_pair_id")),
        source_file=_text(row.get("source_file")),
        chunk_id=_text(row.get("chunk_id")),
        chunk_index=chunk_index if isinstance(chunk_index, int) else None,
        issues=_texts(said.get("issues_found")),
        recommendations=_texts(said.get("recommendations")),
        meta=clean_value({**(meta if isinstance(meta, Mapping) else {}), **_source(row)}),
    )
    return pair, trouble


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the text that a pair was made of, where its row brings it."""
    text = row.get("source_text")
    return {"source_text": text} if isinstance(text, str) and text else {}


def _scores_of(held: Mapping[str, Any]) -> tuple[Scores | None, str]:
    if all(held.get(literal) is None for literal in LITERALS.values()):
        return None, ""
    try:
        told = {name: number_of(held.get(LITERALS[name])) for name in PARTS}
    except UnscoredError as error:
        return None, f"{error} It stays unscored."
    notes = [f"{name} {note}" for name, (_, note) in told.items() if note]
    return Scores(**{name: score for name, (score, _) in told.items()}), "; ".join(notes)


def _only_overall(held: Any) -> tuple[Scores | None, str]:
    """Return scores of a pair of which a file says the overall score alone: all three are it."""
    if held is None:
        return None, ""
    try:
        score, note = number_of(held)
    except UnscoredError as error:
        return None, f"{error} It stays unscored."
    return Scores(score, score, score), note


def _said_status(row: Mapping[str, Any]) -> str | None:
    held = row.get("validation_score")
    said = held.get("validation_status") if isinstance(held, Mapping) else None
    return said if said is not None else row.get("validation_status")


def _finished(value: Any, head: Mapping[str, Any]) -> str:
    """Return the status of the whole: at the top, under its head, or nowhere."""
    said = value.get("status") if isinstance(value, Mapping) else None
    return _text(said or head.get("status"))


def _threshold(value: Any) -> float | None:
    try:
        found = float(Decimal(str(value))) if value is not None else None
    except (InvalidOperation, ValueError):
        return None
    if found is not None and not math.isfinite(found):
        raise CorpusError("The threshold in this file is no number. Write one from 0 to 10 there.")
    return found


def _text(value: Any) -> str:
    return clean_text(str(value or "")).text


def _texts(value: Any) -> tuple[str, ...]:
    told = value if isinstance(value, list) else []
    return tuple(_text(one) for one in told if isinstance(one, str))
