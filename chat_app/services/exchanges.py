"""What programs ask: kept, queued, counted and logged as what people ask in chats is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from chat_app.events import streams
from chat_app.models import Chat, Deployment, Generation, Kind, LogEntry, Message
from chat_app.models.generation import forget_prompts
from chat_app.services.chat_settings import params_of
from chat_app.services.chats import AnswerParams, refuse_too_many
from chat_app.serving.sampling import SEED_LIMIT
from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.detection.encoding import clean_text

WORDS_KEPT = timedelta(hours=1)  # from an exchange's end; streams live as long
LOOK_AGAIN = timedelta(minutes=1)  # after an exchange that is still being answered
LOG_LOOK = timedelta(days=1)  # after one that stands in the log
FORGOTTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question of a program, with everything that stands before it."""

    text: str
    kind: Kind = Kind.API
    system: str = ""
    given: tuple[tuple[str, str], ...] = ()  # role and text of the turns before
    wished: tuple[tuple[str, object], ...] = ()  # settings that are not the usual ones
    is_logged: bool = True


@transaction.atomic(durable=True)
def _commit(deployment: Deployment, exchange: Exchange, owner: User) -> Generation:
    refuse_too_many(owner.pk)
    chat = Chat(
        owner=owner,
        deployment=deployment,
        kind=exchange.kind,
        system=_cleaned(exchange.system),
        given=[[role, _cleaned(text)] for role, text in exchange.given],
        params=dict(deployment.params),
        is_logged=exchange.is_logged and exchange.kind == Kind.API,
        forget_at=timezone.now() + WORDS_KEPT,
    )
    params: AnswerParams = params_of(chat, **dict(exchange.wished))
    chat.save(force_insert=True)
    asked = Message.objects.create(chat=chat, role=USER, text=_cleaned(exchange.text))
    answer = Message.objects.create(chat=chat, parent=asked, role=ASSISTANT)
    return Generation.objects.create(
        answer=answer,
        deployment=deployment,
        model=deployment.model,
        export=deployment.export,
        params=params.as_json(),
        seed=secrets.randbelow(SEED_LIMIT) if params.seed is None else params.seed,
    )


def begin(deployment: Deployment, exchange: Exchange, *, owner: User) -> Generation:
    """Commit the exchange and wake the engine.

    Raises BusyError where too many questions of this person are open, ServingError for settings
    outside their bounds.
    """
    generation = _commit(deployment, exchange, owner)
    streams.wake_engine(generation.pk)
    return generation


def _cleaned(text: str) -> str:
    return clean_text(text).text


def forget_words(now: datetime) -> int:
    """Take the words out of exchanges that ended an hour ago; figures stay.

    Of those in a log, question and answer stay: those are looked at again later, since models go,
    and their log entries with them. Returns of how many everything went.
    """
    due = Chat.objects.filter(forget_at__lte=now).order_by("forget_at")
    chats = list(due.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    rows = Generation.objects.filter(answer__chat__in=chats)
    ended = dict(rows.values_list("answer__chat", "finished_at"))
    later = {pk: now + LOOK_AGAIN for pk, at in ended.items() if at is None}
    later |= {pk: at + WORDS_KEPT for pk, at in ended.items() if at and at + WORDS_KEPT > now}
    with transaction.atomic():
        for pk, at in later.items():
            Chat.objects.filter(pk=pk).update(forget_at=at)
        return _forget([pk for pk in chats if pk not in later], now)


def _forget(chats: list[UUID], now: datetime) -> int:
    entries = LogEntry.objects.filter(message__chat__in=chats)
    logged = set(entries.values_list("message__chat", flat=True))
    gone = [pk for pk in chats if pk not in logged]
    forget_prompts(Generation.objects.filter(answer__chat__in=chats))
    Message.objects.filter(chat__in=gone).update(text="")
    answered = Generation.objects.filter(answer__chat__in=gone)
    answered.update(answer_ids=[], sources=[], unsupported=[])
    ended = Chat.objects.filter(pk__in=chats)
    ended.update(system="", given=[], forget_at=now + LOG_LOOK)
    return ended.filter(pk__in=gone).update(forget_at=None)
