"""What the chat pages show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.safestring import SafeString

from chat_app.models import (
    ABSTAINED,
    EDITED,
    QUOTED,
    Chat,
    Deployment,
    Generation,
    Message,
    Rating,
)
from chat_app.models.generation import may_go_on
from chat_app.models.rating import REASONS
from chat_app.selectors.branches import Places, Siblings, family_of, path_to, places_of, siblings_of
from chat_app.selectors.grounding import (
    SOURCE,
    SUGGESTION,
    ShownSource,
    forgotten_sources,
    shown_sources,
)
from chat_app.selectors.queue import fair_order
from datasets_app.corpus.conversation import USER
from datasets_app.selectors.versions import iter_conversations
from otto_web.lib.markdown import render
from otto_web.lib.models import ProcessBeat, ProcessKind
from otto_web.lib.work.states import State
from training_app.selectors.trained_models import questions_answered_right

CHATS_SHOWN = 40
MOST_SHOWN = 2_000
SHARED_SHOWN = 20
SHARED_READ = 100  # newest ones of others that hold the words anywhere
STARTERS = 3
STARTERS_OFFERED = 30  # rows of quoted answers whose questions a trainer chooses from
LONGEST_STARTER = 110
LONGEST_SUGGESTED = 2_000  # characters: addresses have an end
WITH_ANSWERS = (
    *("generation__model", "generation__knowledge__version", "generation__deployment"),
    "corrects__message__generation__knowledge__version",
)
"""What is read along with the messages that are shown."""
UNSUPPORTED = "not in what it knows"


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """A reply with what is written under it."""

    message: Message
    generation: Generation
    question: str
    rated: Rating | None
    place: int
    siblings: Siblings
    is_answering: bool = True  # whether anybody could answer anew

    @property
    def rating(self) -> int:
        return self.rated.value if self.rated else 0

    @property
    def reasons_to_choose(self) -> list[tuple[str, str, bool]]:
        """Return why it may be bad: name, words, and whether that was said."""
        given = self.rated.reasons if self.rated else []
        return [(name, words, name in given) for name, words in REASONS.items()]

    @property
    def known_row(self) -> ShownSource | None:
        """Return the known answer from which the answer came that these words correct."""
        correction = getattr(self.message, "corrects", None) if self.is_edited else None
        found = shown_sources(correction.message.generation, SOURCE) if correction else []
        return found[0] if found and found[0].dataset_id else None

    @property
    def as_suggested(self) -> str:
        """Return the query with which the page of the row begins with these words."""
        text = self.message.text
        return f"?{urlencode({'answer': text})}" if len(text) <= LONGEST_SUGGESTED else ""

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
        """Return a key for what is asked or written once."""
        return uuid4()

    @property
    def ended_at_length(self) -> bool:
        return self.generation.finish == "length"

    @property
    def may_be_drawn_again(self) -> bool:
        """Return whether the same question may get another answer: what is quoted never does."""
        row = self.generation
        return self.is_answering and not (row.is_under_way or row.deployment.is_quoting)

    @property
    def may_go_on(self) -> bool:
        """Return whether the model that wrote it could write the rest."""
        row = self.generation
        is_there = row.model_id == row.deployment.model_id and bool(self.message.text)
        return self.may_be_drawn_again and is_there and may_go_on(row)

    @property
    def is_edited(self) -> bool:
        return str(self.generation.finish) == EDITED

    @property
    def is_abstention(self) -> bool:
        return str(self.generation.finish) == ABSTAINED

    @property
    def words_from(self) -> str:
        """Return whose words the answer is; of one that was brought in, its file says that."""
        said = self._words_from
        return f"brought in from a file, which says: {said}" if self.is_brought_in else said

    @property
    def is_brought_in(self) -> bool:
        return self.generation.brought_in_at is not None

    @property
    def _words_from(self) -> str:
        if self.is_abstention:
            return "not a model’s words"
        if self.is_edited:
            return "a person’s words"
        if self.generation.finish == "quoted":
            return QUOTED
        return str(self.generation.model or "a model that is not here")

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
    siblings: Siblings  # of the question

    @property
    def fresh_idem(self) -> UUID:
        """Return a key for asking something else instead."""
        return uuid4()


@dataclass(frozen=True, slots=True)
class Sidebar:
    """One's own chats, those pinned first, then newest first, and what others share."""

    chats: list[Chat]
    shared: list[Chat]
    search: str
    more: int  # how many to show next, 0 when all are shown


def sidebar(user: User, *, search: str = "", most: int = CHATS_SHOWN) -> Sidebar:
    """Return the chats whose title or messages hold the words; two queries, three for words.

    Of other people’s chats only what they show is searched: no branch that is hidden there.
    """
    most = max(CHATS_SHOWN, min(most, MOST_SHOWN))
    own = _holding(Chat.objects.visible_to(user), search)
    pinned_first = F("pinned_at").desc(nulls_last=True)
    chats = list(own.order_by(pinned_first, "-updated_at", "-pk")[: most + 1])
    more = most + CHATS_SHOWN if len(chats) > most else 0
    others = _holding(Chat.objects.shared_with(user).exclude(owner=user), search)
    others = others.select_related("owner").order_by("-updated_at", "-pk")
    shared = _showing(others[:SHARED_READ], search) if search.split() else others
    return Sidebar(chats[:most], list(shared[:SHARED_SHOWN]), search, more)


