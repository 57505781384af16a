"""Which text a pair came from, and the texts among which its question has to find that one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.repeats.said import stored_exchange
from datasets_app.models import Conversation, Dataset

MOST_TEXTS = 20_000  # passages of a dataset that are searched while its pairs are scored
NAMES = ("source_text", "context", "chunk", "passage")  # how records call it
READ = ("pk", "revision", "turns", "meta")


@dataclass(frozen=True, slots=True)
class Ground:
    """A pair as it is judged, with the text that is known of it and where that stands."""

    pk: int
    revision: int
    question: str
    answer: str
    text: str = ""  # that the pair came from
    own: int | None = None  # the place of that text among all
    beside: tuple[int, ...] = ()  # places of texts that overlap with it


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a dataset; `chunks` says at which place the text of a chunk stands."""

    told: list[str] = field(default_factory=list)
    chunks: Mapping[int, int] = field(default_factory=dict)


def texts_of(dataset: Dataset) -> Texts:
    """Return the passages of a dataset; none where there are too many to hold."""
    passages = dataset.conversations.filter(is_passage=True).order_by("pk")
    told = list(passages.values_list("text", flat=True)[: MOST_TEXTS + 1])
    return Texts(told if len(told) <= MOST_TEXTS else [])


def grounds_of(rows: Iterable[Conversation], texts: Texts) -> list[Ground]:
    """Return rows with what is known of the text that each came from."""
    return [_ground(row) for row in rows]


def _ground(row: Conversation) -> Ground:
    question, answer = stored_exchange(from_json(row.turns))
    return Ground(row.pk, row.revision, question, answer, _told(row.meta))


def _told(meta: Mapping[str, Any]) -> str:
    """Return the text that the record brought with it."""
    found = (meta.get(name) for name in NAMES)
    return next((text for text in found if isinstance(text, str) and text.strip()), "")
