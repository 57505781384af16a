"""An answer's life in the database: claimed, checkpointed, finished, each under its fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from chat_app import streams_out
from chat_app.models import Chat, Generation, GenerationState, LogEntry, Message
from chat_app.selectors.queue import fair_order
from chat_app.serving.requests import Finished, FinishReason
from datasets_app.corpus.conversation import SYSTEM, Turn
from otto_web.lib.failpoints import failpoint

STATE_AFTER: dict[FinishReason, GenerationState] = {
    "stop": GenerationState.DONE,
    "length": GenerationState.DONE,
    "stopped": GenerationState.STOPPED,
    "interrupted": GenerationState.INTERRUPTED,
    "failed": GenerationState.FAILED,
}
LOGGED = {"stop", "length", "stopped"}
MOST_CLAIMS = 3


@dataclass(frozen=True, slots=True)
class ClaimedAnswer:
    """A claimed answer: what the scheduler needs to write it."""

    generation: Generation
    turns: tuple[Turn, ...]


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.OTTO_GENERATION_LEASE_SECONDS)


@transaction.atomic(durable=True)
def claim(most: int) -> list[ClaimedAnswer]:
    """Take up to `most` queued answers, everybody in turn; no other engine gets them."""
    wanted = [pk for pk, may_start in fair_order() if may_start][:most]
    queued = Generation.objects.filter(pk__in=wanted, state=GenerationState.QUEUED)
    ids = list(queued.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Generation.objects.filter(pk__in=ids).update(
        state=GenerationState.RUNNING, fence=F("fence") + 1, lease_until=_lease_end()
    )
    found = Generation.objects.filter(pk__in=ids).order_by("created_at")
    rows = found.select_related("message__chat", "model", "export", "deployment")
    return [ClaimedAnswer(row, history_of(row.message)) for row in rows]


def history_of(answer: Message) -> tuple[Turn, ...]:
    """Return the turns before an answer, the chat's system prompt first."""
    chat = answer.chat
    messages = {message.pk: message for message in chat.messages.all()}
    turns: list[Turn] = []
    parent = answer.parent_id
    while parent is not None:
        message = messages[parent]
        if message.text:
            turns.append(Turn(message.role, message.text))
        parent = message.parent_id
    system = [Turn(SYSTEM, chat.system)] if chat.system else []
    return (*system, *reversed(turns))


def checkpoint(generation: UUID, fence: int, text: str) -> bool | None:
    """Store the text so far and renew the lease.

    True when somebody asked to stop, False when not, None when the answer is no longer ours.
    """
    owned = Generation.objects.filter(pk=generation, fence=fence, state=GenerationState.RUNNING)
    with transaction.atomic():
        if not owned.update(lease_until=_lease_end()):
            return None
        Message.objects.filter(generation=generation).update(text=text)
    return owned.filter(stop_requested_at__isnull=False).exists()


@transaction.atomic(durable=True)
def finish(work: ClaimedAnswer, event: Finished, text: str) -> bool:
    """Write an answer's last state, its figures and its log entry; False when it was taken away."""
    row = work.generation
    chat = Chat.objects.select_for_update().filter(pk=row.message.chat_id).first()
    owned = Generation.objects.filter(pk=row.pk, fence=row.fence, state=GenerationState.RUNNING)
    changed = owned.update(
        state=STATE_AFTER[event.finish_reason],
        finish=event.finish_reason,
        reason=event.reason,
        prompt_ids=list(event.prompt_ids),
        answer_ids=list(event.answer_ids),
        timings={**asdict(event.timings), "tokens": len(event.answer_ids)},
        seed=event.seed,
        finished_at=Now(),
        lease_until=None,
    )
    if not changed or chat is None:
        return False
    failpoint("generations.finishing")
    row.refresh_from_db()
    Message.objects.filter(pk=row.message_id).update(text=text)
    if text and event.finish_reason in LOGGED and chat.is_logged:
        _log(row)
    return True


def _log(row: Generation) -> None:
    """Make the log entry, if the deployment logs at this moment."""
    if row.deployment.is_logging:
        LogEntry.objects.get_or_create(
            message_id=row.message_id,
            defaults={"deployment": row.deployment, "model_id": row.model_id},
        )


def note_start(work: ClaimedAnswer, *, dropped_turns: int) -> None:
    """Store how many old turns did not fit into the prompt."""
    row = work.generation
    owned = Generation.objects.filter(pk=row.pk, fence=row.fence)
    owned.update(dropped_turns=dropped_turns)


def give_back(works: Sequence[ClaimedAnswer]) -> None:
    """Put claimed answers that have no text yet back into the queue, but not again and again:

    one of them may be what the engine dies of.
    """
    for work in works:
        row = work.generation
        owned = Generation.objects.filter(pk=row.pk, fence=row.fence, message__text="")
        owned.filter(state=GenerationState.RUNNING, fence__lt=MOST_CLAIMS).update(
            state=GenerationState.QUEUED, lease_until=None
        )


@transaction.atomic
def interrupt_expired() -> int:
    """Mark answers whose engine is gone; what people have seen of them stays."""
    expired = Generation.objects.filter(state=GenerationState.RUNNING, lease_until__lt=Now())
    return sum(
        _interrupt(expired.filter(pk=pk)) for pk in list(expired.values_list("pk", flat=True))
    )


def _interrupt(expired: QuerySet[Generation]) -> int:
    """End one answer; frames reach tabs before the row, so the row takes over their words."""
    row = expired.first()
    if row is None:
        return 0
    seen = streams_out.words_sent(row.pk)
    with transaction.atomic():
        changed = expired.update(
            state=GenerationState.INTERRUPTED,
            finish="interrupted",
            reason="The engine stopped while this answer was written.",
            finished_at=Now(),
            fence=F("fence") + 1,
        )
        message = Message.objects.get(pk=row.message_id)
        if changed and len(seen) > len(message.text) and seen.startswith(message.text):
            Message.objects.filter(pk=message.pk).update(text=seen)
    return changed


def settle_stopped_in_queue(**only: UUID) -> int:
    """End queued answers that somebody stopped before an engine took them."""
    unwanted = Generation.objects.filter(
        state=GenerationState.QUEUED, stop_requested_at__isnull=False, **only
    )
    return unwanted.update(
        state=GenerationState.STOPPED, finish="stopped", finished_at=Now(), lease_until=None
    )
