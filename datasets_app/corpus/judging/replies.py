"""What a model that judges wrote, read without trusting it; what is no score stays none."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from typing import Any

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.judging.scores import PARTS, TOP, Scores

LONGEST_REPLY = 40_000
MOST_NOTES, LONGEST_NOTE = 20, 500
KEYS = {
    "accuracy": ("factual_accuracy_score", "factual_accuracy", "accuracy_score", "accuracy"),
    "completeness": ("completeness_score", "completeness"),
    "consistency": ("consistency_score", "consistency"),
}
REASON_KEYS = {name: (f"{name}_reason", f"{name}_evidence") for name in PARTS}
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}(?:[.,][0-9]{1,6})?")
_OF_TEN = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,6})?)\s?(?:/|of|out of)\s?(10{1,2})(?:\.0)?")
_DECODER = JSONDecoder(strict=False)


class UnscoredError(CorpusError):
    """A reply that holds no three scores: the pair stays unscored and is asked about again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was read: the scores, what the judge says of each, and what had to be put right."""

    scores: Scores
    evidence: dict[str, str] = field(default_factory=dict)
    issues: list[str] = field(default_factory=list)
    recommendations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def number_of(value: Any) -> tuple[float, str]:
    """Return a score from 0 to 10, and a note where it had to be put right.

    "8/10" is 8; above 10 and up to 100 it is divided by ten. Raises UnscoredError for all else.
    """
    if isinstance(value, str):
        value = _written(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnscoredError(f"“{_short(value)}” is no score.")
    if not math.isfinite(value) or value < 0 or value > 10 * TOP:
        raise UnscoredError(f"{_short(value)} is no score from 0 to {TOP}.")
    if value > TOP:
        return value / 10, f"{value:g} was read as {value / 10:g}"
    return float(value), ""


def _written(text: str) -> float | str:
    if found := _OF_TEN.fullmatch(text):
        score, top = float(found[1].replace(",", ".")), int(found[2])
        return score if top == TOP else score / 10
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else text


def read_reply(text: str) -> Reply:
    """Return what a judge's reply says; raises UnscoredError where it holds no three scores.

    The last object with all three counts, after what a model thinks aloud. A verdict of its own or
    an overall score is not looked at.
    """
    found: Reply | None = None
    trouble = "The reply holds no scores."
    for value in _objects(_after_thinking(text[:LONGEST_REPLY])):
        try:
            found = _read(value)
        except UnscoredError as error:
            trouble = str(error)
    if found is None:
        raise UnscoredError(trouble)
    return found


def _read(value: Mapping[str, Any]) -> Reply:
    nested = value.get("validation_score") or value.get("scores")
    told = {**value, **nested} if isinstance(nested, Mapping) else dict(value)
    found: dict[str, float] = {}
    notes = []
    for name in PARTS:
        held = next((told[key] for key in KEYS[name] if key in told), None)
        if isinstance(held, Mapping):  # {"accuracy": {"score": 8, "reason": "…"}}
            told.setdefault(REASON_KEYS[name][0], held.get("reason") or held.get("evidence"))
            held = held.get("score")
        if held is None:
            raise UnscoredError(f"The reply says nothing of {name}.")
        found[name], note = number_of(held)
        notes += [f"{name}: {note}"] if note else []
    evidence = {name: _evidence(told, name) for name in PARTS}
    return Reply(
        Scores(**found),
        {name: words for name, words in evidence.items() if words},
        _notes(told.get("issues_found", told.get("issues"))),
        _notes(told.get("recommendations")),
        notes,
    )


def _evidence(told: Mapping[str, Any], name: str) -> str:
    held = next((told[key] for key in REASON_KEYS[name] if told.get(key)), "")
    return _note(held) if isinstance(held, str) else ""


def _notes(value: Any) -> list[str]:
    told = value if isinstance(value, list) else [value]
    kept = (note for one in told if isinstance(one, str) and (note := _note(one)))
    return [one for one, _ in zip(kept, range(MOST_NOTES), strict=False)]


def _note(text: str) -> str:
    return clean_text(text).text.strip()[:LONGEST_NOTE]


def _after_thinking(text: str) -> str:
    """Return what stands behind the last thought; a thought without an end is no reply."""
    if "<think>" in text and "</think>" not in text:
        return text[: text.index("<think>")]
    return text.rpartition("</think>")[2]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a text, from left to right."""
    place = text.find("{")
    tries = 0
    while place >= 0 and tries < 200:
        tries += 1
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (JSONDecodeError, RecursionError):
            place = text.find("{", place + 1)
            continue
        if isinstance(value, dict):
            yield value
        place = text.find("{", place)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return clean_text(text).text[:60]
