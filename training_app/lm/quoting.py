"""Answers without a model: the nearest known answer, as a deployment that quotes gives it."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.corpus.conversation import Turn
from datasets_app.knowledge.find import Quote, Without
from datasets_app.knowledge.known import Known
from training_app.lm.answer_test import Answer, NotAskedError
from training_app.lm.contract import Grounds
from training_app.lm.grounding import source_of
from training_app.lm.made_up import Told
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


def quote_for(turns: Sequence[Turn], known: Known) -> Quote | None:
    """Return what can be said to the last turn word for word.

    None where nothing is near, and where the nearest answer is about another asker's order.
    """
    quote = known.quote
    if quote is None:
        return None
    sources = [source_of(one.piece) for one in known.found]
    told = Told.of(sources, [turn.text for turn in turns], known)
    return None if told.names_others(quote.text) else quote
