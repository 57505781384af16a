"""Pairs out of what a language model replied, however it wrapped or broke its JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text

LONGEST = 400_000  # characters of a reply that are looked at
QUESTION_KEYS = ("question", "q", "instruction", "prompt", "input")
ANSWER_KEYS = ("answer", "a", "response", "output", "completion")
THINKING = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<reasoning>", "</reasoning>"))
GOOD_ESCAPES = frozenset('"\\/bfnrtu')
INSIDE = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"'}
BETWEEN = re.compile(r"([}\]\"])[ \t\r\n]{0,200}(?=[{\[])")
TRAILING = re.compile(r",[ \t\r\n]{0,200}(?=[}\]])")
Pair = tuple[str, str]


class ReplyError(CorpusError):
    """A reply without pairs; the caller keeps its words."""


def pairs_of(reply: str, most: int) -> list[Pair]:
    """Return at most `most` different pairs of a question and an answer; raises ReplyError.

    What JSON can escape and a database cannot hold is taken out of them.
    """
    text = without_thinking(reply[:LONGEST])
    if not text.strip():
        raise ReplyError("The reply is empty.")
    found: dict[Pair, None] = {}
    for value in _values(text):
        for pair in _pairs(value, depth=0):
            found.setdefault(pair)
    if not found:
        raise ReplyError(
            "The reply holds no list of questions and answers."
            if "{" in text
            else "The reply is prose: there is no JSON in it."
        )
    return list(found)[:most]


def without_thinking(text: str) -> str:
    """Return a reply without what a model thought before it; thinking without an end is all."""
    for start, end in THINKING:
        while (at := text.find(start)) >= 0:
            close = text.find(end, at)
            text = text[:at] + (text[close + len(end) :] if close >= 0 else "")
        close = text.rfind(end)  # some models leave the opening out
        text = text[close + len(end) :] if close >= 0 else text
    return text


def _values(text: str) -> Iterator[Any]:
    """Yield what the JSON in a text says: the whole, or each object that is whole."""
    start = min((at for at in (text.find("["), text.find("{")) if at >= 0), default=-1)
    if start < 0:
        return
    end = max(text.rfind("]"), text.rfind("}")) + 1
    whole = text[start:end]
    for attempt in (whole, repaired(whole)):
        try:
            yield json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
        return
    for piece in objects(text[start:]):
        for attempt in (piece, repaired(piece)):
            try:
                yield json.loads(attempt, strict=False)
            except (ValueError, RecursionError):
                continue
            break


def repaired(text: str) -> str:
    """Return JSON with its usual faults mended: commas, raw line breaks, bad escapes."""
    made: list[str] = []
    plain_from = 0
    for start, end in _strings(text):
        made += [_commas(text[plain_from:start]), _string(text[start:end])]
        plain_from = end
    made.append(_commas(text[plain_from:]))
    return "".join(made)


def _commas(outside: str) -> str:
    """Mend what stands between strings: `} {` gets a comma, `, ]` loses it."""
    if outside and not outside.strip():  # nothing between two strings
        return ","
    outside = TRAILING.sub("", outside)
    return BETWEEN.sub(r"\1,", outside)


def _string(text: str) -> str:
    made: list[str] = []
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            after = text[at + 1 : at + 2]
            is_good = after in GOOD_ESCAPES and bool(after)
            if after == "u":
                is_good = all(one in "0123456789abcdefABCDEF" for one in text[at + 2 : at + 6])
            made.append(sign + after if is_good else "\\\\" + after)
            at += 2
            continue
        made.append(INSIDE.get(sign, sign) if 0 < at < len(text) - 1 else sign)
        at += 1
    return "".join(made)


def _strings(text: str) -> Iterator[tuple[int, int]]:
    """Yield the place of each string with its quotes; a quote inside counts as one of its signs.

    A quote ends a string only where JSON may go on after it.
    """
    at = 0
    while (start := text.find('"', at)) >= 0:
        at = start + 1
        while (end := text.find('"', at)) >= 0:
            at = end + 1
            if text[end - 1] == "\\" and text[end - 2 : end - 1] != "\\":
                continue
            after = text[at : at + 200].lstrip()[:1]
            if after in {"", ",", ":", "}", "]", '"', "{"}:
                yield start, at
                break
        else:
            return


def objects(text: str) -> Iterator[str]:
    """Yield each innermost `{…}`; of a reply that was cut, those that are whole."""
    strings = list(_strings(text))
    held = None
    at, number = 0, 0
    while at < len(text):
        if number < len(strings) and at == strings[number][0]:
            at = strings[number][1]
            number += 1
            continue
        if text[at] == "{":
            held = at
        elif text[at] == "}" and held is not None:
            yield text[held : at + 1]
            held = None
        at += 1


def _pairs(value: Any, *, depth: int) -> Iterator[Pair]:
    if depth > 4:
        return
    if isinstance(value, list):
        for one in value:
            yield from _pairs(one, depth=depth + 1)
    elif isinstance(value, dict):
        low = {str(key).lower(): held for key, held in value.items()}
        question, answer = _first(low, QUESTION_KEYS), _first(low, ANSWER_KEYS)
        if question and answer:
            yield question, answer
            return
        for held in value.values():
            if isinstance(held, list | dict):
                yield from _pairs(held, depth=depth + 1)


def _first(value: dict[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        held = value.get(key)
        if isinstance(held, str) and (text := clean_text(held).text.strip()):
            return text
    return ""
