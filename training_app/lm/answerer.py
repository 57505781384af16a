"""How a network answers an answer test: as a deployment of it would answer a member of the chat."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.knowledge.find import Without
from training_app.lm.answer_test import Answer, NotAskedError
from training_app.lm.contract import Grounds
from training_app.lm.grounding import grounded, grounded_prompt, source_of
from training_app.lm.made_up import Told, quote_for
from training_app.lm.model import context_of
from training_app.lm.neighbours import KEPT_BACK
from training_app.lm.prompt_room import question_room
from training_app.lm.replies import Question, replies
from training_app.lm.template import Template, with_system_prompt


@dataclass(frozen=True, slots=True)
class Asked:
    """What a network reads, what that was made of, and what is said where it makes things up."""

    prompt: tuple[Turn, ...]
    told: Told | None = None
    instead: str = ""

    def or_instead(self, reply: str) -> str:
        """Return the reply, or what is said instead of it."""
        return self.instead if self.told and self.told.is_left_by(reply) else reply


def answerer(
    network: Any,
    template: Template,
    *,
    grounds: Grounds | None = None,
    system_prompt: str = "",
    longest: str = "",
    bf16: bool = False,
) -> Answer:
    """Return how a network answers talks, which open with the system prompt that it learned.

    Answers may be about as long as the `longest` real one; of what is known, rows that were kept
    back are not found. What it returns raises NotAskedError where what is known cannot be read.
    With `bf16` a copy of the network answers in half of its precision: of 143 replies of the sample
    two were judged otherwise, in half of the time.
    """
    if bf16:
        network = deepcopy(network).to(torch.bfloat16)
    room = question_room(context_of(network))

    def asked_of(turns: Sequence[Turn]) -> Asked | None:
        """Return what the network reads; None where nothing is near, and it is not asked."""
        opened = with_system_prompt(Conversation(tuple(turns)), system_prompt).turns
        if grounds is None:
            return Asked(opened)
        without = Without(splits=KEPT_BACK)
        found = grounds.answers.find(grounds.key, turns, most=grounds.most, without=without)
        if not found.is_there:
            raise NotAskedError(found.note)
        if found.is_unknown:
            return None
        sources = [source_of(one.piece) for one in found.found]
        _, count = grounded_prompt(template, opened, sources, budget=room)
        quote = quote_for(opened, found)
        said = quote.text if quote else grounds.abstention
        talk = [*(turn.text for turn in opened), grounds.abstention]
        told = Told.of(sources[:count], talk, found)
        return Asked(grounded(opened, sources[:count]), told if count else None, said)

    def answer(talks: Sequence[Sequence[Turn]]) -> list[str]:
        asked = [asked_of(turns) for turns in talks]
        near = [one for one in asked if one]
        questions = [Question(one.prompt, one.prompt[-1].text, longest) for one in near]
        codes = [one.told.not_copied if one.told else frozenset() for one in near]
        written = iter(replies(network, template, questions, codes=codes if grounds else None))
        unknown = grounds.abstention if grounds else ""
        return [one.or_instead(next(written)) if one else unknown for one in asked]

    return answer
