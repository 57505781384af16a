"""What the steps from documents to pairs did, a line for each document, chunk and pair."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from datasets_app.corpus.conversation import from_json
from datasets_app.models import Document, DocumentState, GenerationItem, Score
from datasets_app.selectors.scorings import cuts_of
from otto_web.loop.models import Pipeline

SHOWN = 50  # the newest lines of a step, on a page
QUESTION = 100  # characters
ORDERS = {"chunk": "chunk_set", "generate": "generation", "judge": "scoring"}


def lines_of(pipeline: Pipeline, step: str, *, after: int = 0) -> list[str]:
    """Return a line for each thing that a step has done, in order, without the first so many."""
    found = _rows(pipeline, step)
    return [] if found is None else [_line(row) for row in found[after:]]


def newest_lines(pipeline: Pipeline, step: str) -> list[str]:
    """Return the newest lines of a step, the last at the end; none where none were wished."""
    found = _rows(pipeline, step) if pipeline.options.get("verbose") else None
    return [] if found is None else [_line(row) for row in reversed(found.reverse()[:SHOWN])]


def _rows(pipeline: Pipeline, step: str) -> QuerySet[Any] | None:
    key = pipeline.options.get(ORDERS[step]) if step in ORDERS else None
    if not key:
        return None
    if step == "chunk":
        documents = Document.objects.without_text().filter(chunk_set=key)
        return documents.exclude(finished_at=None).order_by("finished_at", "number")
    if step == "generate":
        items = GenerationItem.objects.filter(generation=key).exclude(finished_at=None)
        items = items.select_related("chunk__document").defer("chunk__document__text")
        return items.order_by("finished_at", "pk")
    scores = Score.objects.filter(scoring=key).select_related("conversation", "scoring")
    return scores.order_by("pk")


def _line(row: Document | GenerationItem | Score) -> str:
    if isinstance(row, Document):
        if row.state == DocumentState.FAILED:
            return f"{row.name}: {row.reason}"
        done = ", already done" if row.is_copied else f" in {row.seconds or 0.0:.1f} s"
        return f"{row.name}: {row.n_chunks:,} chunks{done}"
    if isinstance(row, GenerationItem):
        return f"{row.chunk.chunk_id}: {row.error or f'{row.achieved} of {row.asked} pairs'}"
    issues = f" ({'; '.join(row.issues)})" if row.issues else ""
    verdict = cuts_of(row.scoring).verdict(row.overall) if row.overall is not None else "unscored"
    question = from_json(row.conversation.turns).turns[0].text[:QUESTION]
    return f"{row.overall or '-'} {verdict}: {question}{issues}"
