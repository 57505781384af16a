"""What a socket reads of answers: small async reads, each checked for the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from chat_app.models import Chat, Generation
from chat_app.selectors.answers import figures_of
from chat_app.selectors.branches import path_to, shown_end
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
def answers_after(chat: Chat, known: UUID | None) -> list[UUID] | None:
    """Return the answers that follow the one that a page knows, in the branch that is shown.

    None where that one stands in no such branch any more: the page shows another one.
    """
    end = shown_end(chat)
    path = path_to(end, chat.messages.only("pk", "parent_id", "role"))
    answers = [message.pk for message in path if message.role == ASSISTANT]
    if known is None:
        return answers[-MOST_MISSED:]
    return answers[answers.index(known) + 1 :] if known in answers else None


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
