"""Answers straight from torch, one at a time: the samples that a run shows as it learns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, Conversation, Turn
from training_app.lm.contract import Sample
from training_app.lm.model import context_of
from training_app.lm.template import Template


@dataclass(frozen=True, slots=True)
class Question:
    """A validation prompt and what a person answered."""

    turns: tuple[Turn, ...]  # empty for a passage
    text: str  # what is shown, and for a passage what is continued
    reference: str


@dataclass(frozen=True, slots=True)
class Taste:
    """How the next token is chosen; a temperature of 0 takes the likeliest.

    A `top_k` above 0 leaves the k likeliest and those that equal the last (Fan et al. 2018).
    """

    temperature: float = 0.0
    top_k: int = 0
    seed: int = 0


@torch.no_grad()
def generate(
    model: Any, ids: Sequence[int], *, limit: int, stop: Collection[int], taste: Taste | None = None
) -> list[int]:
    """Return at most `limit` new ids; a stop id ends the answer and is not part of it.

    Prompt and answer together never exceed the context, so there may be fewer, or none.
    """
    taste = taste or Taste()
    chance = torch.Generator().manual_seed(taste.seed)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    answer: list[int] = []
    step, past = torch.tensor([list(ids)], device=device), None
    for _ in range(min(limit, context_of(model) - len(ids))):
        out = model(input_ids=step, past_key_values=past, use_cache=True, logits_to_keep=1)
        number = _choice(out.logits[0, -1].float().cpu(), taste, chance)
        if number in stop:
            break
        answer.append(number)
        step, past = torch.tensor([[number]], device=device), out.past_key_values
    model.train(was_training)
    return answer


def _choice(logits: Tensor, taste: Taste, chance: torch.Generator) -> int:
    if taste.temperature <= 0:
        return int(logits.argmax())
    logits = logits / taste.temperature
    if taste.top_k:
        weakest = logits.topk(min(taste.top_k, logits.numel())).values[-1]
        logits = logits.masked_fill(logits < weakest, float("-inf"))
    return int(torch.multinomial(logits.softmax(-1), 1, generator=chance))


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


def reply(model: Any, template: Template, question: Question, *, limit: int = 64) -> str:
    """Return the model's likeliest answer, at most `limit` tokens, to a validation question."""
    context = context_of(model)
    budget = max(context // 2, context - limit)
    if question.turns:
        prompt = template.prompt(question.turns, budget=budget)
    else:
        prompt = template.completion(question.text, budget=budget)
    answer = generate(model, prompt.ids, limit=limit, stop=template.stop_ids)
    return template.decode(answer)


def answers(questions: Sequence[Question], rows: Sequence[Sample]) -> list[Sample]:
    """Return the rows that answer somebody; a passage is continued, which has no right answer."""
    return [row for question, row in zip(questions, rows, strict=True) if question.turns]


def samples(
    model: Any, template: Template, questions: Sequence[Question], *, limit: int = 64
) -> list[Sample]:
    """Return a row for each fixed validation question: number, prompt, reply, real answer."""
    return [
        (number, question.text, reply(model, template, question, limit=limit), question.reference)
        for number, question in enumerate(questions)
    ]
