"""Keys and values of all rows: plain arrays that the session reads and writes in place."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Views = dict[str, ort.OrtValue]


class KVCache:
    """Holds `slots` rows of `max_len` tokens for every layer; memory is taken when written.

    Every buffer is fp32, (slots, kv_heads, max_len, head_dim): 4 bytes a number.
    """

    def __init__(self, names: Sequence[str], size: tuple[int, int, int, int]) -> None:
        self.slots, _, self.max_len, _ = size  # (slots, kv_heads, max_len, head_dim)
        self.buffers: dict[str, NDArray[Any]] = {name: _paged_zeros(size) for name in names}
        self._views: dict[tuple[int, int], Views] = {}

    def views(self, low: int, high: int) -> Views:
        """Return rows low..high-1 of every buffer as the session wants them, without a copy.

        Each is (high - low, kv_heads, max_len, head_dim). Raises MemoryError where memory is not
        shared.
        """
        if (low, high) not in self._views:
            self._views[low, high] = {
                name: shared_value(buffer[low:high]) for name, buffer in self.buffers.items()
            }
        return self._views[low, high]

    def copy(self, source: int, target: int, length: int) -> None:
        """Make the first `length` tokens of row `target` equal to those of row `source`."""
        for buffer in self.buffers.values():
            buffer[target, :, :length] = buffer[source, :, :length]


def _paged_zeros(size: tuple[int, int, int, int]) -> NDArray[Any]:
    """Return fp32 zeros in pages of 4 kB, each taken when it is written.

    numpy asks the kernel for pages of 2 MB, and one token in each head of each layer takes one: a
    row of 60 buffers with 3 heads and a context of 8,192 took 377 MB for its first word.
    """
    memory = mmap.mmap(-1, 4 * math.prod(size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory, np.float32).reshape(size)


def shared_value(values: NDArray[Any]) -> ort.OrtValue:
    """Return a value of the session that is this very memory; a copy would lose the keys.

    Any shape, () and (rows, steps) alike. Raises MemoryError where onnxruntime made a copy.
    """
    value = ort.OrtValue.ortvalue_from_numpy(values)
    if value.data_ptr() != values.ctypes.data:
        raise MemoryError("onnxruntime copied a buffer that it should share")
    return value
