"""Writing a better answer in the place of one: judged at once, kept beside what it corrects."""

from __future__ import annotations

from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from chat_app.events.tabs import notify_branch
from chat_app.models import EDITED, Correction, Generation, Message
from chat_app.selectors.branches import end_below
from chat_app.selectors.corrections import OBJECTS, objections_to
from chat_app.services.chats import cleaned_text, locked_chat
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import ASSISTANT
from otto_web.lib.work.states import State

SAME = "This is what the answer says already. Change its words, then save."
WRITING = "This answer is still being written. Stop it, or wait for it, then correct it."


def correct(answer: Message, text: str, *, by: User, idem: UUID | None = None) -> Correction:
    """Keep a better answer; the chat goes on with it, and the one that it corrects stays.

    The same words under the same `idem` again return what the first ones kept. Raises ServingError
    where nothing is changed, and, with the rule's reason, where a rule would exclude a conversation
    for this answer.
    """
    words = cleaned_text(text)
    if answer.generation.is_under_way:
        raise ServingError(WRITING)
    if words == answer.text:
        raise ServingError(SAME)
    objections, _ = objections_to(answer, words)  # while nobody waits for the chat
    if objections:
        raise ServingError(" ".join(f"{OBJECTS} {one.sentence}" for one in objections))
    return _commit(answer, words, by=by, idem=idem)


@transaction.atomic(durable=True)
def _commit(answer: Message, words: str, *, by: User, idem: UUID | None) -> Correction:
    chat = locked_chat(answer.chat)
    key = uuid5(idem, f"{answer.pk} {words}") if idem else None  # other words are no repetition
    earlier = Correction.objects.filter(written__chat=chat, written__idem=key).first()
    if key and earlier:
        return earlier
    wrong = original_of(answer)
    written = Message.objects.create(
        chat=chat, parent=answer.parent, role=ASSISTANT, text=words, idem=key
    )
    Generation.objects.create(
        answer=written,
        deployment=answer.generation.deployment,
        state=State.SUCCEEDED,
        finish=EDITED,
        finished_at=Now(),
    )
    correction = Correction.objects.create(
        message=wrong,
        author=by,
        written=written,
        text=words,
        model=wrong.generation.model,
        knowledge=wrong.generation.knowledge,
    )
    # What was said after the old words goes on below the better ones: nobody loses sight of it.
    has_more = answer.children.update(parent=written)
    chat.shown = end_below(written) if has_more else written
    chat.save(update_fields=["shown", "updated_at"])
    transaction.on_commit(lambda: notify_branch(chat.owner_id, chat.pk))
    return correction


def original_of(answer: Message) -> Message:
    """Return the model's answer whose words a person's answer corrects; else the answer itself."""
    found = Correction.objects.select_related("message__generation").filter(written=answer).first()
    return found.message if found else answer
