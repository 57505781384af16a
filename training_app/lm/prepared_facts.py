"""What prepared data are, for a person: counts, lengths, and what exactly the model will read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np

from training_app.lm.packing import Packed
from training_app.lm.prepare import Prepared
from training_app.lm.template import Template

SAMPLES = 4  # from the beginning of each split, and as many of the longest
MOST_SHOWN = 1_500  # tokens of a sample
TEXTS = "text.jsonl"


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """A split in figures; `lengths` counts texts up to each power of two of tokens."""

    name: str
    texts: int
    tokens: int
    learnt: int
    unlearnt_texts: int  # nothing of these is learnt: they are only read
    overlong: int  # longer than the context
    at_context: int  # as long as it
    longest: int
    median: int
    lengths: list[tuple[int, int]]


def facts_of(prepared: Prepared, *, context: int) -> dict[str, Any]:
    """Return everything that the page of prepared data shows, as JSON can hold it."""
    splits = (("train", prepared.train), ("validation", prepared.validation))
    return {
        "entries": prepared.template.entries,
        "template": prepared.template.kind,
        "tokenizer_sha256": prepared.tokenizer_sha256,
        "context": context,
        "splits": [asdict(_split_facts(name, packed, context)) for name, packed in splits],
        "samples": [
            one for name, packed in splits for one in _samples(name, packed, prepared.template)
        ],
    }


def write_texts(prepared: Prepared) -> None:
    """Write what the model reads, a line of JSON each, beside the tokens of its split."""
    for name, packed in (("train", prepared.train), ("validation", prepared.validation)):
        with (prepared.folder / name / TEXTS).open("w", encoding="utf-8") as file:
            for place in range(packed.facts.conversations):
                pieces = _pieces(packed, prepared.template, *_ends(packed, place))
                line = {
                    "text": "".join(text for text, _ in pieces),
                    "learnt": [text for text, is_learnt in pieces if is_learnt],
                }
                file.write(f"{json.dumps(line, ensure_ascii=False)}\n")


def _lengths(packed: Packed) -> Any:
    return np.diff(np.append(packed.starts, packed.facts.tokens))


def _split_facts(name: str, packed: Packed, context: int) -> SplitFacts:
    lengths = _lengths(packed)
    learnt = np.add.reduceat(packed.answers, packed.starts, dtype=np.int64)
    steps = np.ceil(np.log2(np.maximum(lengths, 1))).astype(int)
    counts = np.bincount(steps)
    return SplitFacts(
        name=name,
        texts=packed.facts.conversations,
        tokens=packed.facts.tokens,
        learnt=packed.facts.answer_tokens,
        unlearnt_texts=int((learnt == 0).sum()),
        overlong=packed.facts.overlong,
        at_context=int((lengths == context).sum()),
        longest=int(lengths.max()),
        median=int(np.median(lengths)),
        lengths=[(2**step, int(counts[step])) for step in range(int(steps.min()), len(counts))],
    )


def _samples(name: str, packed: Packed, template: Template) -> Iterator[dict[str, Any]]:
    """Yield the first texts of a split, and its longest."""
    lengths = _lengths(packed)
    longest = np.argsort(-lengths, kind="stable")[:SAMPLES].tolist()
    chosen = dict.fromkeys([*range(min(SAMPLES, len(lengths))), *longest])
    for place in chosen:
        start, end = _ends(packed, place)
        shown = min(end, start + MOST_SHOWN)
        yield {
            "split": name,
            "number": place + 1,
            "tokens": end - start,
            "learnt": int(packed.answers[start:end].sum()),
            "left_out": end - shown,
            "pieces": _pieces(packed, template, start, shown),
        }


def _ends(packed: Packed, place: int) -> tuple[int, int]:
    is_last = place + 1 == packed.facts.conversations
    end = packed.facts.tokens if is_last else int(packed.starts[place + 1])
    return int(packed.starts[place]), end


def _pieces(packed: Packed, template: Template, start: int, end: int) -> list[tuple[str, bool]]:
    """Return the text of these tokens, control tokens by name, in pieces that are learnt or not."""
    ids = packed.tokens[start:end].tolist()
    learnt = packed.answers[start:end].tolist()
    runs = groupby(zip(ids, learnt, strict=True), key=lambda pair: bool(pair[1]))
    return [
        (template.tokenizer.decode([one for one, _ in run], skip_special_tokens=False), is_learnt)
        for is_learnt, run in runs
    ]
