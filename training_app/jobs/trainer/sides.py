"""One side of a frozen version, as training and evaluation read it."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.conversation import Conversation
from datasets_app.models import Version
from datasets_app.selectors.versions import iter_conversations


class Side:
    """The conversations of a side, streamed anew at each iteration."""

    def __init__(self, version: Version, side: str) -> None:
        self._version, self._side = version, side

    def __iter__(self) -> Iterator[Conversation]:
        return iter_conversations(self._version.pk, self._side)
