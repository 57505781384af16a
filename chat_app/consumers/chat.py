"""The chat socket: one per tab, all its answers multiplexed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import Error as DatabaseError

from chat_app.consumers.token_stream import Overflow, mux
from chat_app.events.tabs import chats_group
from chat_app.models import Chat, Generation
from chat_app.selectors.live import AnswerNow, answer_now, answers_after
from chat_app.services import chats
from chat_app.services.chat_settings import params_of
from chat_app.serving.errors import ServingError
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
from otto_web.lib.uuids import as_uuid

MOST_UNACKNOWLEDGED = 200
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 5.0  # rows are read this often although the stream is silent
LOOK_DOWN_SECONDS = 1.0
CHECK_SECONDS = 5.0
REJOIN_SECONDS = 30.0
MOST_FOLLOWED = 50
LAST_SEQ = 2**53  # JSON keeps whole numbers exact below this

TOO_SLOW, UNSUPPORTED = 4008, 1003  # the web itself closes with 1009 and 1008

Body = dict[str, Any]


class ChatConsumer(TabConsumer):
    """Takes commands and sends the frames of the answers that the tab follows.

    No answer lives here: closing the socket ends nothing but the following.
    """

    access_rule = Role.MEMBER

    async def connect(self) -> None:
        self.following: dict[str, asyncio.Task[None]] = {}
        self.acknowledged: dict[str, int] = {}
        self.acknowledged_at: dict[str, float] = {}
        self.guard: asyncio.Task[None] | None = None
        if await self._refusal() is not None:
            await self.close()  # before accept: the handshake answers 403 and the page gives up
            return
        await self.accept()
        self.guard = self.beside(self._guard())

    async def disconnect(self, code: int) -> None:
        self._let_go()
        if self.guard is not None:
            self.guard.cancel()
            await leave_person(self, self.user.pk)
            await leave(self, chats_group(self.user.pk))

    def _let_go(self) -> None:
        for task in self.following.values():
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None:
            await self.close(UNSUPPORTED)
            return
        body = parsed(text_data)
        command = COMMANDS.get(str(body.get("op")))
        if command is None:
            await self._error(body, "unknown", "This page and the server differ; reload the page.")
        elif await self._may_still():
            await command(self, body)

    async def _may_still(self) -> bool:
        """Check the person against the database; close the socket when they may not be here."""
        code = await self._refusal()
        if code is not None:
            self._let_go()
            await self.close(code)
        return code is None

    @database_sync_to_async
    def _refusal(self) -> int | None:
        """Return why this person may not be here, read anew from session and rows."""
        user = person_of(self.scope)
        if user is None:
            return SIGNED_OUT
        self.user: User = user
        return None if has_role(user, Role.MEMBER) else FORBIDDEN

    async def person_changed(self, event: Body) -> None:
        """Hear that the person signed out or may do less now."""
        await self._may_still()

    async def chat_asked(self, event: Body) -> None:
        """Hear that the person asked something, here or in another tab."""
        await self._send(t="asked", chat=event["chat"], msg=event["msg"])

    async def chat_branch(self, event: Body) -> None:
        """Hear that another branch of one of the person's chats is shown."""
        await self._send(t="branch", chat=event["chat"])

    async def _guard(self) -> None:
        """Look at the person's rights again and again, also while they only listen."""
        joined_at = float("-inf")
        while True:
            if time.monotonic() - joined_at > REJOIN_SECONDS:
                joined_at = time.monotonic()
                await hear_of_person(self, self.user.pk)
                await join(self, chats_group(self.user.pk))
            with suppress(DatabaseError):  # looked at again in a moment
                if not await self._may_still():
                    return
            await asyncio.sleep(CHECK_SECONDS)

    # Commands ------------------------------------------------------------------------------------
    async def ask(self, body: Body) -> None:
        """{op: send, chat, text, params, idem, after}: behind the last answer that the tab shows"""
        idem, chat = as_uuid(body.get("idem")), await self._find(Chat, body.get("chat"))
        if idem is None or chat is None:
            await self._error(body, "not_found", "This chat is not there any more.")
            return
        try:
            wished = known_params(body.get("params"))
            params = await database_sync_to_async(params_of)(chat, **wished)
            text = str(body.get("text", ""))
            after = as_uuid(body.get("after"))
            ask = partial(chats.ask, chat, text, params, idem=idem, after=after)
            asked = await database_sync_to_async(ask)()
        except ServingError as error:
            await self._error(body, "refused", str(error))
            return
        await self._send(
            t="accepted",
            idem=str(idem),
            gen=str(asked.generation.pk),
            msg=str(asked.answer.pk),
            user_msg=str(asked.question.pk),
        )

    async def look(self, body: Body) -> None:
        """{op: look, chat, after}: notifications may be missed, rows are not"""
        chat = await self._find(Chat, body.get("chat"))
        if chat is None:
            return
        missed = await answers_after(chat, as_uuid(body.get("after")))
        if missed is None:
            await self._send(t="branch", chat=str(chat.pk))
        for answer in missed or ():
            await self._send(t="asked", chat=str(chat.pk), msg=str(answer))

    async def follow(self, body: Body) -> None:
        """{op: sub, gen, from: seq}"""
        gen = str(body.get("gen"))
        now = await answer_now(self.user, gen)
        if now is None:
            await self._error(body, "not_found", "This answer is not there any more.")
            return
        after = body.get("from")
        after = after if isinstance(after, int) and 0 <= after < LAST_SEQ else 0
        if task := self.following.pop(gen, None):
            task.cancel()
        if len(self.following) >= MOST_FOLLOWED:
            await self._error(body, "too_many", "This page follows too many answers at once.")
            return
        self.acknowledged[gen], self.acknowledged_at[gen] = after, time.monotonic()
        task = self.following[gen] = self.beside(self._follow(gen, after, now))
        task.add_done_callback(lambda done: self._forget(gen, done))

    def _forget(self, gen: str, task: asyncio.Task[None]) -> None:
        """Keep nothing of an answer that is followed to its end."""
        if self.following.get(gen) is task:
            del self.following[gen], self.acknowledged[gen], self.acknowledged_at[gen]

    async def stop(self, body: Body) -> None:
        """{op: stop, gen}"""
        found = await self._find(Generation, body.get("gen"))
        if found is not None:
            await database_sync_to_async(chats.request_stop)(found)

    async def acknowledge(self, body: Body) -> None:
        """{op: ack, gen, seq}"""
        gen, seq = str(body.get("gen")), body.get("seq")
        if gen in self.acknowledged and isinstance(seq, int):
            self.acknowledged[gen] = max(self.acknowledged[gen], seq)
            self.acknowledged_at[gen] = time.monotonic()

    @database_sync_to_async
    def _find(self, model: type[Any], value: Any) -> Any:
        """Return the row if it belongs to a chat of this person."""
        number = as_uuid(value)
        if number is None:
            return None
        own = Chat.objects.visible_to(self.user)
        chat_of = {Chat: "pk__in", Generation: "answer__chat__in"}
        return model.objects.filter(**{"pk": number, chat_of[model]: own}).first()

    # Frames --------------------------------------------------------------------------------------
    async def _follow(self, gen: str, after: int, now: AnswerNow) -> None:
        """Send an answer's frames until its end; whatever Redis does, the row has the last word."""
        if not now.is_open:
            await self._send_row(gen, now)
            return
        seq: int | None = after
        while seq is not None:
            seq = await self._tail(gen, seq)

    async def _tail(self, gen: str, seq: int) -> int | None:
        """Send frames from there on; return the last one sent when it must be read again."""
        reader = mux()
        async with reader.following(gen, seq) as frames:
            while True:
                wait = LOOK_DOWN_SECONDS if reader.is_down else LOOK_SECONDS
                try:
                    frame = await frames.next(wait)
                except Overflow:
                    return seq
                if frame is None:
                    if await self._look_at_row(gen, is_down=reader.is_down):
                        return None
                    continue
                await self._send(**frame)
                seq = frame["seq"]
                if frame["t"] == "end" or not await self._is_heard(gen, seq):
                    return None

    async def _look_at_row(self, gen: str, *, is_down: bool) -> bool:
        """Show the row when the stream is silent; True when the answer has ended."""
        try:
            now = await answer_now(self.user, gen)
        except DatabaseError:
            return False  # looked at again in a moment
        if now is None:
            return True
        if is_down or not now.is_open:
            await self._send_row(gen, now)
        return not now.is_open

    async def _send_row(self, gen: str, now: AnswerNow) -> None:
        await self._send(t="snap", gen=gen, seq=0, text=now.text, state=now.figures["state"])
        if not now.is_open:
            await self._send(t="end", gen=gen, seq=0, **now.figures)

    async def _is_heard(self, gen: str, seq: int) -> bool:
        """Wait while too many frames are unacknowledged; close the socket of a dead tab."""
        while seq - self.acknowledged[gen] > MOST_UNACKNOWLEDGED:
            if time.monotonic() - self.acknowledged_at[gen] > PATIENCE_SECONDS:
                await self.close(TOO_SLOW)
                return False
            await asyncio.sleep(0.1)
        return True

    async def _send(self, **frame: Any) -> None:
        with suppress(RuntimeError):  # the tab went while we were writing
            await self.send(text_data=json.dumps(frame))  # ASCII: what is echoed may be no text

    async def _error(self, body: Body, code: str, text: str) -> None:
        about = {name: body[name] for name in ("idem", "gen", "msg") if name in body}
        await self._send(t="error", code=code, text=text, **about)


def known_params(value: Any) -> Body:
    """Return the settings that this server knows, numbers only."""
    names = chats.AnswerParams.__dataclass_fields__
    given = value if isinstance(value, dict) else {}
    return {
        name: found
        for name, found in given.items()
        if name in names and isinstance(found, int | float) and not isinstance(found, bool)
    }


Command = Callable[[ChatConsumer, Body], Awaitable[None]]
COMMANDS: dict[str, Command] = {
    "send": ChatConsumer.ask,
    "look": ChatConsumer.look,
    "sub": ChatConsumer.follow,
    "stop": ChatConsumer.stop,
    "ack": ChatConsumer.acknowledge,
}
