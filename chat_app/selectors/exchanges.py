"""What the API says of an exchange, read from its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db.models import QuerySet

from chat_app.models import ABSTAINED, Deployment, Generation
from chat_app.selectors.grounding import SOURCE, SUGGESTION, shown_sources
from otto_web.lib.work.states import State


@dataclass(frozen=True, slots=True)
class Outcome:
    """An exchange as its row shows it at this moment; counts are of tokens."""

    text: str
    is_open: bool
    state: State
    finish: str
    code: str  # of a failure
    message: str  # for a person
    prompt_tokens: int
    cached_tokens: int
    answer_tokens: int
    timings: dict[str, Any]
    grounds: dict[str, Any] | None  # None where nothing known was looked up
    fingerprint: str


def deployments_for(user: User, names: set[str] | None) -> QuerySet[Deployment]:
    """Return what somebody may ask by a token for these names; None for all."""
    found = Deployment.objects.visible_to(user).filter(is_active=True)
    if names is not None:
        found = found.filter(alias__in=names)
    return found.select_related("model", "export").order_by("alias")


@database_sync_to_async
def outcome_of(pk: UUID) -> Outcome:
    """Return how far an exchange is. Raises DoesNotExist where it was deleted."""
    rows = Generation.objects.select_related("answer", "export", "knowledge__version")
    row = rows.get(pk=pk)
    timings = row.timings
    export = row.export
    return Outcome(
        text=row.answer.text,
        is_open=row.is_under_way,
        state=State(row.state),
        finish=row.finish,
        code=row.reason,
        message=row.message,
        prompt_tokens=timings.get("prompt_tokens", 0),
        cached_tokens=timings.get("cached_tokens", 0),
        answer_tokens=timings.get("tokens", 0),
        timings=timings,
        grounds=grounds_of(row) if row.knowledge_id else None,
        fingerprint=f"otto-{export.sha256[:12]}" if export else "otto-quoted",
    )


def grounds_of(row: Generation) -> dict[str, Any]:
    """Return what an answer stands on, for programs."""
    return {
        "sources": [_told(one) for one in shown_sources(row, SOURCE)],
        "suggestions": [one.question for one in shown_sources(row, SUGGESTION)],
        "abstained": row.finish == ABSTAINED,
        "quoted": row.finish == "quoted",
        "unsupported": [{"start": start, "end": end} for start, end in row.unsupported],
        "note": row.message,
    }


def _told(source: Any) -> dict[str, Any]:
    return {
        "row": source.row,
        "question": source.question,
        "answer": source.answer,
        "source": source.source,
        "similarity": source.cosine,
        "words": source.words,
    }
