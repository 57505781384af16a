"""The log of a run as server-sent events: the last lines at once, then each new one."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404

from otto_web.lib.access import Role
from otto_web.lib.api.endpoints import Call, May, endpoint, resource
from otto_web.lib.api.errors import AGAIN_SECONDS, ApiError
from otto_web.lib.tokens import Scope, is_still_good
from training_app.models import Run
from training_app.selectors.log_reader import LogReader
from training_app.views.api_bodies import LogFollowed

LOOK = May(Scope.READ, Role.TRAINER)

LOOK_SECONDS = 0.5
SILENCE_SECONDS = 15.0  # after which a comment shows that the line still stands
MOST_FOLLOWED = 8  # logs that a token follows at once
_followed: Counter[int] = Counter()  # by token, in this process


@dataclass(slots=True)
class _Numbered:
    """Names each line by its time, so that a reader whose line broke says where it was."""

    _ts: str = ""
    _same: int = 0

    def events(self, lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
        for line in lines:
            ts = _time_of(line)
            if ts is None:
                continue
            self._same = self._same + 1 if ts == self._ts else 0
            self._ts = ts
            yield f"{ts}/{self._same:06d}", line


@endpoint(
    "GET",
    "The log of a run as it grows (server-sent events)",
    may=LOOK,
    media="text/event-stream",
)
async def run_log_stream(call: Call, run_id: UUID, query: LogFollowed) -> HttpResponseBase:
    """Send the last lines, then new ones until the run ends; `Last-Event-ID` goes on after it.

    The last event is named `end` and holds the run's state.
    """
    run = await sync_to_async(_found)(call, run_id)
    if _followed[call.token.pk] >= MOST_FOLLOWED:
        sentence = f"This token follows {MOST_FOLLOWED} logs already. End one of these requests."
        raise ApiError(429, sentence, again=AGAIN_SECONDS)
    last = call.request.headers.get("Last-Event-ID", "")
    answer = StreamingHttpResponse(
        _events(call, run, query, last), content_type="text/event-stream"
    )
    answer["X-Accel-Buffering"] = "no"
    return answer


def _found(call: Call, run_id: UUID) -> Run:
    return get_object_or_404(Run.objects.visible_to(call.user), pk=run_id)


async def _events(call: Call, run: Run, asked: LogFollowed, last: str) -> AsyncIterator[bytes]:
    """Yield the stream; files are read in threads beside the one that all streams share."""
    numbered, reader = _Numbered(), LogReader(run.pk)
    with _counted(call.token.pk):
        begin = await sync_to_async(_first, thread_sensitive=False)(
            numbered, reader, asked.tail, last
        )
        for name, line in begin:
            yield _event(name, line)
        silent = 0.0
        while asked.follow:
            state = await sync_to_async(_state)(call, run.pk)  # before the look: no line is missed
            fresh = await sync_to_async(_fresh, thread_sensitive=False)(numbered, reader)
            for name, line in fresh:
                yield _event(name, line)
            if state is None:
                return
            if state.is_over:
                yield b"event: end\ndata: " + json.dumps({"status": state.state}).encode() + b"\n\n"
                return
            silent = 0.0 if fresh else silent + LOOK_SECONDS
            if silent >= SILENCE_SECONDS:
                silent = 0.0
                yield b": still here\n\n"
            await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def _counted(token: int) -> Iterator[None]:
    _followed[token] += 1
    try:
        yield
    finally:
        _followed[token] -= 1


def _first(numbered: _Numbered, reader: LogReader, tail: int, last: str) -> list[tuple[str, bytes]]:
    """Return what is sent at once: what came after the last line that was seen, or the tail.

    Reads from the end to where another time begins, since lines of one time are numbered.
    """
    seen = last.partition("/")[0]
    lines: deque[bytes] = deque()
    earliest = None
    for line in reader.newest():
        ts = _time_of(line)
        if ts is None:
            continue
        if ts < seen if last else len(lines) >= tail and ts != earliest:
            break
        lines.appendleft(line)
        earliest = ts
    events = list(numbered.events(lines))
    if last:
        return [(name, line) for name, line in events if name > last]
    return events[-tail:] if tail else []


def _fresh(numbered: _Numbered, reader: LogReader) -> list[tuple[str, bytes]]:
    return list(numbered.events(reader.lines()))


def _time_of(line: bytes) -> str | None:
    """Return when a line was written; None for what is no line of ours."""
    try:
        return str(json.loads(line)["ts"])
    except (ValueError, KeyError, TypeError):
        return None


def _state(call: Call, run_id: UUID) -> Run | None:
    """Return the run as it is now; None for whoever may not look any more."""
    try:
        if not is_still_good(call.token, role=LOOK.role):
            return None
        return Run.objects.visible_to(call.user).filter(pk=run_id).first()
    except DatabaseError:
        return None


def _event(name: str, line: bytes) -> bytes:
    return b"id: " + name.encode() + b"\ndata: " + line + b"\n\n"


log_stream = resource(run_log_stream)
