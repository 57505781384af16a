"""Search and replace as work: a step of it from where it stands, for a while or to its end."""

from __future__ import annotations

import time

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Replacement, Step
from datasets_app.services import replacing
from otto_web.lib.hints import hint
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.turns import give_way

TURN_SECONDS = 20.0  # then others may have the worker
PAGE_SECONDS = 1.0  # for what a person waits
STEPS = {
    Step.LOOK: replacing.look_further,
    Step.REPLACE: replacing.replace_further,
    Step.UNDO: replacing.undo_further,
}


def replace_words(order_id: int | str, seconds: float = TURN_SECONDS) -> None:
    """Go on with the step that was ordered; what is not done in this time waits for a worker."""
    end = time.monotonic() + seconds

    def work(order: Replacement, lease: Lease) -> None:
        while STEPS[Step(order.step)](order):
            lease.touch()
            if time.monotonic() > end:
                give_way(order)
                return

    perform(Replacement, order_id, work, refusals=(CorpusError,))


def begin(order: Replacement, rows: int) -> None:
    """Do a step while a person waits for it, or leave it to a worker where it is about many."""
    if rows <= replacing.AT_ONCE:
        replace_words(order.pk, PAGE_SECONDS)
    else:
        hint(Replacement.job, order.pk)
