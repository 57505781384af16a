"""Keys and values of prompts read before, so that a chat's next turn reads only what is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chat_app.serving.kv_cache import KVCache

Array = NDArray[Any]

LEAST_TOKENS = 16  # less is read faster than found; chosen by hand
LEAST_TAIL = 2  # a token read alone would get other last bits
DEFAULT_BYTES = 64_000_000  # of one model; chosen by hand


@dataclass(frozen=True, slots=True, eq=False)
class _Prompt:
    user: str
    ids: Array
    parts: dict[str, Array]  # (kv_heads, tokens, head_dim) of every layer

    @property
    def bytes(self) -> int:
        return sum(part.nbytes for part in self.parts.values())


class PrefixCache:
    """Remembers prompts of one model, each for its own user only; only prompt positions.

    What is restored are the very bits that reading would compute again. At most `most_bytes` bytes
    of keys and values are kept; then the longest unused prompt goes.
    """

    def __init__(self, cache: KVCache, tile: int, most_bytes: int = DEFAULT_BYTES) -> None:
        self._cache, self._tile, self._most_bytes = cache, tile, most_bytes
        self._prompts: list[_Prompt] = []  # the longest unused first

    def keep(self, user: str, ids: Sequence[int], slot: int) -> None:
        """Copy a prompt that has just been read into `slot`; it replaces what it begins with."""
        new = np.asarray(ids, np.int64)
        self._prompts = [
            old for old in self._prompts if old.user != user or _common(old.ids, new) < len(old.ids)
        ]
        parts = {
            name: buffer[slot, :, : len(new)].copy() for name, buffer in self._cache.buffers.items()
        }
        self._prompts.append(_Prompt(user, new, parts))
        while sum(prompt.bytes for prompt in self._prompts) > self._most_bytes:
            self._prompts.pop(0)

    def restore(self, user: str, ids: Sequence[int], slot: int) -> int:
        """Fill `slot` with what this user's prompts share with `ids`; return how many tokens.

        It is 0, or LEAST_TOKENS and more, and leaves LEAST_TAIL tokens or more to be read.
        """
        wanted = np.asarray(ids, np.int64)
        own = [prompt for prompt in self._prompts if prompt.user == user]
        best = max(own, key=lambda prompt: _common(prompt.ids, wanted), default=None)
        if best is None:
            return 0
        count = self._whole_steps(min(_common(best.ids, wanted), len(wanted) - LEAST_TAIL))
        if count < LEAST_TOKENS:
            return 0
        for name, part in best.parts.items():
            self._cache.buffers[name][slot, :, :count] = part[:, :count]
        self._prompts.remove(best)
        self._prompts.append(best)
        return count

    def _whole_steps(self, count: int) -> int:
        """Round down so that what is still to be read is cut as it always is."""
        step = self._tile if count >= self._tile else LEAST_TOKENS
        return count - count % step


def _common(first: Array, second: Array) -> int:
    """Return how many tokens both begin with."""
    length = min(len(first), len(second))
    differ = np.flatnonzero(first[:length] != second[:length])
    return int(differ[0]) if len(differ) else length
