"""Whether a question leads to the text that it was made from, by the words of both."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from datasets_app.knowledge.words import IndexWriter, Words


class OwnTexts:
    """Texts with an index of their words in a folder that is empty and stays as long as this."""

    def __init__(self, folder: Path, texts: Sequence[str]) -> None:
        self._texts = texts
        writer = IndexWriter(folder)
        for number, text in enumerate(texts):
            writer.add(number, [(text, 1.0)])
        writer.finish()
        self._words = Words.open(folder, len(texts))

    def __getitem__(self, place: int) -> str:
        return self._texts[place]

    def __len__(self) -> int:
        return len(self._texts)

    def rank(
        self, question: str, own: int, among: tuple[int, int], beside: Collection[int] = ()
    ) -> int:
        """Return at which place, from 1, the question finds its own text among [start, end).

        Those `beside` it say the same in part, as overlapping pieces do, and are not counted.
        """
        shares = self._words.shares(question)
        better = shares > shares[own]
        better[list(beside)] = False
        return int(np.count_nonzero(better[slice(*among)])) + 1

    def nearest(self, text: str, *, start: int = 0) -> int | None:
        """Return the place, from `start` on, of the text that says most of these words."""
        if start >= len(self._texts):
            return None
        return start + int(self._words.shares(text)[start:].argmax())
