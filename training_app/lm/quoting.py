"""Answers without a model: the nearest known answer, as a deployment that quotes gives it."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.corpus.conversation import Turn
from datasets_app.knowledge.find import Without
from training_app.lm.answer_test import Answer, NotAskedError
from training_app.lm.contract import Grounds
from training_app.lm.made_up import quote_for
from training_app.lm.neighbours import KEPT_BACK


def quoter_from(known: Grounds) -> Answer:
    """Return how known answers are quoted; rows kept back are not found.

    What it returns raises NotAskedError where what is known cannot be read.
    """

    def quoted(turns: Sequence[Turn]) -> str:
        told = known.answers.find(
            known.key, turns, most=known.most, without=Without(splits=KEPT_BACK)
        )
        if not told.is_there:
            raise NotAskedError(told.note)
        quote = quote_for(turns, told)
        return quote.text if quote else known.abstention

    return lambda talks: [quoted(turns) for turns in talks]
