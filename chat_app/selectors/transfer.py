"""A chat as a file: JSON that can be brought in again, Markdown to read."""

from __future__ import annotations

import json
from typing import Any

from chat_app.models import Chat, Correction, Message
from chat_app.selectors.chats import transcript
from datasets_app.corpus.conversation import ASSISTANT

FORMAT, EDITION = "otto-chat", 1
LARGEST = 8 * 1024 * 1024  # bytes of a file; larger bodies reach no page
MOST_MESSAGES = 5_000
LIMIT = f"{LARGEST // 1024**2} MB or {MOST_MESSAGES:,} messages"


def as_json(chat: Chat) -> dict[str, Any]:
    """Return the whole chat, every branch of it; parents are named by their place in the list."""
    found = chat.messages.select_related("generation__model").prefetch_related("ratings")
    messages = list(found.order_by("created_at", "pk"))
    places = {message.pk: place for place, message in enumerate(messages)}
    corrects = dict(Correction.objects.filter(message__chat=chat).values_list("written", "message"))
    told = [_told(message, chat, places, corrects.get(message.pk)) for message in messages]
    return {
        "format": FORMAT,
        "version": EDITION,
        "title": chat.title,
        "deployment": chat.deployment_id,
        "system": chat.system,
        "params": chat.params,
        "shown": places.get(chat.shown_id) if chat.shown_id else None,
        "messages": told,
    }


def _told(message: Message, chat: Chat, places: dict[Any, int], corrects: Any) -> dict[str, Any]:
    told = {
        "parent": places.get(message.parent_id),
        "role": message.role,
        "text": message.text,
        "at": message.created_at.isoformat(),
    }
    if message.role == ASSISTANT:
        row = message.generation
        told |= {"model": str(row.model or ""), "finish": row.finish}
        for one in message.ratings.all():
            if one.user_id == chat.owner_id:
                told |= {"rating": one.value, "reasons": one.reasons}
    return told | ({"corrects": places[corrects]} if corrects in places else {})


def file_of(chat: Chat) -> bytes | None:
    """Return the chat as a file in UTF-8; None where no OTTO would bring in so large a one."""
    told = as_json(chat)
    body = (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()
    fits = len(body) <= LARGEST and len(told["messages"]) <= MOST_MESSAGES
    return body if fits else None


def as_markdown(chat: Chat) -> str:
    """Return the branch that is shown, to be read anywhere."""
    parts = [f"# {chat.title or 'Empty chat'}"]
    for exchange in transcript(chat):
        answer = exchange.answer
        parts += ["**You**", exchange.question.text]
        who = "From a file" if answer.is_brought_in else answer.generation.deployment_id
        parts += [f"**{who}** ({answer.words_from})"]
        parts += [answer.message.text]
    return "\n\n".join(parts) + "\n"
