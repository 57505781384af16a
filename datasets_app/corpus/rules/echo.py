"""Answers that give the question back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers, measure
from datasets_app.corpus.rules.rule import Limits, Recommendation, Rule, Threshold
from datasets_app.corpus.rules.small_words import (
    ALL_STOP_WORDS,
    DECISIVE_WORDS,
    FILLER_LETTERS,
    NEGATED,
    NEGATIONS,
    NUMBER_WORDS,
    QUESTION_WORDS,
)
from datasets_app.corpus.rules.words import (
    QUESTION_MARKS,
    content_words,
    is_closed,
    is_courtesy,
    is_small_letter,
    language_of,
    wants_explanation,
    without_edge_marks,
)

MOST_COMPARED = 400  # words: a longer answer gives nothing back


def echo(answer: Numbers, question: Numbers, limits: Limits) -> Verdict | None:
    """Object to an answer that gives the request back and adds nothing of its own.

    Only the request counts, not the text that it is about: an answer may well stand there.
    """
    if _adds_enough(answer, question.distinct, limits["new_words"]):
        return None
    asked = request_of(question)
    fresh = answer.distinct - asked.distinct
    if _says_else(answer, asked, question) or _decides(
        fresh, asked.distinct - answer.distinct, answer
    ):
        return None
    verdict = (
        _piece_of(answer, asked, limits)
        or _few_new_words(answer, asked, fresh, limits)
        or _question_and_little_more(answer, asked, limits)
    )
    if verdict is None:
        return None
    asks_again = answer.words == asked.words or not QUESTION_WORDS.isdisjoint(answer.distinct)
    if asks_again or wants_explanation(question.stored) or not is_closed(question.stored):
        return verdict
    return replace(verdict, at_most="I")


def _adds_enough(answer: Numbers, known: set[str], limit: float) -> bool:
    """Tell cheaply that the answer says more: words are new that surely carry meaning."""
    missing = max(1.0, limit * len(answer.distinct))
    for word in answer.distinct:
        if len(word) >= 4 and word not in known and word not in ALL_STOP_WORDS:
            missing -= 1
            if missing <= 0:
                return True
    return False


def request_of(question: Numbers) -> Numbers:
    """Return the part of a question turn that asks; a text that it is about stands apart."""
    text = question.text.strip()
    if "\n" not in text:
        return question
    paragraphs = [part for part in text.split("\n") if part.strip()]
    first, last = paragraphs[0], paragraphs[-1]
    asking = [part for part in (last, first) if part.rstrip().endswith(QUESTION_MARKS)]
    return measure(asking[0] if asking else min(first, last, key=len))


def _says_else(answer: Numbers, asked: Numbers, question: Numbers) -> bool:
    """Tell whether it greets, has lines that were asked for, or quotes what it is asked about."""
    if is_courtesy(answer.text) or answer.text.strip().count("\n") > asked.text.strip().count("\n"):
        return True
    if asked is question:
        return False
    said = without_edge_marks(answer.text)
    return said in question.text.replace(asked.text, "", 1) and said not in asked.text


def _decides(fresh: set[str], lost: set[str], answer: Numbers) -> bool:
    """Tell whether a number, a yes, a no or a negation stands in one of the two only."""
    if fresh & DECISIVE_WORDS or fresh & NUMBER_WORDS or lost & NEGATIONS:
        return True
    if any(not word.isascii() or not word.isalpha() for word in fresh):
        digits = any(any(map(str.isdigit, word)) for word in fresh)
        return digits or (answer.has_letters and NEGATED.search(answer.text) is not None)
    return False


def _few_new_words(
    answer: Numbers, asked: Numbers, fresh: set[str], limits: Limits
) -> Verdict | None:
    language = language_of(answer.distinct | asked.distinct)
    content = content_words(answer.distinct, language)
    if len(content) < limits["content_words"] or answer.text.rstrip().endswith(QUESTION_MARKS):
        return None  # asking back is no echo
    new = content & fresh
    share = len(new) / len(content)
    says = new - FILLER_LETTERS if answer.has_letters else set()
    if share >= limits["new_words"] or not all(map(is_small_letter, says)):
        return None
    if not _gives_back(answer, asked, limits["given_back"], language) or (
        new and _longest_run(answer.words, asked.words) < 0.6 * len(answer.words)
    ):
        return None
    note = f"{len(content) - len(new)} of its {len(content)} words are words of the question"
    return Verdict(share, limits["new_words"], note, answer.whole)


def _gives_back(answer: Numbers, asked: Numbers, least: float, language: str | None) -> bool:
    """Tell whether the answer holds this share of what was asked; fewer words name a part."""
    wanted = content_words(asked.distinct, language)
    return len(wanted & answer.distinct) >= least * len(wanted)


def _longest_run(words: Sequence[str], others: Sequence[str]) -> int:
    """Return how many words in a row stand in both."""
    matcher = SequenceMatcher(None, words[:MOST_COMPARED], others[:MOST_COMPARED], autojunk=False)
    return matcher.find_longest_match().size


def _piece_of(answer: Numbers, asked: Numbers, limits: Limits) -> Verdict | None:
    least = limits["piece_words"] * (2 if answer.has_letters else 1)
    if len(answer.words) < least:
        return None
    if f" {' '.join(answer.words)} " not in f" {' '.join(asked.words)} ":
        return None
    language = language_of(answer.distinct | asked.distinct)
    if not _gives_back(answer, asked, limits["given_back"], language):
        return None
    return Verdict(0, limits["new_words"], "it is a piece of the question", answer.whole)


def _question_and_little_more(answer: Numbers, asked: Numbers, limits: Limits) -> Verdict | None:
    length = len(asked.words)
    if length < limits["piece_words"] or answer.words[:length] != asked.words:
        return None
    added = answer.words[length:]
    if len(added) > max(limits["added_words"], limits["added_share"] * length):
        return None
    if any(_says_something(word, answer, asked) for word in added):
        return None
    note = f"it is the whole question and {len(added)} more words"
    return Verdict(len(added), limits["added_words"], note, answer.whole)


def _says_something(word: str, answer: Numbers, question: Numbers) -> bool:
    """Tell whether an added word is a number, a name, or a content word of its own."""
    if word in question.distinct:
        return False
    is_name = word not in ALL_STOP_WORDS and word.capitalize() in answer.text
    language = language_of(answer.distinct)
    return word.isdigit() or is_name or bool(content_words({word}, language))


RULE = Rule(
    name="echo",
    label="echo",
    sentence="The answer gives the question back and adds nothing to it.",
    good=("What is the capital of France?", "The capital of France is Paris."),
    bad=("Please tell me how to reset my password.", "Tell me how to reset my password."),
    severity="E",
    version=2,
    odd_turn="I",
    thresholds={
        "content_words": Threshold(3),
        "new_words": Threshold(0.15),
        "given_back": Threshold(0.5),
        "piece_words": Threshold(4),
        "added_words": Threshold(3),
        "added_share": Threshold(0.25),
    },
    recommendation=Recommendation(
        above=0.1,
        one="1 answer repeats the question. Exclude the row.",
        many="{count} answers repeat the question. Exclude the rows.",
    ),
    earlier="echo_outputs",
    of_reply=echo,
)
