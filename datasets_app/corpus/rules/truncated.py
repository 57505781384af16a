"""Answers without an end."""

from __future__ import annotations

import re

from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Recommendation, Rule, Threshold
from datasets_app.corpus.rules.small_words import (
    CUT_ANYWHERE,
    CUT_LETTERS,
    CUT_WORDS,
    PREPOSITIONS,
    PRONOUNS,
)
from datasets_app.corpus.rules.words import language_of

_OPEN_ENDS = ",;-，、；،؛"
_COPULAS = ("is", "are", "was", "were", "est", "sont", "es", "son", "è", "sono", "é", "são")
_SIGNS = "\u093e\u093f\u0940\u0947\u0948\u094b\u094c\u0902\u0901"  # vowels that end a Hindi word
_GRADE = re.compile(r"\b[A-Z]-\Z")  # "A-" is a grade or a blood type


def truncated(answer: Numbers, limits: Limits) -> Verdict | None:
    """Object to an answer that stops in the middle of a sentence or of a code block."""
    text = answer.text.rstrip()
    if "```" in text and text.count("```") % 2:
        fence = text.rindex("```")
        return _cut(answer, fence, fence + 3, "a code block is opened and never closed")
    last = text[-1]
    is_open = last in _OPEN_ENDS and len(answer.words) >= limits["open_words"]
    if is_open and not text.endswith("--") and not _GRADE.search(text[-3:]):
        return _cut(answer, len(text) - 1, len(text), f"it ends in “{last}”")
    if len(answer.words) < limits["words"] or not (last.isalpha() or last in _SIGNS):
        return None
    if answer.has_letters and text.endswith(CUT_LETTERS):
        return _cut(answer, len(text) - 1, len(text), f"it stops after “{last}”")
    return _cut_at_word(answer, text, with_prepositions=bool(limits["prepositions"]))


def _cut_at_word(answer: Numbers, text: str, *, with_prepositions: bool) -> Verdict | None:
    word = answer.words[-1]
    start = len(text) - len(word)
    if len(word) == 1 and text[start:] != word:
        return None  # "vitamin A": only a small "a" is an article
    is_preposition = with_prepositions and word in PREPOSITIONS
    if not is_preposition and not _is_cut_word(word, answer):
        return None
    return _cut(answer, start, len(text), f"it stops after “{word}”")


def _is_cut_word(word: str, answer: Numbers) -> bool:
    if word in CUT_ANYWHERE:
        return True
    if not any(word in words for words in CUT_WORDS.values()):
        return False
    if word in _COPULAS and answer.words[-2] in PRONOUNS:
        return False
    language = language_of(answer.distinct)
    return language is not None and word in CUT_WORDS[language]


def _cut(answer: Numbers, start: int, end: int, note: str) -> Verdict:
    return Verdict(1, 0, note, ((answer.place(start), answer.place(end)),))


RULE = Rule(
    name="truncated",
    label="incomplete",
    sentence="The answer stops in the middle of a sentence or of a code block.",
    good=("Which vegetable is good for the eyes?", "Carrots are rich in vitamin A"),
    bad=("How do I reset it?", "Hold the button for ten seconds and then press the"),
    severity="R",
    version=2,
    odd_turn="I",
    thresholds={"words": Threshold(6), "open_words": Threshold(3), "prepositions": Threshold(0)},
    recommendation=Recommendation(
        above=0.1,
        one="1 answer stops in the middle. Read it and decide.",
        many="{count} answers stop in the middle. Read them and decide.",
    ),
    earlier="incomplete_outputs",
    of_answer=truncated,
)
