"""Answers straight from torch, one at a time: the samples that a run shows as it learns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, Conversation, Turn
from training_app.lm.answer_test import Answer
from training_app.lm.contract import Sample
from training_app.lm.model import context_of
from training_app.lm.prompt_room import MOST_SAMPLE_TOKENS, SAMPLE_TOKENS, question_room
from training_app.lm.template import Template, with_system_prompt


@dataclass(frozen=True, slots=True)
class Question:
    """A validation prompt and what a person answered."""

    turns: tuple[Turn, ...]  # empty for a passage
    text: str  # what is shown, and for a passage what is continued
    reference: str


@torch.no_grad()
def generate(model: Any, ids: Sequence[int], *, limit: int, stop: Collection[int]) -> list[int]:
    """Return at most `limit` likeliest ids; a stop id ends the answer and is not part of it.

    Prompt and answer together never exceed the context, so there may be fewer, or none.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    answer: list[int] = []
    step, past = torch.tensor([list(ids)], device=device), None
    for _ in range(min(limit, context_of(model) - len(ids))):
        out = model(input_ids=step, past_key_values=past, use_cache=True, logits_to_keep=1)
        number = int(out.logits[0, -1].float().cpu().argmax())
        if number in stop:
            break
        answer.append(number)
        step, past = torch.tensor([[number]], device=device), out.past_key_values
    model.train(was_training)
    return answer


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


def reply(model: Any, template: Template, question: Question) -> str:
    """Return the model's likeliest answer to a validation question.

    It may be as long as the real one, and half as long again, in whatever tokens the model has;
    what the question leaves of the context bounds it too.
    """
    real = len(template.text_ids(question.reference))
    limit = min(max(SAMPLE_TOKENS, real + real // 2), MOST_SAMPLE_TOKENS)
    budget = question_room(context_of(model))
    if question.turns:
        prompt = template.prompt(question.turns, budget=budget)
    else:
        prompt = template.completion(question.text, budget=budget)
    answer = generate(model, prompt.ids, limit=limit, stop=template.stop_ids)
    return template.decode(answer)


def answerer(
    model: Any, template: Template, *, system_prompt: str = "", longest: str = ""
) -> Answer:
    """Return how this network answers turns, which open with the system prompt that it learned.

    Answers may be about as long as the `longest` real one.
    """

    def answer(turns: Sequence[Turn]) -> str:
        talk = with_system_prompt(Conversation(tuple(turns)), system_prompt)
        return reply(model, template, Question(talk.turns, turns[-1].text, longest))

    return answer


def answers(questions: Sequence[Question], rows: Sequence[Sample]) -> list[Sample]:
    """Return the rows that answer somebody; a passage is continued, which has no right answer."""
    return [row for question, row in zip(questions, rows, strict=True) if question.turns]


def samples(model: Any, template: Template, questions: Sequence[Question]) -> list[Sample]:
    """Return a row for each fixed validation question: number, prompt, reply, real answer."""
    return [
        (number, question.text, reply(model, template, question), question.reference)
        for number, question in enumerate(questions)
    ]
