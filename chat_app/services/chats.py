"""What people do in chats: ask, stop, rate, rename, keep out of the log, delete."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from chat_app.events import streams
from chat_app.events.tabs import notify_asked, notify_branch
from chat_app.models import (
    Chat,
    Deployment,
    Generation,
    LogEntry,
    Message,
    Rating,
)
from chat_app.models.rating import REASONS
from chat_app.selectors.answers import figures_of
from chat_app.selectors.branches import shown_end
from chat_app.services import generations
from chat_app.serving.errors import BusyError, ServingError
from chat_app.serving.limits import (
    FREQUENCY_PENALTY,
    MIN_P,
    NEW_TOKENS,
    PRESENCE_PENALTY,
    REPETITION_PENALTY,
    SAMPLING,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    check_biases,
    check_stop,
)
from chat_app.serving.sampling import SEED_LIMIT, Sampling
from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.detection.encoding import clean_text
from otto_web.lib import audit
from otto_web.lib.work.states import UNDER_WAY, State

log = logging.getLogger(__name__)
LONGEST_MESSAGE = 20_000
TITLE_WORDS = 8
MOST_WAITING = 10  # of one person's questions, in all chats
RATING_VALUES = {"up": 1, "down": -1, "none": 0}


@dataclass(frozen=True, slots=True)
class AnswerParams:
    """How the asker wants the answer; checked by the sampler's own bounds."""

    temperature: float = TEMPERATURE.usual
    top_k: int = TOP_K.usual
    top_p: float = TOP_P.usual
    min_p: float = MIN_P.usual
    repetition_penalty: float = REPETITION_PENALTY.usual
    frequency_penalty: float = FREQUENCY_PENALTY.usual
    presence_penalty: float = PRESENCE_PENALTY.usual
    new_tokens: int = NEW_TOKENS.usual
    seed: int | None = None
    stop: Sequence[str] = ()
    logit_bias: Mapping[str, float] = field(default_factory=dict)  # JSON knows no numbers as keys

    def __post_init__(self) -> None:
        for name in ("top_k", "new_tokens", "seed"):
            if not isinstance(getattr(self, name), int | None):
                raise ServingError(f"{name} must be a whole number.")
        check_stop(self.stop)
        check_biases(self.logit_bias)
        self.sampling()
        if not NEW_TOKENS.low <= self.new_tokens <= NEW_TOKENS.high:
            raise ServingError(
                f"The length must lie between {NEW_TOKENS.low} and {NEW_TOKENS.high:,} tokens."
            )
        if self.seed is not None and not 0 <= self.seed < SEED_LIMIT:
            raise ServingError(f"The seed must be a whole number from 0 to {SEED_LIMIT - 1}.")

    def sampling(self) -> Sampling:
        """Return how the engine draws. Raises ServingError outside the bounds."""
        biases = {int(token): bias for token, bias in self.logit_bias.items()}
        return Sampling(**{name: getattr(self, name) for name in SAMPLING}, logit_bias=biases)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> AnswerParams:
        """Return what is stored, the usual value for what is not."""
        names = cls.__dataclass_fields__
        return cls(**{name: value for name, value in stored.items() if name in names})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is committed, with the answer to come."""

    question: Message
    answer: Message
    generation: Generation
    begins_branch: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a question is to stand in the chat’s tree."""

    instead_of: Message | None
    after: UUID | None


@transaction.atomic
def open_chat(deployment: Deployment, *, owner: User) -> Chat:
    """Start an empty chat with a deployment."""
    chat = Chat(owner=owner, deployment=deployment, params=dict(deployment.params))
    chat.full_clean(exclude=["params"])
    chat.save(force_insert=True)
    return chat


