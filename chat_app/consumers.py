"""The chat socket: one per tab, all its answers multiplexed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import User

from chat_app.models import Chat, Generation, Message
from chat_app.selectors.live import AnswerNow, answer_now, as_uuid
from chat_app.services import chats
from chat_app.serving.errors import ServingError
from chat_app.streams import Overflow, mux
from otto_web.lib.access import Role, has_role

LARGEST_FRAME = 64 * 1024
MOST_UNACKNOWLEDGED = 200
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 5.0  # rows are read this often although the stream is silent
LOOK_DOWN_SECONDS = 1.0
CHECK_SECONDS = 5.0

SIGNED_OUT, ROLE_TOO_LOW, NOT_YOURS, TOO_SLOW, TOO_BIG = 4401, 4403, 4404, 4008, 1009

Body = dict[str, Any]


@database_sync_to_async
def fresh_user(pk: int, session_hash: str) -> User | None:
    """Return the person as the database has them now; None when signed out or deactivated."""
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.get_session_auth_hash() != session_hash:
        return None
    return user


class ChatConsumer(AsyncWebsocketConsumer):
    """Takes commands and sends the frames of the answers that the tab follows.

    No answer lives here: closing the socket ends nothing but the following.
    """

    access_rule = Role.MEMBER

    async def connect(self) -> None:
        self.following: dict[str, asyncio.Task[None]] = {}
        self.acknowledged: dict[str, int] = {}
        self.acknowledged_at: dict[str, float] = {}
        user = self.scope["user"]
        if not isinstance(user, User) or not await database_sync_to_async(has_role)(
            user, Role.MEMBER
        ):
            await self.close()  # before accept: the handshake answers 403 and the page gives up
            return
        self.user, self.session_hash = user, user.get_session_auth_hash()
        await self.accept()
        self.guard = asyncio.create_task(self._guard())

    async def disconnect(self, code: int) -> None:
        tasks = [*self.following.values()]
        if guard := getattr(self, "guard", None):
            tasks.append(guard)
        for task in tasks:
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data) > LARGEST_FRAME:
            await self.close(TOO_BIG)
            return
        body = parsed(text_data)
        command = COMMANDS.get(str(body.get("op")))
        if command is None:
            await self._error(body, "unknown", "This page and the server differ; reload the page.")
        elif await self._may_still():
            await command(self, body)

    async def _may_still(self) -> bool:
        """Check the person against the database; close the socket when they may not be here."""
        user = await fresh_user(self.user.pk, self.session_hash)
        if user is None:
            await self.close(SIGNED_OUT)
            return False
        if not await database_sync_to_async(has_role)(user, Role.MEMBER):
            await self.close(ROLE_TOO_LOW)
            return False
        self.user = user
        return True

    async def _guard(self) -> None:
        """Look at the person's rights again and again, also while they only listen."""
        while await self._may_still():  # noqa: ASYNC110 - the database cannot ring
            await asyncio.sleep(CHECK_SECONDS)

    # Commands ------------------------------------------------------------------------------------
    async def ask(self, body: Body) -> None:
        """{op: send, chat, text, params, idem}"""
        idem, chat = as_uuid(body.get("idem")), await self._find(Chat, body.get("chat"))
        if idem is None or chat is None:
            await self._error(body, "not_found", "This chat is not there any more.")
            return
        try:
            params = chats.AnswerParams(**known_params(body.get("params")))
            text = str(body.get("text", ""))
            asked = await database_sync_to_async(chats.ask)(chat, text, params, idem=idem)
        except (ServingError, TypeError, ValueError) as error:
            await self._error(body, "refused", str(error))
            return
        await self._send(
            t="accepted",
            idem=str(idem),
            gen=str(asked.generation.pk),
            msg=str(asked.answer.pk),
            user_msg=str(asked.question.pk),
        )

    async def follow(self, body: Body) -> None:
        """{op: sub, gen, from: seq}"""
        gen = str(body.get("gen"))
        now = await answer_now(self.user, gen)
        if now is None:
            await self._error(body, "not_found", "This answer is not there any more.")
            return
        after = body.get("from")
        after = after if isinstance(after, int) and after >= 0 else 0
        if task := self.following.pop(gen, None):
            task.cancel()
        self.acknowledged[gen], self.acknowledged_at[gen] = after, time.monotonic()
        self.following[gen] = asyncio.create_task(self._follow(gen, after, now))

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

    async def rate(self, body: Body) -> None:
        """{op: rate, msg, value}"""
        answer = await self._find(Message, body.get("msg"))
        value = body.get("value")
        if answer is None or value not in {-1, 0, 1}:
            await self._error(body, "not_found", "This answer cannot be rated.")
            return
        await database_sync_to_async(chats.rate)(answer, value, by=self.user)
        await self._send(t="rated", msg=str(answer.pk), value=value)

    @database_sync_to_async
    def _find(self, model: type[Any], value: Any) -> Any:
        """Return the row if it belongs to a chat of this person."""
        number = as_uuid(value)
        if number is None:
            return None
        own = Chat.objects.visible_to(self.user).filter(owner=self.user)
        chat_of = {Chat: "pk__in", Message: "chat__in", Generation: "message__chat__in"}
        return model.objects.filter(**{"pk": number, chat_of[model]: own}).first()

    # Frames --------------------------------------------------------------------------------------
    async def _follow(self, gen: str, after: int, now: AnswerNow) -> None:
        """Send an answer's frames until its end; whatever Redis does, the row has the last word."""
        if not now.is_open:
            await self._send_row(gen, now)
            return
        reader = mux()
        subscription = await reader.subscribe(gen, after)
        try:
            while True:
                wait = LOOK_DOWN_SECONDS if reader.is_down else LOOK_SECONDS
                frame = await subscription.next(wait)
                if frame is None:
                    if await self._look_at_row(gen, is_down=reader.is_down):
                        return
                    continue
                await self._send(**frame)
                if frame["t"] == "end":
                    return
                if not await self._is_heard(gen, frame["seq"]):
                    return
        except Overflow:
            await self.follow({"gen": gen, "from": self.acknowledged[gen]})
        finally:
            reader.unsubscribe(subscription)

    async def _look_at_row(self, gen: str, *, is_down: bool) -> bool:
        """Show the row when the stream is silent; True when the answer has ended."""
        now = await answer_now(self.user, gen)
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
            await self.send(text_data=json.dumps(frame, ensure_ascii=False))

    async def _error(self, body: Body, code: str, text: str) -> None:
        about = {name: body[name] for name in ("idem", "gen", "msg") if name in body}
        await self._send(t="error", code=code, text=text, **about)


def parsed(text: str) -> Body:
    """Return the command, or an empty one for what is no JSON object."""
    try:
        body = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def known_params(value: Any) -> Body:
    """Return the settings that this server knows, numbers only."""
    names = {"temperature", "top_k", "top_p", "new_tokens", "seed"}
    given = value if isinstance(value, dict) else {}
    return {
        name: found
        for name, found in given.items()
        if name in names and isinstance(found, int | float) and not isinstance(found, bool)
    }


Command = Callable[[ChatConsumer, Body], Awaitable[None]]
COMMANDS: dict[str, Command] = {
    "send": ChatConsumer.ask,
    "sub": ChatConsumer.follow,
    "stop": ChatConsumer.stop,
    "ack": ChatConsumer.acknowledge,
    "rate": ChatConsumer.rate,
}
