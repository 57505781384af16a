"""Prompts with which a model's file for another program is compared with torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from datasets_app.corpus.conversation import ASSISTANT, Conversation, Turn
from datasets_app.sample.questions import validation_questions
from datasets_app.selectors.versions import iter_conversations
from training_app.lm.grounding import Source, grounded
from training_app.lm.template import Template, with_system_prompt
from training_app.models import TrainedModel

_Exchange = tuple[tuple[Turn, ...], str]  # what is asked, with the turns before it; the reply


def prompts_of(model: TrainedModel, folder: Path, *, most: int) -> Sequence[Sequence[int]]:
    """Return validation prompts of the model's own version, as ids; else the sample's questions."""
    template = Template.open(folder)
    budget = model.context // 2
    asked = islice(_exchanges(model), most)
    return [template.prompt(turns, budget=budget).ids for turns, _ in asked]


def replies_of(
    model: TrainedModel, folder: Path, *, most: int
) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
    """Return prompts as they are in the chat, each with the ids of the real reply.

    A model that learnt with known answers gets some: the right one, behind those of the exchanges
    before and after it. What the context does not hold whole is left out.
    """
    template = Template.open(folder)
    asked = list(islice(_exchanges(model), most))
    count = int(model.run.spec.get("data", {}).get("sources", 0)) if model.run else 0
    found = []
    for place, (turns, reply) in enumerate(asked):
        talk = with_system_prompt(Conversation(turns), model.system_prompt).turns
        if count:
            near = [asked[(place + step) % len(asked)] for step in range(min(count, len(asked)))]
            talk = grounded(talk, [Source(text, known[-1].text) for known, text in near])
        prompt = template.prompt(talk, budget=model.context)
        ids = template.encode(Conversation((*talk, Turn(ASSISTANT, reply)))).last_answer
        is_whole = not (prompt.cut_tokens or prompt.dropped_turns)
        if ids and is_whole and len(prompt.ids) + len(ids) <= model.context:
            found.append((prompt.ids, ids))
    return found


def _exchanges(model: TrainedModel) -> Iterator[_Exchange]:
    """Yield the first exchange of each conversation kept for validation, then the sample's."""
    if model.run is not None:
        for conversation in iter_conversations(model.run.version_id, "validation"):
            turns = conversation.turns
            place = next((n for n, turn in enumerate(turns) if turn.role == ASSISTANT), 0)
            if place:
                yield turns[:place], turns[place].text
    for question in validation_questions():
        yield question.turns, question.answer
