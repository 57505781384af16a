"""Which text a pair came from, and the texts among which its question has to find that one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.repeats.said import stored_exchange
from datasets_app.models import Chunk, Conversation, Dataset, Document, Pair

MOST_TEXTS = 20_000  # texts that are searched while pairs are scored
NAMES = ("source_text", "context", "chunk", "passage")  # how records call it
READ = ("pk", "revision", "turns", "meta")
DOCUMENTS_AT_ONCE = 10  # whose texts are held


@dataclass(slots=True)
class Sources:
    """The words of chunks that come document by document: one text is read and held at a time."""

    document: int = 0
    text: str = ""

    def words(self, chunk: Chunk) -> str:
        if chunk.document_id != self.document:
            texts = Document.objects.values_list("text", flat=True)
            self.text, self.document = texts.get(pk=chunk.document_id), chunk.document_id
        return self.text[chunk.start : chunk.end]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the text of a chunk stands among all: those of its set, and those that overlap it."""

    own: int
    among: tuple[int, int]
    beside: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """A pair as it is judged, with the text that is known of it."""

    pk: int
    revision: int
    question: str
    answer: str
    text: str = ""  # that the pair came from
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """Chunks that pairs of a dataset came from, by sets, and behind them its passages."""

    told: list[str] = field(default_factory=list)
    places: Mapping[int, Place] = field(default_factory=dict)  # of chunks
    passages: int = 0  # from which place on
    sources: Sources = field(default_factory=Sources)  # of chunks that are not among them


def texts_of(dataset: Dataset) -> Texts:
    """Return the texts to search; of more than can be held, none."""
    sets = Pair.objects.filter(conversation__dataset=dataset).order_by()
    chosen = sets.values("chunk__document__chunk_set").distinct()
    chunks = Chunk.objects.filter(document__chunk_set__in=chosen)
    ordered = chunks.order_by("document__chunk_set", "document", "number")
    columns = ("pk", "document__chunk_set", "document", "start", "end")
    rows = list(ordered.values_list(*columns)[: MOST_TEXTS + 1])
    passages = dataset.conversations.filter(is_passage=True).order_by("pk")
    said = list(passages.values_list("text", flat=True)[: MOST_TEXTS + 1])
    if len(rows) + len(said) > MOST_TEXTS:
        return Texts()
    return Texts([*_words(rows), *said], _places(rows), len(rows))


def _words(rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Yield the words of chunks; each text is read once."""
    by_document = [list(some) for _, some in groupby(rows, key=itemgetter(2))]
    for first in range(0, len(by_document), DOCUMENTS_AT_ONCE):
        some = by_document[first : first + DOCUMENTS_AT_ONCE]
        documents = Document.objects.filter(pk__in=[chunks[0][2] for chunks in some])
        texts = dict(documents.values_list("pk", "text"))
        for _, _, document, start, end in chain.from_iterable(some):
            yield texts.get(document, "")[start:end]


def _places(rows: Sequence[tuple[Any, ...]]) -> dict[int, Place]:
    spans: dict[Any, tuple[int, int]] = {}
    for n, row in enumerate(rows):
        spans[row[1]] = (spans.get(row[1], (n, n))[0], n + 1)
    return {row[0]: Place(n, spans[row[1]], _beside(rows, n)) for n, row in enumerate(rows)}


def _beside(rows: Sequence[tuple[Any, ...]], own: int) -> tuple[int, ...]:
    """Return the neighbours that say part of the same."""
    _, _, document, start, end = rows[own]
    near = (n for n in (own - 1, own + 1) if 0 <= n < len(rows))
    return tuple(
        n for n in near if rows[n][2] == document and rows[n][3] < end and start < rows[n][4]
    )


def grounds_of(rows: Iterable[Conversation], texts: Texts) -> list[Ground]:
    """Return rows with what is known of the text that each came from.

    One query, and for chunks that are not in `texts` another and one for each of their documents.
    """
    there = list(rows)
    pairs = Pair.objects.filter(conversation__in=[row.pk for row in there])
    chunks = dict(pairs.values_list("conversation_id", "chunk_id"))
    words = {pk: texts.told[texts.places[pk].own] for pk in chunks.values() if pk in texts.places}
    if missing := set(chunks.values()) - words.keys():
        said = Chunk.objects.filter(pk__in=missing).order_by("document", "number")
        words |= {chunk.pk: texts.sources.words(chunk) for chunk in said}
    found = []
    for row in there:
        question, answer = stored_exchange(from_json(row.turns))
        chunk = chunks.get(row.pk, 0)
        text = words.get(chunk) or _told(row.meta)
        found.append(Ground(row.pk, row.revision, question, answer, text, texts.places.get(chunk)))
    return found


def _told(meta: Mapping[str, Any]) -> str:
    """Return the text that the record brought with it."""
    found = (meta.get(name) for name in NAMES)
    return next((text for text in found if isinstance(text, str) and text.strip()), "")
