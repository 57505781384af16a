"""The judge without a model, with what it needs: the dataset's texts, and an encoder if one is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets_app.corpus.judging.consistency import FOUND_AMONG
from datasets_app.corpus.judging.material import Material
from datasets_app.corpus.judging.offline import Judged, judge, speaks_of
from datasets_app.knowledge.encoder import Encoder as LoadedEncoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.own_text import OwnTexts
from datasets_app.models import Dataset, Encoder, Scoring
from datasets_app.selectors.grounds import Ground, grounds_of, texts_of
from datasets_app.selectors.scorings import Rows
from otto_web.lib.cores import usable_cores

AT_ONCE = 25  # as many as are judged anew where a worker is killed


class OfflineJudge:
    """Judges some rows at a time; nothing that it holds is lost with it."""

    at_once = AT_ONCE

    def __init__(self, order: Scoring, folder: Path) -> None:
        dataset: Dataset = order.dataset
        self._known = texts_of(dataset)
        self._texts = OwnTexts(folder, self._known.told)
        self._encoder = _encoder()

    def judged(self, rows: Rows) -> list[tuple[Ground, Judged, float]]:
        """Return what is said of each row, and the seconds that it took."""
        grounds = grounds_of(rows, self._known)
        begun = time.perf_counter()
        placed = [self._placed(one) for one in grounds]
        nearness = self._nearness(placed)
        found = [
            judge(Material(one.question, one.answer, text, rank, near))
            for (one, text, rank), near in zip(placed, nearness, strict=True)
        ]
        each = (time.perf_counter() - begun) / max(1, len(found))
        return [(one, said, each) for one, said in zip(grounds, found, strict=True)]

    def compared_with(self, rows: Rows) -> list[tuple[Ground, str]]:
        """Return each row with the text to compare it with; "" where none is known."""
        return [(one, self._placed(one)[1]) for one in grounds_of(rows, self._known)]

    def _placed(self, one: Ground) -> tuple[Ground, str, int | None]:
        """Return the text to compare with, and at which place the question finds it."""
        if one.text:
            rank = None
            if (place := one.place) is not None:
                rank = self._texts.rank(one.question, place.own, place.among, place.beside)
            return one, one.text, rank
        said = f"{one.question} {one.answer}"
        nearest = self._texts.nearest(said, start=self._known.passages) if one.question else None
        if nearest is None or not speaks_of(self._texts[nearest], one.question):
            return one, "", None
        return one, self._texts[nearest], None

    def _nearness(self, placed: Sequence[tuple[Ground, str, int | None]]) -> list[float | None]:
        """Return how near question and answer are by meaning, where words did not settle it."""
        unsure = [
            n
            for n, (one, text, rank) in enumerate(placed)
            if text and one.question and (rank is None or rank > FOUND_AMONG)
        ]
        found: list[float | None] = [None] * len(placed)
        if self._encoder is None or not unsure:
            return found
        asked = self._encoder.encode([placed[n][0].question for n in unsure])
        said = self._encoder.encode([placed[n][0].answer for n in unsure])
        for n, near in zip(unsure, np.einsum("ij,ij->i", asked, said), strict=True):
            found[n] = float(near)
        return found


def _encoder() -> LoadedEncoder | None:
    row = Encoder.objects.current()
    if row is None:
        return None
    try:
        return LoadedEncoder.open(row.folder, threads=usable_cores())
    except KnowledgeError:  # words alone judge too
        return None
