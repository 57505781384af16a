"""Bringing a chat in from a file that OTTO wrote, here or elsewhere."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat_app.models import Chat, Correction, Deployment, Generation, Message, Rating
from chat_app.models.generation import FINISHES
from chat_app.models.rating import REASONS
from chat_app.selectors.transfer import EDITION, FORMAT, MOST_MESSAGES
from chat_app.services.chat_settings import CHOSEN, LONGEST_PROMPT
from chat_app.services.chats import AnswerParams
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.detection.encoding import clean_text
from otto_web.lib.work.states import State
from training_app.models import TrainedModel

LONGEST_TEXT = 100_000  # characters
NO_CHAT = "This file is no chat that OTTO exported: choose one that ends in .json."
STATES = {"stopped": State.CANCELLED, "interrupted": State.INTERRUPTED, "failed": State.FAILED}
Answers = Sequence[tuple[Message, dict[str, Any]]]  # made, and what the file says of them


def read_chat(body: bytes) -> dict[str, Any]:
    """Return what a file says of a chat. Raises ServingError with the first thing that is wrong."""
    try:
        found = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ServingError(NO_CHAT) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ServingError(NO_CHAT)
    if found.get("version") != EDITION:
        raise ServingError("A newer OTTO wrote this file. Bring it in there, or update this one.")
    messages = found.get("messages")
    if not isinstance(messages, list) or not 0 < len(messages) <= MOST_MESSAGES:
        raise ServingError(f"A chat in a file has 1 to {MOST_MESSAGES:,} messages.")
    for place, one in enumerate(messages):
        if fault := _fault(one, place, messages):
            raise ServingError(f"Message {place + 1} of the file {fault}. Nothing was brought in.")
    shown = found.get("shown")
    if shown is not None and not _is_place(shown, len(messages)):
        raise ServingError("The file shows a branch that it does not hold. Nothing was brought in.")
    if messages[-1 if shown is None else shown]["role"] == USER:
        raise ServingError("The file ends with a question without answer. Nothing was brought in.")
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)


def _is_place(value: Any, below: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below


def _is_one_of(value: Any, names: Container[str]) -> bool:
    return isinstance(value, str) and value in names  # no list, which no set can look up


def _fault(one: Any, place: int, messages: Sequence[Any]) -> str:
    """Return what is wrong with a message; "" where nothing is."""
    if not isinstance(one, dict) or not _is_one_of(one.get("role"), {USER, ASSISTANT}):
        return "is neither a question nor an answer"
    if not isinstance(one.get("text"), str) or len(one["text"]) > LONGEST_TEXT:
        return f"has no text of at most {LONGEST_TEXT:,} characters"
    parent = one.get("parent")
    if parent is None:
        return "" if one["role"] == USER else "answers no question"
    if not _is_place(parent, place):
        return "follows a message that does not stand before it"
    if messages[parent]["role"] == one["role"]:
        return "follows one of the same side"
    return ""


@transaction.atomic
def bring_chat(told: dict[str, Any], *, owner: User, deployments: QuerySet[Deployment]) -> Chat:
    """Make a chat of what `read_chat` returned; nobody's log gets it, it was answered elsewhere.

    It goes on with the deployment of the same name, else with the first that answers.
    """
    answering = deployments.order_by("alias")
    deployment = answering.filter(pk=_words(told.get("deployment"), 60)).first()
    deployment = deployment or answering.first()
    if deployment is None:
        raise ServingError("No model answers here yet. A trainer can deploy one.")
    chat = Chat.objects.create(
        owner=owner,
        deployment=deployment,
        title=_words(told.get("title"), 200),
        system=_words(told.get("system"), LONGEST_PROMPT),
        params=_params(told.get("params")),
        is_logged=False,
    )
    made = _messages(chat, told["messages"])
    answers = [pair for pair in zip(made, told["messages"], strict=True) if _is_answer(pair[0])]
    _answers(chat, answers)
    _ratings(chat, answers)
    _corrections(chat, answers, made)
    if told.get("shown") is not None:
        Chat.objects.filter(pk=chat.pk).update(shown=made[told["shown"]])
    return chat


def _messages(chat: Chat, told: Sequence[dict[str, Any]]) -> list[Message]:
    """Write the messages in their order, with the times that the file says."""
    made: list[Message] = []
    for one in told:
        parent = None if one.get("parent") is None else made[one["parent"]]
        text = clean_text(one["text"]).text
        made.append(Message(chat=chat, parent=parent, role=one["role"], text=text))
    Message.objects.bulk_create(made, batch_size=500)
    last = datetime.min.replace(tzinfo=UTC)
    for message, one in zip(made, told, strict=True):
        last = max(_moment(one.get("at")), last + timedelta(microseconds=1))  # the file's order
        message.created_at = last
    Message.objects.bulk_update(made, ["created_at"], batch_size=500)
    return made


def _is_answer(message: Message) -> bool:
    return str(message.role) == ASSISTANT


def _answers(chat: Chat, told: Answers) -> None:
    """Write how each answer came about, as far as the file says it."""
    models = {name: _model(name) for name in {_words(one.get("model"), 300) for _, one in told}}
    rows = []
    for message, one in told:
        finish = str(one["finish"]) if _is_one_of(one.get("finish"), FINISHES) else "stop"
        row = Generation(
            answer=message,
            deployment=chat.deployment,
            model=models[_words(one.get("model"), 300)],
            state=STATES.get(finish, State.SUCCEEDED),
            finish=finish,
            finished_at=timezone.now(),
            brought_in_at=timezone.now(),
        )
        rows.append(row)
    Generation.objects.bulk_create(rows, batch_size=500)


def _ratings(chat: Chat, told: Answers) -> None:
    rows = []
    for message, one in told:
        if not (isinstance(one.get("rating"), int) and one["rating"] in {1, -1}):
            continue
        given = one["reasons"] if isinstance(one.get("reasons"), list) else []
        reasons = [name for name in REASONS if name in given]
        value = int(one["rating"])
        rows.append(Rating(message=message, user=chat.owner, value=value, reasons=reasons))
    Rating.objects.bulk_create(rows, batch_size=500)


def _corrections(chat: Chat, told: Answers, made: Sequence[Message]) -> None:
    """Write which answers say what others should have said; the newest of an answer counts."""
    rows = []
    for message, one in told:
        place = one.get("corrects")
        is_there = place is not None and _is_place(place, len(made))
        wrong = made[int(place or 0)] if is_there else message
        if wrong != message and _is_answer(wrong):
            kept = {"written": message, "text": message.text, "author": chat.owner}
            rows.append(Correction(message=wrong, **kept))
    Correction.objects.bulk_create(rows, batch_size=500)


def _model(name: str) -> TrainedModel | None:
    """Return the model of this name and number, where it is here."""
    words, _, number = name.rpartition(" ")
    if not (number.isascii() and number.isdecimal() and len(number) < 9):
        return None
    return TrainedModel.objects.filter(name=words, number=int(number)).first()


def _words(value: Any, longest: int) -> str:
    return clean_text(value).text.strip()[:longest] if isinstance(value, str) else ""


def _params(value: Any) -> dict[str, Any]:
    """Return the settings that hold here, and none where they are out of bounds."""
    given = value if isinstance(value, dict) else {}
    known = {name: one for name, one in given.items() if name in CHOSEN}
    try:
        AnswerParams.from_json(known)
    except (ServingError, TypeError, ValueError, AttributeError):
        return {}
    return known


def _moment(value: Any) -> datetime:
    """Return when a message was written, now where the file says nothing that can be."""
    try:
        found = datetime.fromisoformat(_words(value, 40))
    except ValueError:
        return timezone.now()
    if found.tzinfo is None or not 1990 <= found.year <= 2100:
        return timezone.now()
    return min(found, timezone.now())
