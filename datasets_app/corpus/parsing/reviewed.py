"""What people decided about records elsewhere: exports of Label Studio and Argilla.

Whoever was asked there accepted an answer, refused it or wrote a better one. Where they do not
agree nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.parsing.tables import ANSWERS, plain

KEEP, EXCLUDE = "keep", "exclude"
MARKS = frozenset({"annotations", "completions", "responses", "annotation_id", "_server_id"})
"""Keys without one of which nobody was asked about a record."""
_ACCEPTED = frozenset(
    "accept accepted approve approved keep kept good correct yes ok okay valid usable pass".split()
)
_REFUSED = frozenset(
    """reject rejected refuse refused exclude excluded discard discarded bad incorrect wrong no
    invalid unusable remove drop fail""".split()
)
_BETTER = ("answer", "response", "output", "reply", "correct", "edit", "rewrite", "completion")
"""Parts of what the field is called in which a better answer is written."""


_RATINGS = frozenset(
    """thumbs thumb thumb_up feedback user_feedback vote rating user_rating
    helpful is_helpful was_helpful is_good""".split()
)
_RATED_BAD = frozenset(
    """down thumbs_down thumb_down thumbsdown downvote downvoted negative dislike disliked bad
    unhelpful not_helpful wrong incorrect rejected 👎 -1""".split()
)
_YES_OR_NO = frozenset({"helpful", "is_helpful", "was_helpful", "is_good", "thumb_up"})


def refused(value: Mapping[str, Any], *, may_like: bool = False) -> dict[str, Any]:
    """Return what a record says of people who did not like its answer, as a review; {} else.

    A `label` is the name of a class. Only where it `may_like` is it a like, which says yes or no.
    """
    likes = _RATINGS | {"label"} if may_like else _RATINGS
    said = {key: held for key, held in value.items() if plain(key) in likes}
    bad = {key: held for key, held in said.items() if _is_bad(plain(key), held)}
    return {"from": "the file itself", "said": bad} if bad else {}


def _is_bad(key: str, held: Any) -> bool:
    told = str(held).strip().casefold() if isinstance(held, str | int) else ""
    told = told if told == "-1" else plain(told)
    is_no = told == "false" and (key in _YES_OR_NO or key == "label")
    return is_no or (told in _RATED_BAD and key != "label")


@dataclass(slots=True)
class Review:
    """A record with the better answer, if there is one, and what was decided about it."""

    value: dict[str, Any]
    decision: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    """Where the decision comes from, for people."""


@dataclass(slots=True)
class _Said:
    """What one person said about a record under one name: a label, or words."""

    name: str
    value: Any
    by: str = ""


def review_of(value: dict[str, Any]) -> Review | None:
    """Return the record that was looked at elsewhere, or None for any other object."""
    if MARKS.isdisjoint(value):
        return None
    data, annotations = value.get("data"), value.get("annotations", value.get("completions"))
    if isinstance(data, dict) and isinstance(annotations, list):
        return _reviewed(data, [*_of_label_studio(annotations)], "Label Studio")
    fields, responses = value.get("fields"), value.get("responses")
    if isinstance(fields, dict) and isinstance(responses, list | dict):
        said = [*_of_argilla(responses)]
        return _reviewed({**_simple(value), **fields}, said, "Argilla")
    if "annotation_id" in value and "lead_time" in value:
        by = str(value.get("annotator", ""))
        said = [_Said(key, _choice(held), by) for key, held in value.items() if _is_label(held)]
        return _reviewed(value, said, "Label Studio")
    if "_server_id" in value:
        return _reviewed(_simple(value), [*_of_columns(value)], "Argilla")
    return None


def _simple(value: dict[str, Any]) -> dict[str, Any]:
    return {key: held for key, held in value.items() if key in {"id", "status", "metadata"}} | {
        key: held
        for key, held in value.items()
        if isinstance(held, str) and "." not in key and "fields" not in value
    }


def _of_label_studio(annotations: list[Any]) -> Iterator[_Said]:
    for one in annotations:
        results = one.get("result") if isinstance(one, dict) else None
        if not isinstance(results, list) or one.get("was_cancelled"):
            continue
        person = one.get("completed_by")
        by = person.get("email", person.get("id", "")) if isinstance(person, dict) else person
        for told in results:
            held = told.get("value") if isinstance(told, dict) else None
            if isinstance(held, dict):
                choice = _choice(held) or _choice({"choices": held.get("text")})
                yield _Said(str(told.get("from_name", "")), choice, str(by or ""))


def _of_argilla(responses: list[Any] | dict[str, Any]) -> Iterator[_Said]:
    if isinstance(responses, dict):
        for name, told in responses.items():
            for one in told if isinstance(told, list) else []:
                if isinstance(one, dict):
                    yield from _answer_of_argilla(name, one, one.get("value"))
        return
    for one in responses:
        if isinstance(one, dict):
            if one.get("status") == "discarded":
                yield _Said("status", "discarded", str(one.get("user_id", "")))
            values = one.get("values")
            for name, held in (values if isinstance(values, dict) else {}).items():
                told = held.get("value") if isinstance(held, dict) else held
                yield from _answer_of_argilla(name, one, told)


def _answer_of_argilla(name: str, one: dict[str, Any], told: Any) -> Iterator[_Said]:
    status, by = one.get("status", "submitted"), str(one.get("user_id", ""))
    if status == "discarded":
        yield _Said("status", "discarded", by)
    elif status == "submitted":
        yield _Said(name, told, by)


def _of_columns(value: dict[str, Any]) -> Iterator[_Said]:
    """Yield what the columns of a dataset made by Argilla hold: answers and their status."""
    for key, held in value.items():
        name, _, rest = key.rpartition(".")
        states = value.get(f"{key}.status")
        if rest == "responses" and isinstance(held, list):
            told = states if isinstance(states, list) else ["submitted"] * len(held)
            for one, status in zip(held, told, strict=False):
                yield from _answer_of_argilla(name, {"status": status}, one)


def _choice(held: Any) -> Any:
    choices = held.get("choices") if isinstance(held, dict) else held
    return choices[0] if isinstance(choices, list) and len(choices) == 1 else choices


def _is_label(held: Any) -> bool:
    return bool(_verdict(_choice(held)))


def _verdict(told: Any) -> str:
    if not isinstance(told, str):
        return ""
    words = plain(told)
    return KEEP if words in _ACCEPTED else EXCLUDE if words in _REFUSED else ""


def _reviewed(value: dict[str, Any], said: list[_Said], source: str) -> Review:
    verdicts = {verdict for one in said if (verdict := _verdict(one.value))}
    answer = next((key for key in value if plain(key) in ANSWERS), None)
    better = [
        one.value
        for one in said
        if isinstance(one.value, str)
        and not _verdict(one.value)
        and any(word in plain(one.name) for word in _BETTER)
    ]
    told: dict[str, Any] = {"from": source}
    if by := ", ".join(dict.fromkeys(one.by for one in said if one.by)):
        told["by"] = by
    if labels := {one.name: one.value for one in said if one.value not in better}:
        told["said"] = labels
    if answer and better and better[-1].strip() and better[-1] != value[answer]:
        told["before"], value = value[answer], {**value, answer: better[-1]}
        verdicts = verdicts or {KEEP}
    decision = verdicts.pop() if len(verdicts) == 1 else ""
    return Review(value, decision, told if said else {})
