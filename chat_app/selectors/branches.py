"""The tree of a chat's messages, and the path through it that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from chat_app.models import Chat, Message

Places = dict[tuple[UUID | None, str], list[UUID]]  # by the message before and the side


@dataclass(frozen=True, slots=True)
class Siblings:
    """Messages that stand in each other's place, oldest first, one of which is shown."""

    ids: Sequence[UUID]
    place: int  # of the shown one, from 1

    @property
    def count(self) -> int:
        return len(self.ids)

    @property
    def previous(self) -> UUID | None:
        return self.ids[self.place - 2] if self.place > 1 else None

    @property
    def following(self) -> UUID | None:
        return self.ids[self.place] if self.place < len(self.ids) else None


def shown_end(chat: Chat) -> Message | None:
    """Return the last message of the branch that is shown; one or two queries."""
    newest = chat.messages.order_by("-created_at", "-pk")
    found: Message | None = newest.filter(pk=chat.shown_id).first() if chat.shown_id else None
    return found or newest.first()


def path_to(end: Message | None, messages: Iterable[Message]) -> list[Message]:
    """Return the messages from the first one to this one; the others are those of its chat."""
    by_key = {message.pk: message for message in messages}
    path = []
    key = end.pk if end else None
    while key is not None:
        path.append(by_key[key])
        key = by_key[key].parent_id
    return path[::-1]


def end_below(message: Message) -> Message:
    """Return where the branch that goes on below a message ends, the newest way down."""
    children: dict[UUID | None, Message] = {}
    for one in Message.objects.filter(chat=message.chat_id).order_by("created_at", "pk"):
        children[one.parent_id] = one
    while message.pk in children:
        message = children[message.pk]
    return message


def places_of(messages: Iterable[Message]) -> Places:
    """Return who stands in each place, in the order of the messages."""
    found: Places = {}
    for one in messages:
        found.setdefault((one.parent_id, one.role), []).append(one.pk)
    return found


def siblings_of(message: Message, places: Places) -> Siblings:
    """Return who stands in a message's place."""
    ids = places[message.parent_id, message.role]
    return Siblings(ids, ids.index(message.pk) + 1)


def family_of(answer: Message, question: Message) -> QuerySet[Any]:
    """Return the siblings of both, oldest first; one query."""
    beside = Q(parent=question.pk) | Q(parent=question.parent_id)
    return Message.objects.filter(beside, chat=answer.chat_id).order_by("created_at", "pk")
