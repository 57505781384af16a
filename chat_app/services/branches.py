"""Other ways through a chat: another answer, an answer gone on with, a branch shown again."""

from __future__ import annotations

import secrets
from dataclasses import replace
from uuid import UUID

from django.db import transaction

from chat_app.events import streams
from chat_app.events.tabs import notify_branch
from chat_app.models import Chat, Generation, Message
from chat_app.models.generation import may_go_on
from chat_app.selectors.branches import end_below
from chat_app.services.chats import AnswerParams, Asked, answer_to_come, locked_chat
from chat_app.serving.errors import ServingError
from chat_app.serving.limits import TEMPERATURE
from chat_app.serving.sampling import SEED_LIMIT
from datasets_app.corpus.conversation import ASSISTANT

GONE = "This answer is not there any more. Reload the page."
WHOLE = "Only an answer that was stopped, interrupted or cut can be gone on with."
OTHER_MODEL = "Another model answers here since this answer was written. Let it answer anew."


def ask_again(answer: Message, params: AnswerParams, *, idem: UUID) -> Asked:
    """Let the same question be answered once more, beside the answers that it has.

    It is drawn anew: neither a fixed seed nor the likeliest words would give another one. Raises
    ServingError like `ask`.
    """
    drawn = params.temperature or TEMPERATURE.usual
    params = replace(params, temperature=drawn, seed=secrets.randbelow(SEED_LIMIT))
    return _begin(answer, params, idem=idem)


def go_on(answer: Message, *, idem: UUID) -> Asked:
    """Go on with an answer that ended too early: a sibling begins with its words.

    With the same settings and the same seed it becomes what it would have been. Raises ServingError
    like `ask`, and where there is nothing to go on with.
    """
    before = answer.generation
    if not may_go_on(before) or not answer.text:
        raise ServingError(WHOLE)
    params = replace(AnswerParams.from_json(before.params), seed=before.seed)
    return _begin(answer, params, idem=idem, before=before)


def _begin(
    answer: Message, params: AnswerParams, *, idem: UUID, before: Generation | None = None
) -> Asked:
    """Commit a sibling of the answer, then wake the engine."""
    asked = _commit(answer, params, idem=idem, before=before)
    streams.wake_engine(asked.generation.pk)
    notify_branch(answer.chat.owner_id, answer.chat_id)
    return asked


@transaction.atomic(durable=True)
def _commit(
    answer: Message, params: AnswerParams, *, idem: UUID, before: Generation | None
) -> Asked:
    chat = locked_chat(answer.chat)
    question = answer.parent
    if question is None:
        raise ServingError(GONE)
    earlier = chat.messages.filter(idem=idem, role=ASSISTANT).select_related("generation").first()
    if earlier:
        return Asked(question, earlier, earlier.generation)
    generation = answer_to_come(chat, params)
    if before is not None and before.model_id != generation.model_id:
        raise ServingError(OTHER_MODEL)
    generation.continues = before
    text = answer.text if before is not None else ""
    made = Message.objects.create(chat=chat, parent=question, role=ASSISTANT, text=text, idem=idem)
    generation.answer = made
    generation.save(force_insert=True)
    chat.shown = made
    chat.save(update_fields=["shown", "updated_at"])
    return Asked(question, made, generation)


def show_branch(chat: Chat, message: Message) -> None:
    """Show the branch in which a message stands, in every tab; models read that one from now on."""
    with transaction.atomic(durable=True):
        locked = locked_chat(chat)
        locked.shown = end_below(message)
        locked.save(update_fields=["shown"])
    chat.shown = locked.shown
    notify_branch(chat.owner_id, chat.pk)
