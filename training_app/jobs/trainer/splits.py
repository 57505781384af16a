"""One split of a frozen version, as training and evaluation read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from django.db import connections

from datasets_app.corpus.conversation import Conversation
from datasets_app.models import Version
from datasets_app.selectors.versions import iter_conversations, iter_rows


class VersionSplit:
    """The conversations of a split, streamed anew at each iteration."""

    def __init__(self, version: Version, split: str) -> None:
        self._version, self._split = version, split
        self._thread = threading.get_ident()

    def __iter__(self) -> Iterator[Conversation]:
        """Yield them; a library may do it in a thread of its own, whose connection is closed."""
        try:
            yield from iter_conversations(self._version.pk, self._split)
        finally:
            if threading.get_ident() != self._thread:
                connections.close_all()


class VersionRows:
    """The same with the numbers of their rows, which knowledge knows them by."""

    def __init__(self, version: Version, split: str) -> None:
        self._version, self._split = version, split

    def __iter__(self) -> Iterator[tuple[int, Conversation]]:
        return iter_rows(self._version.pk, self._split)
