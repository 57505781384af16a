"""Who is next: the more urgent first, then the user who was served longest ago."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from chat_app.serving.requests import ModelKey, Request, Urgency

AGEING_SECONDS = 20.0  # a request this old counts as a class more urgent; chosen by hand

Line = tuple[str, Urgency, ModelKey]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request and when it came, in seconds of the caller's clock."""

    request: Request
    since: float


class FairQueue:
    """Requests in the order in which they should start; not safe for several threads.

    `now` is always in seconds, of one clock that never goes back.
    """

    def __init__(self) -> None:
        self._lines: dict[Line, deque[Waiting]] = {}
        self._served: dict[str, int] = {}
        self._turns = count(1)

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def __iter__(self) -> Iterator[Waiting]:
        return (waiting for line in self._lines.values() for waiting in line)

    def put(self, request: Request, now: float) -> None:
        """Add a request behind the others of its user."""
        line = (request.user, request.urgency, request.model)
        self._lines.setdefault(line, deque()).append(Waiting(request, now))

    def take(self, may_start: Callable[[Request], bool], now: float) -> Waiting | None:
        """Remove and return the next request that may start now, or None."""
        heads = [line[0] for line in self._lines.values()]
        for waiting in sorted(heads, key=lambda head: self._rank(head, now)):
            if may_start(waiting.request):
                self._served[waiting.request.user] = next(self._turns)
                self._discard(waiting)
                return waiting
        return None

    def remove(self, gen: str) -> Waiting | None:
        """Remove and return one request, wherever it stands; None where it is not here."""
        for waiting in self:
            if waiting.request.gen == gen:
                self._discard(waiting)
                return waiting
        return None

    def order(self, now: float) -> list[str]:
        """Return the generations in the order in which they would start if all were alike."""
        copy = FairQueue()
        copy._lines = {line: deque(waiting) for line, waiting in self._lines.items()}
        copy._served = dict(self._served)
        copy._turns = count(max(self._served.values(), default=0) + 1)
        found = []
        while waiting := copy.take(lambda _: True, now):
            found.append(waiting.request.gen)
        return found

    def _rank(self, waiting: Waiting, now: float) -> tuple[int, int, float]:
        aged = int((now - waiting.since) / AGEING_SECONDS)
        urgency = max(0, waiting.request.urgency - aged)
        return urgency, self._served.get(waiting.request.user, 0), waiting.since

    def _discard(self, waiting: Waiting) -> None:
        request = waiting.request
        line = (request.user, request.urgency, request.model)
        self._lines[line].remove(waiting)
        if not self._lines[line]:
            del self._lines[line]
