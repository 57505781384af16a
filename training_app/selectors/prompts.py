"""Prompts with which a model's file for another program is compared with torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from datasets_app.corpus.conversation import ASSISTANT, Turn
from datasets_app.sample.questions import validation_questions
from datasets_app.selectors.versions import iter_conversations
from training_app.lm.template import Template
from training_app.models import TrainedModel


def prompts_of(model: TrainedModel, folder: Path, *, most: int) -> Sequence[Sequence[int]]:
    """Return validation prompts of the model's own version, as ids; else the sample's questions."""
    template = Template.open(folder)
    budget = model.context // 2
    asked = islice(_questions(model), most)
    return [template.prompt(turns, budget=budget).ids for turns in asked]


def _questions(model: TrainedModel) -> Iterator[tuple[Turn, ...]]:
    if model.run is not None:
        for conversation in iter_conversations(model.run.version_id, "validation"):
            turns = conversation.turns
            place = next((n for n, turn in enumerate(turns) if turn.role == ASSISTANT), 0)
            if place:
                yield turns[:place]
    for question in validation_questions():
        yield question.turns
