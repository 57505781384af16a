"""What a network replies to validation questions, beside the real answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, Conversation, Turn
from training_app.lm.contract import Sample
from training_app.lm.copied_numbers import CopiedNumbers, DigitTokens
from training_app.lm.generate import Wanted, generate
from training_app.lm.made_up import without_codes
from training_app.lm.model import context_of
from training_app.lm.prompt_room import MOST_SAMPLE_TOKENS, SAMPLE_TOKENS, question_room
from training_app.lm.template import Template


@dataclass(frozen=True, slots=True)
class Question:
    """A validation prompt and what a person answered."""

    turns: tuple[Turn, ...]  # empty for a passage
    text: str  # what is shown, and for a passage what is continued
    reference: str


def question_of(conversation: Conversation) -> Question | None:
    """Return the first question of a validation conversation with its real answer."""
    if conversation.is_passage:
        text = conversation.turns[0].text
        middle = text.find(" ", len(text) // 2)
        cut = middle if middle > 0 else len(text) // 2
        return Question((), text[:cut], text[cut:]) if text.strip() else None
    for number, turn in enumerate(conversation.turns):
        before = conversation.turns[:number]
        if turn.role == ASSISTANT and before and before[-1].role != SYSTEM:
            return Question(before, before[-1].text, turn.text)
    return None


def replies(
    model: Any,
    template: Template,
    questions: Sequence[Question],
    *,
    codes: Sequence[frozenset[str]] | None = None,
) -> list[str]:
    """Return the model's likeliest answer to each validation question.

    It may be as long as the real one, and half as long again, in whatever tokens the model has;
    what the question leaves of the context bounds it too. With `codes`, for each question those of
    others, it holds no number that its prompt does not, and none of these.
    """
    budget = question_room(context_of(model))
    wanted = [_wanted(template, question, budget) for question in questions]
    if codes is not None:
        digits = DigitTokens.of(template.tokenizer)
        shown = [
            without_codes(template.decode(one.ids), others)
            for one, others in zip(wanted, codes, strict=True)
        ]
        wanted = [
            replace(one, numbers=CopiedNumbers(digits, text))
            for one, text in zip(wanted, shown, strict=True)
        ]
    return [template.decode(ids) for ids in generate(model, wanted, stop=template.stop_ids)]


def _wanted(template: Template, question: Question, budget: int) -> Wanted:
    real = len(template.text_ids(question.reference))
    limit = min(max(SAMPLE_TOKENS, real + real // 2), MOST_SAMPLE_TOKENS)
    if question.turns:
        return Wanted(template.prompt(question.turns, budget=budget).ids, limit)
    return Wanted(template.completion(question.text, budget=budget).ids, limit)


def answers(questions: Sequence[Question], rows: Sequence[Sample]) -> list[Sample]:
    """Return the rows that answer somebody; a passage is continued, which has no right answer."""
    return [row for question, row in zip(questions, rows, strict=True) if question.turns]


def samples(model: Any, template: Template, questions: Sequence[Question]) -> list[Sample]:
    """Return a row for each fixed validation question: number, prompt, reply, real answer."""
    told = zip(questions, replies(model, template, questions), strict=True)
    return [
        (number, question.text, reply, question.reference)
        for number, (question, reply) in enumerate(told)
    ]