def ask(
    chat: Chat,
    text: str,
    params: AnswerParams,
    *,
    idem: UUID,
    instead_of: Message | None = None,
    after: UUID | None = None,
) -> Asked:
    """Commit the question and its empty answer, then wake the engine.

    It follows the answer that the asker saw last, `after`; where that is not told, the end of the
    branch that is shown; or it begins a branch beside the question that it stands `instead_of`.
    The branch in which it stands is shown from then on. The same question under the same `idem`
    again returns what the first one committed. Raises ServingError with a sentence when there is
    nothing to ask, nobody to answer, or an answer is still being written.
    """
    place = _Place(instead_of, after)
    asked = _commit(chat, text, params, idem=idem, place=place)
    streams.wake_engine(asked.generation.pk)
    if asked.begins_branch:
        notify_branch(chat.owner_id, chat.pk)
    else:
        notify_asked(chat.owner_id, chat.pk, asked.answer.pk)
    return asked


def locked_chat(chat: Chat) -> Chat:
    """Return the chat, which nobody else changes until the transaction ends."""
    locked: Chat | None = Chat.objects.select_for_update().filter(pk=chat.pk).first()
    if locked is None:
        raise ServingError("This chat was deleted meanwhile.")
    return locked


@transaction.atomic(durable=True)
def _commit(chat: Chat, text: str, params: AnswerParams, *, idem: UUID, place: _Place) -> Asked:
    locked = locked_chat(chat)
    question = cleaned_text(text)
    earlier = Message.objects.filter(chat=locked, idem=idem).first()
    if earlier and earlier.text != question:  # a page went back and asks something else
        idem = uuid5(idem, question)
        earlier = Message.objects.filter(chat=locked, idem=idem).first()
    if earlier:
        return _asked_before(earlier)
    generation = answer_to_come(locked, params)
    return _write_rows(locked, generation, question, idem, place=place)


def answer_to_come(chat: Chat, params: AnswerParams) -> Generation:
    """Return the work on one more answer of a locked chat, not saved yet; it lacks its message.

    Raises ServingError where nobody answers, one is being written here, or too many wait.
    """
    deployment = Deployment.objects.select_related("model", "export").get(pk=chat.deployment_id)
    if not deployment.is_answering:
        raise ServingError("No model answers here yet. A trainer can deploy one.")
    _refuse_second(chat)
    refuse_too_many(chat.owner_id)
    return Generation(
        deployment=deployment,
        model=deployment.model,
        export=deployment.export,
        params=params.as_json(),
        seed=secrets.randbelow(SEED_LIMIT) if params.seed is None else params.seed,
    )


def _refuse_second(chat: Chat) -> None:
    """Keep one answer per chat."""
    if Generation.objects.filter(answer__chat=chat, state__in=UNDER_WAY).exists():
        raise ServingError("The previous answer is still being written. Stop it, or wait for it.")


def refuse_too_many(person: int) -> None:
    """Keep a bounded number per person, page and API together: others wait for them too.

    Call it inside a transaction. Raises BusyError.
    """
    User.objects.select_for_update(no_key=True).get(pk=person)  # questions count one by one
    waiting = Generation.objects.filter(answer__chat__owner=person, state__in=UNDER_WAY)
    if waiting.count() >= MOST_WAITING:
        raise BusyError(
            f"{MOST_WAITING} of your questions wait for an answer already, in chats and in the API "
            "together. Wait for one of them, or stop it, then ask again."
        )


def _parent_of(place: _Place, chat: Chat) -> Message | None:
    if place.instead_of is not None:
        return place.instead_of.parent
    if place.after is None:
        return shown_end(chat)
    seen: Message | None = chat.messages.filter(pk=place.after, role=ASSISTANT).first()
    if seen is None:
        raise ServingError("This page shows what is not there any more. Reload it, then ask again.")
    return seen


