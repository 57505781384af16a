"""Loads files of the server: each is taken like an upload of the same person."""

from __future__ import annotations

import time

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import FolderLoad
from datasets_app.services.folders import load_next
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.turns import give_way

TURN_SECONDS = 20.0  # then others may have the worker


def load_folder(order_id: int | str, seconds: float = TURN_SECONDS) -> None:
    """Take files for a while; one that is half taken is gone on with by the next attempt."""
    end = time.monotonic() + seconds

    def work(order: FolderLoad, lease: Lease) -> None:
        while load_next(order):
            lease.touch()
            if time.monotonic() > end:
                give_way(order)
                return

    perform(FolderLoad, order_id, work, refusals=(CorpusError,))
