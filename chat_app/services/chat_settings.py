"""How a chat wants its answers: kept on the chat, used by the next question."""

from __future__ import annotations

from django.db import transaction

from chat_app.models import Chat
from chat_app.services.chats import AnswerParams
from datasets_app.corpus.detection.encoding import clean_text


@transaction.atomic
def store_settings(chat: Chat, params: AnswerParams, *, system: str) -> None:
    """Keep the settings; an answer under way goes on with those it began with."""
    chat.params, chat.system = params.as_json(), clean_text(system).text.strip()
    chat.save(update_fields=["params", "system"])


def params_of(chat: Chat) -> AnswerParams:
    """Return the chat's settings, the standard ones where it has none."""
    return AnswerParams.from_json(chat.params)
