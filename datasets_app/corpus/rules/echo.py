"""Answers that give the question back."""

from __future__ import annotations

from dataclasses import replace

from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Recommendation, Rule, Threshold
from datasets_app.corpus.rules.words import (
    ALL_STOP_WORDS,
    DECISIVE_WORDS,
    QUESTION_MARKS,
    content_words,
    is_closed,
    language_of,
)


def echo(answer: Numbers, question: Numbers, limits: Limits) -> Verdict | None:
    """Object to an answer that repeats the question and adds nothing of its own."""
    if _adds_enough(answer, question.distinct, limits["new_words"]):
        return None
    fresh = answer.distinct - question.distinct
    verdict = (
        _piece_of(answer, question, limits)
        or _few_new_words(answer, question, fresh, limits)
        or _question_and_little_more(answer, question, limits)
    )
    if verdict is None:
        return None
    return replace(verdict, at_most="I") if is_closed(question.stored) else verdict


def _adds_enough(answer: Numbers, known: set[str], limit: float) -> bool:
    """Tell cheaply that the answer says more: words are new that surely carry meaning."""
    missing = max(1.0, limit * len(answer.distinct))
    for word in answer.distinct:
        if len(word) >= 4 and word not in known and word not in ALL_STOP_WORDS:
            missing -= 1
            if missing <= 0:
                return True
    return False


def _few_new_words(
    answer: Numbers, question: Numbers, fresh: set[str], limits: Limits
) -> Verdict | None:
    language = language_of(answer.distinct | question.distinct)
    content = content_words(answer.distinct, language)
    if len(content) < limits["content_words"] or fresh & DECISIVE_WORDS:
        return None
    if answer.text.rstrip().endswith(QUESTION_MARKS):
        return None  # asking back is no echo
    new = content & fresh
    share = len(new) / len(content)
    if share >= limits["new_words"] or (answer.has_letters and len(new) > 1):
        return None
    note = f"{len(content) - len(new)} of its {len(content)} words are words of the question"
    return Verdict(share, limits["new_words"], note, answer.whole)


def _piece_of(answer: Numbers, question: Numbers, limits: Limits) -> Verdict | None:
    if len(answer.words) < limits["piece_words"]:
        return None
    if f" {' '.join(answer.words)} " not in f" {' '.join(question.words)} ":
        return None
    return Verdict(0, limits["new_words"], "it is a piece of the question", answer.whole)


def _question_and_little_more(answer: Numbers, question: Numbers, limits: Limits) -> Verdict | None:
    length = len(question.words)
    if length < limits["piece_words"] or answer.words[:length] != question.words:
        return None
    added = answer.words[length:]
    if len(added) > max(limits["added_words"], limits["added_share"] * length):
        return None
    if any(_says_something(word, answer, question) for word in added):
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
    thresholds={
        "content_words": Threshold(3),
        "new_words": Threshold(0.15),
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
