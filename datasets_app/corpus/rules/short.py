"""Answers with nothing in them, too little in them, or no end: empty, too short, truncated."""

from __future__ import annotations

import re
from collections.abc import Mapping

from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.words import (
    ALL_STOP_WORDS,
    CUT_WORDS,
    NUMBER_WORDS,
    PREPOSITIONS,
    WHOLE_ANSWERS,
    YES_NO_WORDS,
    is_closed,
    is_letter,
    language_of,
    syllable_count,
)

_NUMBER = re.compile(r"(?<![^\W\d_])\d")
_EDGE_MARKS = " \t\r\n.!?,;:…。！？、，\"'“”‘’()[]*_"
_OPEN_ENDS = ",;-，、；"
_GRADE = re.compile(r"\b[A-Z]-\Z")  # "A-" is a grade or a blood type


def empty(answer: Numbers) -> Verdict | None:
    """Object to a text without any letter or digit."""
    if any(character.isalnum() for character in answer.text):
        return None
    return Verdict(0, 1, "there is no letter and no digit in it", _whole(answer))


def too_short(answer: Numbers, limits: Mapping[str, float], question: str) -> Verdict | None:
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
    complete = is_closed(question) or _is_complete(answer)
    return Verdict(count, needed, note, _whole(answer), "I" if complete else None)


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


def truncated(answer: Numbers, limits: Mapping[str, float]) -> Verdict | None:
    """Object to an answer that stops in the middle of a sentence or of a code block."""
    text = answer.text.rstrip()
    if "```" in text and text.count("```") % 2:
        fence = text.rindex("```")
        return _cut(answer, fence, fence + 3, "a code block is opened and never closed")
    last = text[-1]
    if last in _OPEN_ENDS and not text.endswith("--") and not _GRADE.search(text[-3:]):
        return _cut(answer, len(text) - 1, len(text), f"it ends in “{last}”")
    if not last.isalpha() or len(answer.words) < limits["words"]:
        return None
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
    if not any(word in words for words in CUT_WORDS.values()):
        return False
    language = language_of(answer.distinct)
    return language is not None and word in CUT_WORDS[language]


def _cut(answer: Numbers, start: int, end: int, note: str) -> Verdict:
    return Verdict(1, 0, note, ((answer.place(start), answer.place(end)),))


def _whole(answer: Numbers) -> tuple[tuple[int, int], ...]:
    end = answer.place(len(answer.text))
    return ((0, end),) if end else ()
