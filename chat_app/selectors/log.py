"""What curators read of answers: single exchanges, never who asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from chat_app.models import QUOTED, Deployment, LogEntry
from chat_app.models.generation import CUT_SHORT
from chat_app.models.rating import REASONS
from chat_app.selectors.grounding import SOURCE, SUGGESTION, ShownSource, shown_sources
from chat_app.selectors.log_filter import PAGE_SIZE, RATINGS, LogFilter
from datasets_app.corpus.difference import Part, word_difference
from datasets_app.models import Dataset
from training_app.models import TrainedModel

MOST_COMPARED = 40_000  # words of one times words of the other, for each row of a page


@dataclass(frozen=True, slots=True)
class LogRow:
    """One exchange of the log."""

    id: UUID
    question: str
    answer: str
    cut: str
    rating: int
    deployment: str
    model: str
    at: datetime
    dataset: Dataset | None
    conversation_id: int | None
    sources: list[ShownSource]
    suggestions: list[ShownSource]
    better: str = ""
    reasons: Sequence[str] = ()

    @property
    def difference(self) -> tuple[Part, ...]:
        """Return what the correction changes, word by word."""
        return word_difference(self.answer, self.better, most=MOST_COMPARED)

    @property
    def thumbs(self) -> list[tuple[str, bool, str]]:
        """Return both buttons: what each sends, whether it is pressed, its words."""
        is_good, is_bad = self.rating > 0, self.rating < 0
        return [
            ("none" if is_good else "up", is_good, "Good answer"),
            ("none" if is_bad else "down", is_bad, "Bad answer"),
        ]


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log and the way to the next."""

    rows: list[LogRow]
    matching: int
    following: str


def log_page(user: User, chosen: LogFilter) -> LogPage:
    """Return one page in two queries, whatever its size."""
    found = list(with_texts(chosen.page(user)))
    rows = [row_of(entry) for entry in found[:PAGE_SIZE]]
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    following = chosen.query(after=(last.at, last.message_id)) if last else ""
    return LogPage(rows, chosen.entries(user).count(), following)


def with_texts(entries: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
    """Read question, answer, rating and names along with the entries."""
    rated: Any = entries.with_rating().with_correction()  # type: ignore[attr-defined]
    found: QuerySet[LogEntry] = rated
    return found.select_related(
        *("message__parent", "message__generation__knowledge__version"),
        *("model", "conversation__dataset"),
    )


def row_of(entry: Any) -> LogRow:
    """Return what is shown of an entry that came from `with_texts`."""
    return LogRow(
        id=entry.message_id,
        question=entry.message.parent.text if entry.message.parent else "",
        answer=entry.message.text,
        cut=CUT_SHORT.get(entry.message.generation.finish, ""),
        rating=entry.rated or 0,
        deployment=entry.deployment_id,
        model=str(entry.model or QUOTED),
        at=entry.at,
        dataset=entry.conversation.dataset if entry.conversation else None,
        conversation_id=entry.conversation_id,
        sources=shown_sources(entry.message.generation, SOURCE),
        suggestions=shown_sources(entry.message.generation, SUGGESTION),
        better=entry.better or "",
        reasons=[REASONS[name] for name in entry.reasons or () if name in REASONS],
    )


def log_list_page(user: User, chosen: LogFilter) -> dict[str, Any]:
    """Return everything that the list shows; five queries."""
    deployments = list(Deployment.objects.visible_to(user).order_by("alias"))
    logged = LogEntry.objects.visible_to(user).order_by().values("model")
    models = TrainedModel.objects.filter(pk__in=logged).order_by("name", "number")
    silent = [one.alias for one in deployments if not one.is_logging]
    return {
        "filter": chosen,
        "page": log_page(user, chosen),
        "ratings": RATINGS.items(),
        "deployments": deployments,
        "models": list(models),
        "datasets": list(Dataset.objects.filter(deleted_at=None).order_by("name")),
        "silent": [chosen.deployment] if chosen.deployment in silent else silent,
        "here": chosen.query(after=chosen.after),
    }


def json_blocks(entries: QuerySet[LogEntry]) -> Iterator[bytes]:
    """Yield the entries as one JSON array of input, output and timestamp, piece by piece."""
    before = "["
    for entry in with_texts(entries).iterator(chunk_size=500):
        row = row_of(entry)
        body = {"input": row.question, "output": row.answer, "timestamp": row.at.isoformat()}
        yield f"{before}\n  {json.dumps(body, ensure_ascii=False)}".encode()
        before = ","
    yield b"[]\n" if before == "[" else b"\n]\n"
