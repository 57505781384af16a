"""Answers without a model: the nearest known answer, as a deployment that quotes gives it."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.corpus.conversation import Turn
from datasets_app.knowledge.find import Without
from datasets_app.knowledge.known import KnownAnswers
from training_app.lm.answer_test import Answer
from training_app.lm.contract import Grounds
from training_app.lm.neighbours import KEPT_BACK


def quoter_from(known: Grounds) -> Answer:
    """Return how known answers are quoted; rows kept back are not found."""
    knowledge = KnownAnswers()

    def answer(turns: Sequence[Turn]) -> str:
        told = knowledge.find(known.key, turns, most=1, without=Without(splits=KEPT_BACK))
        return told.found[0].piece.answer if told.is_near else known.abstention

    return answer
