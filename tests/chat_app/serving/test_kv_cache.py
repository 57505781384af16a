from __future__ import annotations

import numpy as np
import psutil

from chat_app.serving.kv_cache import KVCache


def test_a_token_takes_its_own_memory_and_not_that_of_its_row():
    process = psutil.Process()
    cache = KVCache(["0.k", "0.v"], (8, 3, 8192, 64))
    before = process.memory_info().rss
    for buffer in cache.buffers.values():
        buffer[:, :, :4] = 1.0
    taken = process.memory_info().rss - before
    assert taken < 8 << 20, "48 rows of 2 MB each were taken for four tokens"
    assert all(buffer.dtype == np.float32 for buffer in cache.buffers.values())
    assert all(not buffer[:, :, 4:].any() for buffer in cache.buffers.values())
