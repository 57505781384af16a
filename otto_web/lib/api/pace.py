"""How fast one token may ask OTTO's own API: so many requests at once, and so many a minute."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

MOST_TOKENS = 10_000  # that are remembered; the ones longest silent are forgotten first


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a request has its turn, how many more may follow at once, and when else."""

    is_granted: bool
    limit: int
    remaining: int
    seconds: int  # until the next one is granted; 0: at once


class Pace:
    """A bucket for each token, which fills again evenly; kept in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}  # what is left, and since when

    def forget(self) -> None:
        """Let every token begin anew."""
        with self._lock:
            self._buckets.clear()

    def take(self, token: int, *, per_minute: int) -> Turn:
        """Take one request out of a token's bucket, if there is one."""
        rate, now = per_minute / 60, time.monotonic()
        with self._lock:
            left, since = self._buckets.pop(token, (float(per_minute), now))
            left = min(float(per_minute), left + (now - since) * rate)
            is_granted = left >= 1
            left -= is_granted
            self._buckets[token] = left, now  # the newest stands last
            while len(self._buckets) > MOST_TOKENS:
                del self._buckets[next(iter(self._buckets))]
        wait = 0 if left >= 1 else math.ceil((1 - left) / rate)
        return Turn(is_granted, per_minute, int(left), wait)


pace = Pace()