def _write_rows(
    chat: Chat, generation: Generation, question: str, idem: UUID, *, place: _Place
) -> Asked:
    parent = _parent_of(place, chat)
    begins_branch = parent != shown_end(chat)
    asked = Message.objects.create(chat=chat, parent=parent, role=USER, text=question, idem=idem)
    answer = Message.objects.create(chat=chat, parent=asked, role=ASSISTANT)
    generation.answer = answer
    generation.save(force_insert=True)
    chat.title = chat.title or " ".join(question.split()[:TITLE_WORDS])[:200]
    chat.shown = answer
    chat.save(update_fields=["title", "shown", "updated_at"])
    return Asked(asked, answer, generation, begins_branch)


def _asked_before(question: Message) -> Asked:
    answers = question.children.filter(role=ASSISTANT).select_related("generation")
    answer = answers.earliest("created_at")
    return Asked(question, answer, answer.generation)


def cleaned_text(text: str) -> str:
    """Return what somebody wrote, ready to be kept. Raises ServingError where that is nothing."""
    cleaned = clean_text(text).text.strip()
    if not cleaned:
        raise ServingError("There is nothing to send. Write a message first.")
    if len(cleaned) > LONGEST_MESSAGE:
        raise ServingError(
            f"The message has {len(cleaned):,} characters; {LONGEST_MESSAGE:,} are allowed. "
            "Send it in parts."
        )
    return cleaned


def request_stop(generation: Generation) -> None:
    """Ask for the end of an answer; what is written so far stays, what waits ends at once."""
    open_now = Generation.objects.filter(pk=generation.pk, state__in=UNDER_WAY)
    open_now.filter(stop_requested_at=None).update(stop_requested_at=Now())
    if generations.settle_stopped_in_queue(pk=generation.pk):
        generation.refresh_from_db()
        streams.send_end(generation.pk, figures_of(generation))
    else:
        streams.wake_engine(generation.pk, stop=True)


@transaction.atomic
def rate(answer: Message, value: int, *, by: User) -> Rating | None:
    """Store what a person thinks of an answer; 0 takes the rating back."""
    if answer.role != ASSISTANT or value not in {-1, 0, 1}:
        raise ServingError("Only answers can be rated, with thumb up or down.")
    if value == 0:
        Rating.objects.filter(message=answer, user=by).delete()
        return None
    rating, _ = Rating.objects.update_or_create(
        message=answer, user=by, defaults={"value": value, "reasons": []}
    )
    return rating


@transaction.atomic
def toggle_reason(answer: Message, reason: str, *, by: User) -> Rating:
    """Add a reason why an answer is bad, or take it back; with a reason it is bad."""
    if answer.role != ASSISTANT or reason not in REASONS:
        raise ServingError("Choose one of the reasons below the answer.")
    rating, _ = Rating.objects.select_for_update().get_or_create(
        message=answer, user=by, defaults={"value": -1}
    )
    given = set(rating.reasons) ^ {reason} if rating.value == -1 else {reason}
    rating.value, rating.reasons = -1, [name for name in REASONS if name in given]
    rating.save(update_fields=["value", "reasons", "updated_at"])
    return rating


@transaction.atomic
def rename(chat: Chat, title: str) -> None:
    Chat.objects.filter(pk=chat.pk).update(title=clean_text(title).text.strip()[:200])


@transaction.atomic
def set_logged(chat: Chat, *, is_logged: bool) -> None:
    """Let curators read the chat's single exchanges, or take them all out of the log."""
    Chat.objects.filter(pk=chat.pk).update(is_logged=is_logged)
    if not is_logged:
        LogEntry.objects.filter(message__chat=chat).delete()


@transaction.atomic
def delete_chat(chat: Chat, *, by: User) -> None:
    """Remove the chat with its messages and log entries; the person's words are gone."""
    Chat.objects.select_for_update().filter(pk=chat.pk).first()  # no answer ends while it goes
    audit.record(by, "delete", chat)
    running = Generation.objects.filter(answer__chat=chat, state=State.RUNNING)
    for pk in running.values_list("pk", flat=True):
        transaction.on_commit(partial(streams.wake_engine, pk, stop=True))
    chat.delete()
