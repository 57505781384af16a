"""The live line of one run: notifications in, rows and the panel's HTML out."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.template.loader import render_to_string

from otto_web.lib.access import Role, has_role
from otto_web.lib.presence import (
    FORBIDDEN,
    SIGNED_OUT,
    hear_of_person,
    join,
    leave,
    leave_person,
    person_of,
)
from otto_web.lib.tab import TabConsumer, parsed
from training_app.events import run_group
from training_app.models import Run
from training_app.selectors.panel import run_panel
from training_app.selectors.points import Points, points_since

PANEL_SECONDS = 1.0
REJOIN_SECONDS = 30.0
_LARGEST_SEQ = 2**62


class RunConsumer(TabConsumer):
    """Keeps one run's chart and panel fresh in one browser tab; writes nothing."""

    access_rule = Role.TRAINER

    async def connect(self) -> None:
        self.run_id: UUID = self.scope["url_route"]["kwargs"]["run_id"]
        self.seq: int | None = None  # until the tab says what it has, it gets no points
        self.is_over = False
        self.panel_at = 0.0
        self.notified = asyncio.Event()
        self.poll: asyncio.Task[None] | None = None
        if await self._refusal() is not None:
            await self.close()  # before accept: the handshake answers 403, the page does not retry
            return
        await self._join()
        await self.accept()
        self.poll = self.beside(self._keep_fresh())

    async def disconnect(self, code: int) -> None:
        if self.poll is not None:
            self.poll.cancel()
            await leave(self, run_group(self.run_id))
            await leave_person(self, self.scope["user"].pk)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take `{"op": "from", "seq": n}`: the tab has everything up to n."""
        if await self._closed_for_good():
            return
        command = parsed(text_data or "")
        if command.get("op") == "from" and isinstance(command.get("seq"), int):
            self.seq = max(0, min(command["seq"], _LARGEST_SEQ))
            self.panel_at = 0.0
            self.notified.set()

    async def run_changed(self, event: dict[str, Any]) -> None:
        """Hear a notification; it carries no data, so the rows are read."""
        self.notified.set()

    async def person_changed(self, event: dict[str, Any]) -> None:
        """Hear that the person signed out or may do less now."""
        if await self._closed_for_good():
            self.is_over = True

    async def _keep_fresh(self) -> None:
        """Send what changed at each notification, and look without one every few seconds."""
        joined_at = time.monotonic()
        while not self.is_over:
            with suppress(DatabaseError):  # looked at again at the next turn
                if await self._closed_for_good():
                    return
                await self._send_news()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.notified.wait(), settings.OTTO_SOCKET_POLL_SECONDS)
            self.notified.clear()
            if time.monotonic() - joined_at > REJOIN_SECONDS:
                joined_at = time.monotonic()
                await self._join()  # membership lives only in Redis, which may be wiped

    async def _send_news(self) -> None:
        asked_from = self.seq
        points, is_over = await self._read()
        if points is None:
            await self.close(FORBIDDEN)
            return
        if asked_from is not None and asked_from == self.seq:  # else the tab asked anew meanwhile
            if points.rows:
                await self.send(text_data=json.dumps(points.as_frame()))
            self.seq = points.upto
        wait = PANEL_SECONDS - (time.monotonic() - self.panel_at)
        if wait > 0 and not is_over:
            await asyncio.sleep(wait)  # notifications meanwhile are answered by this one panel
        self.panel_at = time.monotonic()
        await self.send(text_data=await self._panel())
        if is_over:
            self.is_over = True
            await self.send(text_data=json.dumps({"t": "over"}))

    async def _join(self) -> None:
        """Hear of run and person; without notifications the tab looks every few seconds."""
        person = hear_of_person(self, self.scope["user"].pk)
        await asyncio.gather(join(self, run_group(self.run_id)), person)

    async def _closed_for_good(self) -> bool:
        """Close the line of somebody who may not look any more."""
        code = await self._refusal()
        if code is not None:
            await self.close(code)
        return code is not None

    @database_sync_to_async
    def _read(self) -> tuple[Points | None, bool]:
        known = _LARGEST_SEQ if self.seq is None else self.seq
        points = points_since(self.run_id, known)
        run = Run.objects.filter(pk=self.run_id).first()
        return points, run is None or run.is_over

    @database_sync_to_async
    def _panel(self) -> str:
        return render_to_string("training/_run_frames.html", {"panel": run_panel(self.run_id)})

    @database_sync_to_async
    def _refusal(self) -> int | None:
        """Return why this tab may not look: read anew from the session and the person's row."""
        user = person_of(self.scope)
        if user is None:
            return SIGNED_OUT
        if not has_role(user, Role.TRAINER):
            return FORBIDDEN
        visible = Run.objects.visible_to(user).filter(pk=self.run_id)
        return None if visible.exists() else FORBIDDEN
