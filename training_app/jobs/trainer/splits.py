"""One split of a frozen version, as training and evaluation read it."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.conversation import Conversation
from datasets_app.models import Version
from datasets_app.selectors.versions import iter_conversations, iter_rows


class VersionSplit:
    """The conversations of a split, streamed anew at each iteration."""

    def __init__(self, version: Version, split: str) -> None:
        self._version, self._split = version, split

    def __iter__(self) -> Iterator[Conversation]:
        return iter_conversations(self._version.pk, self._split)


class VersionRows:
    """The same with the numbers of their rows, which knowledge knows them by."""

    def __init__(self, version: Version, split: str) -> None:
        self._version, self._split = version, split

    def __iter__(self) -> Iterator[tuple[int, Conversation]]:
        return iter_rows(self._version.pk, self._split)
