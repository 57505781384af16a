"""Which side a row is on: decided by a hash of its key, so that it never moves again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from datasets_app.corpus.conversation import Conversation

Side = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True)
class Shares:
    """The parts of a dataset kept aside; the rest is for training."""

    valid: float = 0.10
    test: float = 0.05


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A row to deal: what shares `group` shares a side; `side` is the one it already has."""

    key: str
    group: str
    side: Side | None = None


def exact_key(conversation: Conversation) -> str:
    """Return a key equal for conversations that differ in case, spaces and punctuation only."""
    raise NotImplementedError


def deal(rows: Iterable[SplitRow], *, seed: int, shares: Shares) -> dict[str, Side]:
    """Return the side of every row by its key."""
    raise NotImplementedError


def block_groups(count: int, *, document: str, block: int = 20) -> list[str]:
    """Return one group per consecutive piece of a document: blocks of 20, at least two groups."""
    raise NotImplementedError
