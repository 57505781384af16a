"""Answers with too little in them."""

from __future__ import annotations

import re

from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Rule, Threshold
from datasets_app.corpus.rules.small_words import (
    ALL_STOP_WORDS,
    FILLER_LETTERS,
    FILLERS,
    NUMBER_WORDS,
    YES_NO_WORDS,
)
from datasets_app.corpus.rules.words import (
    is_closed,
    is_courtesy,
    is_letter,
    syllable_count,
    wants_explanation,
    without_edge_marks,
)

_NUMBER = re.compile(r"(?<![^\W\d_])\d")
_HIRAGANA = re.compile(r"[\u3041-\u3096ー]+\Z")
LONGEST_WORD = 45
FACT_WORDS, FACT_LETTERS = 3, 4


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
    # who asks for more words than usual wants them of facts, too
    is_fact = count < (FACT_LETTERS if by_letter else FACT_WORDS) and _says_something(answer)
    complete = _is_complete(answer, question, is_fact=is_fact)
    return Verdict(count, needed, note, answer.whole, "I" if complete else "E")


def _is_complete(answer: Numbers, question: Numbers, *, is_fact: bool) -> bool:
    """Tell whether so little may be the answer: a fact, a name, a yes, a courtesy."""
    text = without_edge_marks(answer.text)
    if "\n" in question.text and text in question.text:
        return True  # it points into the text that the question is about
    if wants_explanation(question.stored):
        return False
    if is_closed(question.stored) or is_courtesy(answer.text) or _NUMBER.search(text):
        return True
    if all(word in YES_NO_WORDS or word in NUMBER_WORDS for word in answer.words):
        return True
    return is_fact


def _says_something(answer: Numbers) -> bool:
    """Tell whether a word among them is more than what people say while they think."""
    text = without_edge_marks(answer.text)
    if all(map(is_letter, answer.words)):
        return not (_HIRAGANA.match(text) or answer.distinct <= FILLER_LETTERS)
    return any(
        word not in ALL_STOP_WORDS and word not in FILLERS and 1 < len(word) <= LONGEST_WORD
        for word in answer.words
    )


RULE = Rule(
    name="too_short",
    label="too short",
    sentence="The answer has fewer than three words, and no fact, name or courtesy is among them.",
    good=("Are you open today?", "Yes."),
    bad=("Please describe your shop.", "it is"),
    severity="E",
    version=2,
    odd_turn="I",
    thresholds={"words": Threshold(FACT_WORDS), "letters": Threshold(FACT_LETTERS)},
    earlier="short_outputs",
    of_reply=too_short,
)
