"""What the chat pages show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils.safestring import SafeString

from chat_app.models import ABSTAINED, QUOTED, Chat, Deployment, Generation, Message
from chat_app.selectors.grounding import (
    SOURCE,
    SUGGESTION,
    ShownSource,
    forgotten_sources,
    shown_sources,
)
from chat_app.selectors.queue import fair_order
from datasets_app.corpus.conversation import USER
from otto_web.lib.markdown import render
from otto_web.lib.models import ProcessBeat, ProcessKind
from otto_web.lib.work.states import State
from training_app.selectors.trained_models import questions_answered_right

CHATS_SHOWN = 40
MOST_SHOWN = 2_000
STARTERS = 3
LONGEST_STARTER = 110
UNSUPPORTED = "not in what it knows"


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """A reply with what is written under it."""

    message: Message
    generation: Generation
    question: str
    rating: int
    place: int

    @property
    def is_open(self) -> bool:
        return self.generation.is_under_way

    @property
    def phase(self) -> str:
        """Say how far an open answer is."""
        if self.generation.state == State.QUEUED:
            return f"queued, place {self.place}" if self.place > 1 else "queued"
        return "writing" if self.message.text else "reading"

    @property
    def wants_another_try(self) -> bool:
        return self.generation.state in {State.INTERRUPTED, State.FAILED}

    @property
    def fresh_idem(self) -> UUID:
        """Return a key for asking the question once more."""
        return uuid4()

    @property
    def ended_at_length(self) -> bool:
        return self.generation.finish == "length"

    @property
    def is_abstention(self) -> bool:
        return str(self.generation.finish) == ABSTAINED

    @property
    def words_from(self) -> str:
        """Return whose words the answer is."""
        if self.is_abstention:
            return "not a model’s words"
        return QUOTED if self.generation.finish == "quoted" else str(self.generation.model)

    @property
    def sources(self) -> list[ShownSource]:
        """Return what it was answered from, nearest first."""
        return shown_sources(self.generation, SOURCE)

    @property
    def forgotten(self) -> int:
        """Return how many of its known answers were deleted since."""
        return forgotten_sources(self.generation)

    @property
    def suggestions(self) -> list[ShownSource]:
        """Return the nearest known questions, where nothing near enough was known."""
        return shown_sources(self.generation, SUGGESTION)

    @property
    def html(self) -> SafeString:
        """Return the finished text as its Markdown says; what stands in nothing known is marked."""
        marks = tuple((start, end) for start, end in self.generation.unsupported)
        return render(self.message.text, marks, UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer."""

    question: Message
    answer: ShownAnswer


@dataclass(frozen=True, slots=True)
class Sidebar:
    """One's own chats, newest first."""

    chats: list[Chat]
    search: str
    more: int  # how many to show next, 0 when all are shown


def sidebar(user: User, *, search: str = "", most: int = CHATS_SHOWN) -> Sidebar:
    """Return the chats whose title or messages hold the words; one query."""
    most = max(CHATS_SHOWN, min(most, MOST_SHOWN))
    found = Chat.objects.visible_to(user).order_by("-updated_at", "-pk")
    for word in search.split()[:8]:
        said = Message.objects.filter(chat=OuterRef("pk"), text__icontains=word)
        found = found.filter(Q(title__icontains=word) | Exists(said))
    chats = list(found[: most + 1])
    more = most + CHATS_SHOWN if len(chats) > most else 0
    return Sidebar(chats[:most], search, more)


def answering_deployments(user: User) -> list[Deployment]:
    """Return the deployments that a new chat may choose; one query."""
    found = Deployment.objects.visible_to(user).answering()
    return list(found.select_related("model", "knowledge__version__dataset").order_by("alias"))


def transcript(chat: Chat) -> list[Exchange]:
    """Return the exchanges of a chat, oldest first; two queries, three while one waits."""
    found = chat.messages.select_related("generation__model", "generation__knowledge__version")
    messages = list(found.prefetch_related("ratings").order_by("created_at", "pk"))
    questions = {message.pk: message for message in messages if message.role == USER}
    answers = [message for message in messages if message.parent_id in questions]
    return [
        Exchange(questions[answer.parent_id], shown(answer, questions[answer.parent_id].text))
        for answer in answers
        if answer.parent_id is not None
    ]


def exchange_of(answer: Message) -> Exchange:
    """Return one answer with its question."""
    if answer.parent is None:
        raise Message.DoesNotExist
    return Exchange(answer.parent, shown(answer, answer.parent.text))


def shown(answer: Message, question: str) -> ShownAnswer:
    row = answer.generation
    owner = answer.chat.owner_id  # what curators think of it stands in the log
    ratings = [rating.value for rating in answer.ratings.all() if rating.user_id == owner]
    order = [pk for pk, _ in fair_order()] if row.state == State.QUEUED else []
    place = order.index(row.pk) + 1 if row.pk in order else 0
    return ShownAnswer(answer, row, question, ratings[0] if ratings else 0, place)


def is_being_answered(exchanges: Iterable[Exchange]) -> bool:
    return any(exchange.answer.is_open for exchange in exchanges)


def starters(deployment: Deployment) -> list[str]:
    """Return first questions: released by a trainer, and answered right by the present model."""
    if not deployment.starters:
        return []
    right = possible_starters(deployment)
    return [question for question in right if question in deployment.starters][:STARTERS]


def possible_starters(deployment: Deployment) -> list[str]:
    """Return the questions that a trainer may release; members must not see them before."""
    right = questions_answered_right(deployment.model) if deployment.model else []
    return [question for question in right if 3 <= len(question) <= LONGEST_STARTER]


def has_engine() -> bool:
    """Say whether an engine process reported itself lately."""
    return ProcessBeat.objects.alive().filter(kind=ProcessKind.ENGINE).exists()


def chat_page(chat: Chat) -> dict[str, Any]:
    """Return what the conversation's side of the page shows."""
    exchanges = transcript(chat)
    return {
        "chat": chat,
        "deployment": chat.deployment,
        "exchanges": exchanges,
        "is_open": is_being_answered(exchanges),
        "has_engine": has_engine(),
        "starters": [] if exchanges else starters(chat.deployment),
    }
