"""How a chat wants its answers: kept on the chat, used by the next question."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from chat_app.models import Chat
from chat_app.services.chats import AnswerParams
from datasets_app.corpus.detection.encoding import clean_text

LONGEST_PROMPT = 4_000  # characters of a chat's system prompt
CHOSEN = ("temperature", "top_p", "top_k", "new_tokens", "seed")  # on the page of a chat


@transaction.atomic
def store_settings(chat: Chat, params: AnswerParams, *, system: str) -> None:
    """Keep the settings that are not the usual ones anyway.

    An answer under way goes on with those it began with.
    """
    usual = AnswerParams.from_json(_usual(chat)).as_json()
    chosen = params.as_json().items()
    chat.params = {name: value for name, value in chosen if value != usual[name]}
    chat.system = clean_text(system).text.strip()
    chat.save(update_fields=["params", "system"])


def params_of(chat: Chat, **wished: Any) -> AnswerParams:
    """Return what is wished for one question, else the chat's settings, else the usual ones."""
    return AnswerParams.from_json({**_usual(chat), **chat.params, **wished})


def _usual(chat: Chat) -> dict[str, Any]:
    """Return where the usual settings are others than elsewhere.

    Where answers come from what is known the likeliest word is usual: facts are not drawn by lot,
    and the answer test measures a model so.
    """
    return {"temperature": 0.0} if chat.deployment.knowledge_id else {}
