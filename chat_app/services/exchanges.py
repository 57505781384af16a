"""What programs ask: kept, queued, counted and logged as what people ask in chats is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef

from chat_app.events import streams
from chat_app.models import Chat, Deployment, Generation, Kind, LogEntry, Message
from chat_app.services.chat_settings import params_of
from chat_app.services.chats import AnswerParams, refuse_too_many
from chat_app.serving.sampling import SEED_LIMIT
from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.detection.encoding import clean_text
from otto_web.lib.work.states import UNDER_WAY

FORGOTTEN = "(forgotten)"  # titles of exchanges stand on no page
WORDS_KEPT = timedelta(hours=1)  # of what is in no log; streams live as long
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
    """Take the words out of exchanges that ended a while ago and are in no log; figures stay."""
    logged = LogEntry.objects.filter(message__chat=OuterRef("pk"))
    open_ones = Generation.objects.filter(answer__chat=OuterRef("pk"), state__in=UNDER_WAY)
    old = Chat.objects.exclude(kind=Kind.PAGE).filter(updated_at__lt=now - WORDS_KEPT)
    wordy = old.exclude(title=FORGOTTEN).exclude(Exists(logged) | Exists(open_ones))
    return _forget(list(wordy.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]))


@transaction.atomic
def _forget(chats: list[UUID]) -> int:
    Message.objects.filter(chat__in=chats).update(text="")
    answered = Generation.objects.filter(answer__chat__in=chats)
    answered.update(prompt_ids=[], prompt_text="", answer_ids=[], sources=[], unsupported=[])
    return Chat.objects.filter(pk__in=chats).update(system="", given=[], title=FORGOTTEN)
