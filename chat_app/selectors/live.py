"""What a socket reads of answers: small async reads, each checked for the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from chat_app.models import Chat, Generation
from chat_app.selectors.answers import figures_of
from datasets_app.corpus.conversation import ASSISTANT
from otto_web.lib.uuids import as_uuid

MOST_MISSED = 50


@dataclass(frozen=True, slots=True)
class AnswerNow:
    """An answer as its row shows it at this moment."""

    text: str
    is_open: bool
    figures: dict[str, Any]


@database_sync_to_async
def answers_after(chat: Chat, known: UUID | None) -> list[UUID]:
    """Return the newest answers of a chat that came after the one that a page knows."""
    answers = chat.messages.filter(role=ASSISTANT).order_by("-created_at", "-pk")
    newest = list(answers.values_list("pk", flat=True)[:MOST_MISSED])
    return newest[: newest.index(known)][::-1] if known in newest else newest[::-1]


@database_sync_to_async
def answer_now(user: User, gen: Any) -> AnswerNow | None:
    """Return the answer, or None for a stranger's and for one that is not there."""
    number = as_uuid(gen)
    if number is None:
        return None
    visible = Chat.objects.visible_to(user)
    found = Generation.objects.select_related("answer").filter(pk=number, answer__chat__in=visible)
    row = found.first()
    if row is None:
        return None
    return AnswerNow(row.answer.text, row.is_under_way, figures_of(row))
