"""An answer's life in the database: claimed, checkpointed, finished, each under its fence."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Now

from chat_app.events import streams
from chat_app.models import Chat, Deployment, Generation, LogEntry, Message
from chat_app.models.generation import forget_words
from chat_app.selectors.grounding import Ground, Grounding, grounding_of
from chat_app.selectors.queue import fair_order
from chat_app.serving.requests import Finished, FinishReason
from datasets_app.corpus.conversation import SYSTEM, Turn
from datasets_app.models import Knowledge
from otto_web.lib.failpoints import failpoint
from otto_web.lib.patience import each_by_itself
from otto_web.lib.work import claims
from otto_web.lib.work.claims import LostLease
from otto_web.lib.work.states import State

STATE_AFTER: dict[FinishReason, State] = {
    "stop": State.SUCCEEDED,
    "length": State.SUCCEEDED,
    "quoted": State.SUCCEEDED,
    "abstained": State.SUCCEEDED,
    "stopped": State.CANCELLED,
    "interrupted": State.INTERRUPTED,
    "failed": State.FAILED,
}
LOGGED = {"stop", "length", "quoted", "abstained", "stopped"}


@dataclass(frozen=True, slots=True)
class ClaimedAnswer:
    """A claimed answer: what the scheduler needs to write it."""

    generation: Generation
    turns: tuple[Turn, ...]
    grounding: Grounding | None = None


@transaction.atomic(durable=True)
def claim(most: int) -> list[ClaimedAnswer]:
    """Take up to `most` queued answers, everybody in turn; no other engine gets them.

    Who writes, and from what, is what the deployment says now: a model that did not learn to read
    what is known must not be given it.
    """
    wanted = [pk for pk, may_start in fair_order() if may_start][:most]
    queued = Generation.objects.filter(pk__in=wanted, state=State.QUEUED)
    ids = list(queued.select_for_update(skip_locked=True).values_list("pk", flat=True))
    found = Generation.objects.filter(pk__in=ids).order_by("queued_at")
    present = Deployment.objects.filter(pk=OuterRef("deployment"))
    now = {name: Subquery(present.values(name)) for name in ("model", "export", "knowledge")}
    claims.take(found, **now)
    rows = found.select_related(
        *("answer__chat", "model__run", "export", "deployment", "knowledge__encoder"),
        "continues__answer",
    )
    return [ClaimedAnswer(row, history_of(row.answer), grounding_of(row)) for row in rows]


def history_of(answer: Message) -> tuple[Turn, ...]:
    """Return the turns before an answer, the chat's system prompt first, else the model's."""
    chat = answer.chat
    messages = {message.pk: message for message in chat.messages.all()}
    turns: list[Turn] = []
    parent = answer.parent_id
    while parent is not None:
        message = messages[parent]
        if message.text:
            turns.append(Turn(message.role, message.text))
        parent = message.parent_id
    model = answer.generation.model
    prompt = chat.system or (model.system_prompt if model else "")
    system = [Turn(SYSTEM, prompt)] if prompt else []
    given = [Turn(role, text) for role, text in chat.given]
    return (*system, *given, *reversed(turns))


def checkpoint(generation: UUID, fence: int, text: str) -> bool | None:
    """Store the text so far and renew the lease.

    True when somebody asked to stop, False when not, None when the answer is no longer ours.
    """
    row = Generation(pk=generation, fence=fence)
    try:
        with transaction.atomic():
            claims.renew(row)
            Message.objects.filter(generation=generation).update(text=text)
    except LostLease:
        return None
    return wants_stop(row)


def wants_stop(row: Generation) -> bool:
    """Tell whether somebody asked to stop an answer that is ours."""
    return claims.held(row).filter(stop_requested_at__isnull=False).exists()


@transaction.atomic(durable=True)
def finish(
    work: ClaimedAnswer, event: Finished, text: str, ground: Ground, *, cached: int = 0
) -> bool:
    """Write an answer's last state, its figures and its log entry; False when it was taken away.

    `cached` of the prompt's tokens were known from an earlier prompt.
    """
    row = work.generation
    chat = Chat.objects.select_for_update().filter(pk=row.answer.chat_id).first()
    try:
        claims.finish(
            row,
            STATE_AFTER[event.finish_reason],
            finish=event.finish_reason,
            reason=event.code,
            message=event.reason or ground.note,
            sources=ground.sources,
            unsupported=ground.unsupported,
            prompt_ids=list(event.prompt_ids),
            prompt_text=event.prompt_text.replace("\0", "\ufffd"),
            answer_ids=list(event.answer_ids),
            timings={
                **asdict(event.timings),
                "tokens": len(event.answer_ids),
                "prompt_tokens": len(event.prompt_ids),
                "cached_tokens": cached,
            },
            seed=event.seed,
        )
    except LostLease:
        return False
    _forget_gone(row)
    if chat is None:
        return False
    failpoint("generations.finishing")
    row.refresh_from_db()
    Message.objects.filter(pk=row.answer_id).update(text=text)
    if text and event.finish_reason in LOGGED and chat.is_logged:
        _log(row)
    return True


def _log(row: Generation) -> None:
    """Make the log entry, if the deployment logs at this moment."""
    if row.deployment.is_logging:
        LogEntry.objects.get_or_create(
            message_id=row.answer_id,
            defaults={"deployment": row.deployment, "model_id": row.model_id},
        )


@transaction.atomic
def note_start(
    work: ClaimedAnswer, *, dropped_turns: int, sources: Sequence[dict[str, Any]]
) -> None:
    """Store how many old turns did not fit into the prompt, and which sources stand in it."""
    claims.held(work.generation).update(dropped_turns=dropped_turns, sources=list(sources))
    _forget_gone(work.generation)


def _forget_gone(row: Generation) -> None:
    """Keep no words of what was deleted while the answer was written.

    Asked after its row was written: who deletes later waits for that row, and finds the words.
    """
    if row.knowledge_id and not Knowledge.objects.filter(pk=row.knowledge_id).exists():
        forget_words(Generation.objects.filter(pk=row.pk))


def give_back(works: Sequence[ClaimedAnswer], *, is_fault: bool) -> None:
    """Put claimed answers that have no text yet back into the queue.

    After a fault this counts and is not done again and again: one of them may be what the engine
    dies of.
    """
    for work in works:
        if not is_fault or work.generation.attempts < Generation.retry.most:
            with suppress(LostLease):
                _give_back(work.generation, counts=is_fault)


@transaction.atomic
def _give_back(row: Generation, *, counts: bool) -> None:
    claims.give_back(row, counts=counts)
    given = row.continues.answer.text if row.continues else ""  # people have read it before
    if Message.objects.filter(pk=row.answer_id).exclude(text__in=["", given]).exists():
        raise LostLease("Somebody may have read its first words.")


def interrupt_expired() -> None:
    """Mark answers whose engine is gone; what people have seen of them stays."""
    expired = Generation.objects.filter(state=State.RUNNING, lease_until__lt=Now())
    each_by_itself(list(expired.values_list("pk", flat=True)), _interrupt)


@transaction.atomic
def _interrupt(pk: UUID) -> None:
    """End one answer; frames reach tabs before the row, so the row takes over their words."""
    row = claims.seize(Generation.objects.all(), pk)
    if row is None:
        return
    seen = streams.words_sent(pk)
    claims.finish(row, State.INTERRUPTED, finish="interrupted", message=Generation.retry.message)
    message = Message.objects.get(pk=row.answer_id)
    if len(seen) > len(message.text) and seen.startswith(message.text):
        Message.objects.filter(pk=message.pk).update(text=seen)


def settle_stopped_in_queue(**only: UUID) -> int:
    """End queued answers that somebody stopped before an engine took them."""
    queued = Generation.objects.filter(state=State.QUEUED, stop_requested_at__isnull=False)
    return claims.cancel(queued.filter(**only), "stopped", finish="stopped")
