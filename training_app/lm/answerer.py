"""How a network answers an answer test: as a deployment of it would answer a member of the chat."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.knowledge.find import Without
from training_app.lm.answer_test import Answer, NotAskedError
from training_app.lm.contract import Grounds
from training_app.lm.grounding import grounded, grounded_prompt, source_of
from training_app.lm.model import context_of
from training_app.lm.neighbours import KEPT_BACK
from training_app.lm.prompt_room import question_room
from training_app.lm.replies import Question, replies
from training_app.lm.template import Template, with_system_prompt


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

    def prompt_of(turns: Sequence[Turn]) -> tuple[Turn, ...] | None:
        """Return what the network reads; None where nothing is near, and it is not asked."""
        opened = with_system_prompt(Conversation(tuple(turns)), system_prompt).turns
        if grounds is None:
            return opened
        without = Without(splits=KEPT_BACK)
        found = grounds.answers.find(grounds.key, turns, most=grounds.most, without=without)
        if not found.is_there:
            raise NotAskedError(found.note)
        if found.is_unknown:
            return None
        sources = [source_of(one.piece) for one in found.found]
        _, count = grounded_prompt(template, opened, sources, budget=room)
        return grounded(opened, sources[:count])

    def answer(talks: Sequence[Sequence[Turn]]) -> list[str]:
        prompts = [prompt_of(turns) for turns in talks]
        asked = [Question(turns, turns[-1].text, longest) for turns in prompts if turns]
        copies = grounds is not None
        written = iter(replies(network, template, asked, copies_numbers=copies))
        unknown = grounds.abstention if grounds else ""
        return [next(written) if turns else unknown for turns in prompts]

    return answer