def _holding(chats: QuerySet[Any], search: str) -> QuerySet[Any]:
    for word in _words(search):
        said = Message.objects.filter(chat=OuterRef("pk"), text__icontains=word)
        chats = chats.filter(Q(title__icontains=word) | Exists(said))
    return chats


def _words(search: str) -> list[str]:
    return search.split()[:8]


def _showing(chats: Iterable[Chat], search: str) -> list[Chat]:
    """Return those whose title or shown branch hold the words; two queries."""
    there = list(chats)
    messages: dict[UUID, list[Message]] = {chat.pk: [] for chat in there}
    found = Message.objects.filter(chat__in=there).order_by("created_at", "pk")
    for message in found.only("pk", "chat_id", "parent_id", "text"):
        messages[message.chat_id].append(message)

    def holds(chat: Chat) -> bool:
        shown = [chat.title, *(one.text for one in _shown_path(chat, messages[chat.pk]))]
        text = "\n".join(shown).casefold()
        return all(word.casefold() in text for word in _words(search))

    return [chat for chat in there if holds(chat)]


def _shown_path(chat: Chat, messages: list[Message]) -> list[Message]:
    """Return the branch that is shown, of a chat’s messages in their order."""
    ends = [message for message in messages if message.pk == chat.shown_id] or messages[-1:]
    return path_to(ends[0] if ends else None, messages)


def answering_deployments(user: User) -> list[Deployment]:
    """Return the deployments that a new chat may choose; one query."""
    found = Deployment.objects.visible_to(user).answering()
    return list(found.select_related("model", "knowledge__version__dataset").order_by("alias"))


def transcript(chat: Chat) -> list[Exchange]:
    """Return the exchanges of the branch that is shown; two queries, three while one waits."""
    found = chat.messages.select_related(*WITH_ANSWERS)
    messages = list(found.prefetch_related("ratings").order_by("created_at", "pk"))
    path = _shown_path(chat, messages)
    questions = {message.pk: message for message in path if message.role == USER}
    places = places_of(messages)
    return [
        _exchange(questions[answer.parent_id], answer, places, chat.deployment)
        for answer in path
        if answer.parent_id in questions
    ]


def exchange_of(answer: Message) -> Exchange:
    """Return one answer with its question."""
    if answer.parent is None:
        raise Message.DoesNotExist
    places = places_of(family_of(answer, answer.parent))
    return _exchange(answer.parent, answer, places, answer.chat.deployment)


def _exchange(
    question: Message, answer: Message, places: Places, deployment: Deployment
) -> Exchange:
    beside = siblings_of(answer, places)
    shown = shown_answer(answer, question.text, beside, is_answering=deployment.is_answering)
    return Exchange(question, shown, siblings_of(question, places))


def shown_answer(
    answer: Message, question: str, siblings: Siblings, *, is_answering: bool
) -> ShownAnswer:
    row = answer.generation
    owner = answer.chat.owner_id  # what curators think of it stands in the log
    ratings = [rating for rating in answer.ratings.all() if rating.user_id == owner]
    order = [pk for pk, _ in fair_order()] if row.state == State.QUEUED else []
    place = order.index(row.pk) + 1 if row.pk in order else 0
    rated = ratings[0] if ratings else None
    return ShownAnswer(answer, row, question, rated, place, siblings, is_answering)


def is_being_answered(exchanges: Iterable[Exchange]) -> bool:
    return any(exchange.answer.is_open for exchange in exchanges)


def starters(deployment: Deployment) -> list[str]:
    """Return first questions: released by a trainer, and answered by what answers now."""
    if not deployment.starters:
        return []
    right = possible_starters(deployment)
    return [question for question in right if question in deployment.starters][:STARTERS]


def possible_starters(deployment: Deployment) -> list[str]:
    """Return the questions that a trainer may release; members must not see them before."""
    if deployment.is_quoting and deployment.knowledge_id:
        right = _first_questions(deployment.knowledge_id)
    else:
        right = questions_answered_right(deployment.model) if deployment.model else []
    return [question for question in right if 3 <= len(question) <= LONGEST_STARTER]


def _first_questions(version_id: UUID) -> list[str]:
    """Return the questions with which the first rows of a version begin, each once."""
    rows = islice(iter_conversations(version_id), STARTERS_OFFERED)
    turns = (turn for row in rows for turn in row.turns[:1] if turn.role == USER)
    return list(dict.fromkeys(turn.text.strip() for turn in turns))


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
        "after": exchanges[-1].answer.message.pk if exchanges else "",
        "is_open": is_being_answered(exchanges),
        "has_engine": has_engine(),
        "starters": [] if exchanges else starters(chat.deployment),
    }
