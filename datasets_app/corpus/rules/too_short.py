"""Answers with too little in them."""

from __future__ import annotations

import re

from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Rule, Threshold
from datasets_app.corpus.rules.words import (
    ALL_STOP_WORDS,
    NUMBER_WORDS,
    WHOLE_ANSWERS,
    YES_NO_WORDS,
    is_closed,
    is_letter,
    syllable_count,
)

_NUMBER = re.compile(r"(?<![^\W\d_])\d")
_EDGE_MARKS = " \t\r\n.!?,;:…。！？、，\"'“”‘’()[]*_"


def too_short(answer: Numbers, question: Numbers, limits: Limits) -> Verdict | None:
    """Object to fewer than three words, unless the question asked for no more."""
    count = len(answer.words)
    if count >= limits["words"] and not answer.has_letters:
        return None
    by_letter = sum(map(is_letter, answer.words)) * 2 > count
    syllables = syllable_count(answer.text)
    if syllables > count:  # one Korean word may be a whole sentence
        count, by_letter = syllables, True
    needed = limits["letters"] if by_letter else limits["words"]
    if count >= needed:
        return None
    unit = "letter" if by_letter else "word"
    note = f"the answer has {count} {unit}{'' if count == 1 else 's'}"
    complete = is_closed(question.stored) or _is_complete(answer)
    return Verdict(count, needed, note, answer.whole, "I" if complete else "E")


def _is_complete(answer: Numbers) -> bool:
    """Tell whether a number, date, time, price, name, yes or no stands there by itself."""
    text = answer.text.strip(_EDGE_MARKS)
    if _NUMBER.search(text) or text.lower() in WHOLE_ANSWERS:
        return True
    if all(word in YES_NO_WORDS or word in NUMBER_WORDS for word in answer.words):
        return True
    return all(_is_name(word) for word in text.split())


def _is_name(word: str) -> bool:
    bare = word.strip(_EDGE_MARKS)
    return len(bare) > 1 and bare[0].isupper() and bare.lower() not in ALL_STOP_WORDS


RULE = Rule(
    name="too_short",
    label="too short",
    sentence="The answer has fewer than three words although the question asks for more.",
    good=("Are you open today?", "Yes."),
    bad=("Please describe your shop.", "it is"),
    severity="E",
    thresholds={"words": Threshold(3), "letters": Threshold(4)},
    earlier="short_outputs",
    of_reply=too_short,
)
