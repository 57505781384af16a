"""A world of real size: thousands of rows with ids above a million, kept as text for COPY."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from chat_app.models import Chat, Deployment, Generation, LogEntry, Message
from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.jobs.freezing import freeze_version
from datasets_app.models import Choice, Dataset, Version
from datasets_app.services.datasets import create_dataset
from otto_web.lib.work.states import State
from tests.chat_app.makers import TIMINGS, make_served
from tests.datasets_app.makers import add, pair

ROWS, LOGGED = 3_300, 1_100
EMPTY_EVERY, UNFINISHED_EVERY, COPY_EVERY = 11, 7, 10
LONG_TURNS = 120
TABLES = (
    "auth.User",
    "datasets_app.Dataset",
    "datasets_app.Conversation",
    "datasets_app.Finding",
    "datasets_app.Version",
    "datasets_app.VersionRow",
    "training_app.TrainedModel",
    "chat_app.ServingExport",
    "chat_app.Deployment",
    "chat_app.DeploymentEvent",
    "chat_app.Chat",
    "chat_app.Message",
    "chat_app.Generation",
    "chat_app.LogEntry",
)


@dataclass(frozen=True, slots=True)
class World:
    """What a test starts from: a curated dataset, a version of it, a deployment with its log."""

    dataset: Dataset
    version: Version
    deployment: Deployment


@dataclass(frozen=True, slots=True)
class Kept:
    """The world as bytes by table; a test's end takes the rows away, COPY brings them back."""

    tables: dict[str, bytes]
    dataset: UUID
    version: UUID
    deployment: str

    def restore(self) -> World:
        with transaction.atomic(), connection.cursor() as cursor:
            # They kept every law when they were made: no need to look again, row by row.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for name, body in self.tables.items():
                with cursor.copy(f"COPY {_columns_of(name)} FROM STDIN") as out:
                    out.write(body)
            cursor.execute("SET LOCAL session_replication_role = origin")
            cursor.execute("ANALYZE datasets_app_conversation")  # as the reading of a file does
        return self.world()

    def world(self) -> World:
        return World(
            Dataset.objects.get(pk=self.dataset),
            Version.objects.get(pk=self.version),
            Deployment.objects.get(pk=self.deployment),
        )


def build() -> Kept:
    """Make the world in an empty database, by the services that pages use, and keep it."""
    owner = User.objects.create_user("wanda", password=None)
    dataset = create_dataset("Real size", by=owner)
    add(dataset, [_conversation(number) for number in range(ROWS)])
    version = freeze_version(dataset, choice=Choice.REVIEW, user=owner)
    served = make_served("desk")
    _log(served, owner)
    tables = {name: _read(name) for name in TABLES}
    return Kept(tables, dataset.pk, version.pk, served.pk)


def _log(served: Deployment, owner: User) -> None:
    """Write a long chat whose every answer is in the log."""
    chat = Chat.objects.create(owner=owner, deployment=served, title="Parcels")
    messages: list[Message] = []
    for number in range(LOGGED):
        for role, text in (("user", f"Where is parcel {number}?"), ("assistant", "On its way.")):
            before = messages[-1] if messages else None
            messages.append(Message(chat=chat, parent=before, role=role, text=text))
    answers = messages[1::2]
    names = {"deployment": served, "model": served.model}
    done = {
        "state": State.SUCCEEDED,
        "finished_at": timezone.now(),
        "finish": "stop",
        "timings": TIMINGS,
    }
    Message.objects.bulk_create(messages)
    Generation.objects.bulk_create(
        Generation(answer=one, export=served.export, **names, **done) for one in answers
    )
    LogEntry.objects.bulk_create(LogEntry(message=one, **names) for one in answers)


def _conversation(number: int) -> Conversation:
    if number == 1:
        question = "May I ask you many things, one after the other?"
        turns = [
            Turn("assistant" if n % 2 else "user", f"{question} This is thing number {n} of many.")
            for n in range(LONG_TURNS)
        ]
        return Conversation(tuple(turns))
    if number % EMPTY_EVERY == 0:
        return pair(f"Which desk answers question {number}?", "")
    if number % UNFINISHED_EVERY == 0:
        return pair(f"Where is desk {number}?", f"You find desk {number} on the first floor and")
    same = number - number % COPY_EVERY if number % COPY_EVERY == 5 else number
    return pair(
        f"Where do I find the parcel with the number {same}?",
        f"Parcel {same} left our warehouse on Monday and comes to you within {same % 7 + 2} days.",
    )


def _columns_of(name: str) -> str:
    model = apps.get_model(name)
    fields = [field for field in model._meta.local_concrete_fields if not field.generated]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    return f"{model._meta.db_table} ({columns})"


def _read(name: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY {_columns_of(name)} TO STDOUT") as out:
        return b"".join(bytes(piece) for piece in out)
