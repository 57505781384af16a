"""What the pages of pairs show: orders, their progress and yield, and where an answer stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Substr

from datasets_app.corpus.chunks.layout import ENDING as CHUNKS_ENDING
from datasets_app.corpus.pairs import layout
from datasets_app.corpus.pairs.recipes import SENT_FOR_PAIRS
from datasets_app.corpus.pairs.registry import PATTERNS, label_of
from datasets_app.models import (
    Chunk,
    ChunkSet,
    Conversation,
    Dataset,
    Document,
    GenerationItem,
    ItemState,
    Pair,
    PairGeneration,
    Provider,
)

ITEMS_A_PAGE = 50
SHOWN_ORDERS = 20
MOST_SPANS = 200_000
CONTEXT = 600  # characters around an answer


@dataclass(frozen=True, slots=True)
class Yield:
    """What one pattern of the built-in generator gave."""

    label: str
    count: int
    is_on: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a set of chunks has pairs; shares are 0 to 100."""

    chunks: int
    with_pair: int
    characters: int
    quoted: int

    @property
    def chunk_share(self) -> float:
        return 100 * self.with_pair / self.chunks if self.chunks else 0.0

    @property
    def text_share(self) -> float:
        return 100 * self.quoted / self.characters if self.characters else 0.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What a provider would be sent of a set of chunks, and where that goes."""

    provider: Provider
    host: str
    what: str = SENT_FOR_PAIRS


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the answer of a row stands: its chunk, the document, and the words around it."""

    document: Document
    chunk: Chunk
    pair: Pair
    before: str
    answer: str
    after: str
    by: str


def pair_step(dataset: Dataset, chunk_set: ChunkSet | None) -> dict[str, Any]:
    """Return what the step shows beside its form: the orders, who may be asked, what is sent."""
    return {
        "pair_orders": list(orders_of(dataset)[:SHOWN_ORDERS]),
        "pair_chunks": chunk_set.n_chunks if chunk_set else 0,
        "sent_to": sent_to(),
        "pattern_words": [(one.name, one.label, one.sentence) for one in PATTERNS.values()],
    }


def orders_of(dataset: Dataset) -> QuerySet[PairGeneration]:
    """Return the orders whose chunks or rows are of a dataset, the newest first."""
    mine = Q(dataset=dataset) | Q(chunk_set__dataset=dataset)
    found: QuerySet[PairGeneration] = PairGeneration.objects.filter(mine)
    return found.select_related("chunk_set", "provider").order_by("-created_at")


def sent_to() -> list[Sent]:
    """Return the providers that may be chosen, with the hosts that would be sent chunks."""
    found = Provider.objects.filter(is_on=True).order_by("name")
    return [Sent(one, urlsplit(one.base_url).hostname or one.base_url) for one in found]


def order_page(order: PairGeneration, *, show: str, number: str | None) -> dict[str, Any]:
    """Return an order's progress, yield, coverage and one page of its turns."""
    counted = order.items.aggregate(
        count=Count("pk"),
        done=Count("pk", filter=Q(state=ItemState.DONE)),
        failed=Count("pk", filter=Q(state=ItemState.FAILED)),
        asked=Sum("asked", filter=~Q(state=ItemState.QUEUED), default=0),
        achieved=Sum("achieved", default=0),
        tokens=Sum("tokens", default=0),
    )
    chosen = show if show in {"failed", "empty"} else ""
    return {
        "order": order,
        "counted": counted,
        "yields": [] if order.provider_id else yields_of(order),
        "coverage": coverage_of(order.chunk_set),
        "show": chosen,
        "items": _items(order, chosen, number),
        "what": SENT_FOR_PAIRS,
        "host": urlsplit(order.provider.base_url).hostname if order.provider else "",
        "recipe_names": [str(one.get("name", "")) for one in order.recipes],
    }


def _items(order: PairGeneration, show: str, number: str | None) -> Page[GenerationItem]:
    rows = order.items.exclude(finished_at=None)
    if show == "failed":
        rows = rows.filter(state=ItemState.FAILED)
    elif show == "empty":
        rows = rows.filter(state=ItemState.DONE, achieved=0)
    rows = rows.defer("prompt", "reply").select_related("chunk__document")
    rows = rows.defer(*(f"chunk__document__{name}" for name in ("text", "places", "headings")))
    return Paginator(rows.order_by("-finished_at", "-pk"), ITEMS_A_PAGE).get_page(number)


def yields_of(order: PairGeneration) -> list[Yield]:
    """Return how many pairs each pattern gave, also those that gave none or are off."""
    found = Pair.objects.filter(item__generation=order).values_list("pattern")
    counts = dict(found.annotate(count=Count("pk")).order_by())
    return [Yield(label_of(name), counts.get(name, 0), name in order.patterns) for name in PATTERNS]


def coverage_of(chunk_set: ChunkSet) -> Coverage:
    """Return how many chunks have a pair, and how much of the text the answers quote."""
    chunks = Chunk.objects.filter(document__chunk_set=chunk_set)
    pairs = Pair.objects.filter(chunk__document__chunk_set=chunk_set)
    of_chunk = pairs.values("chunk").distinct().count()
    characters = chunk_set.documents.aggregate(size=Sum("n_characters", default=0))["size"]
    spans = pairs.exclude(start=None).order_by("chunk__document", "start")
    quoted, document, reach = 0, None, 0
    for of_document, start, end in spans.values_list("chunk__document", "start", "end")[
        :MOST_SPANS
    ].iterator():
        if start is None or end is None:
            continue
        if of_document != document:
            document, reach = of_document, 0
        quoted += max(0, end - max(start, reach))
        reach = max(reach, end)
    return Coverage(chunks.count(), of_chunk, characters, quoted)


def item_page(order: PairGeneration, item: GenerationItem) -> dict[str, Any]:
    """Return one turn with its chunk's words, what was asked and replied, and its pairs."""
    made = Conversation.objects.filter(pair__item=item).order_by("position")
    recipe = order.recipes[item.recipe] if item.recipe < len(order.recipes) else {}
    return {
        "order": order,
        "item": item,
        "recipe": recipe.get("name", ""),
        "content": chunk_words(item.chunk),
        "rows": list(made.only("dataset", "position", "turns", "status")),
    }


def chunk_words(chunk: Chunk) -> str:
    """Return a chunk's words without loading the whole document."""
    return _text(chunk.document_id, chunk.start, chunk.end)


def _text(document_id: int, start: int, end: int) -> str:
    cut = Substr("text", start + 1, end - start)
    return str(Document.objects.filter(pk=document_id).values_list(cut, flat=True).first() or "")


def ground_of(row: Conversation) -> Ground | None:
    """Return where the answer of a row that was made of a document stands; None of another row."""
    found = Pair.objects.filter(conversation=row).select_related(
        "chunk__document__chunk_set", "item__generation__provider"
    )
    heavy = ("text", "places", "headings")
    pair = found.defer(
        "item__prompt", "item__reply", *(f"chunk__document__{name}" for name in heavy)
    ).first()
    if pair is None:
        return None
    chunk = pair.chunk
    start = chunk.start if pair.start is None else pair.start
    end = chunk.start if pair.end is None else pair.end
    first, last = max(chunk.start, start - CONTEXT), min(chunk.end, end + CONTEXT)
    words = _text(chunk.document_id, first, last)
    return Ground(
        document=chunk.document,
        chunk=chunk,
        pair=pair,
        before=words[: start - first],
        answer=words[start - first : end - first],
        after=words[end - first :],
        by=pair.item.generation.by if pair.item else "",
    )


def pair_files(order: PairGeneration) -> Iterator[tuple[str, bytes]]:
    """Yield the pairs of an order in the earlier pipeline's layout, one file for each document."""
    seen: set[str] = set()
    documents = order.chunk_set.documents.filter(chunks__items__generation=order).distinct()
    for document in documents.order_by("number").iterator(chunk_size=1):
        items = order.items.filter(chunk__document=document)
        states = items.values_list("state", "chunk__number").order_by("chunk__number")
        chunks = {
            str(state): [
                f"{document.stem}_chunk_{number}" for one, number in states if one == state
            ]
            for state in (ItemState.DONE, ItemState.FAILED)
        }
        told = layout.write(document.name, _about(order, document), _of(order, document), chunks)
        name = document.stem if document.stem not in seen else f"{document.stem}-{document.number}"
        seen.add(name)
        data = json.dumps(told, ensure_ascii=False, indent=2).encode("utf-8", "replace")
        yield f"{name}{layout.ENDING}", data


def _about(order: PairGeneration, document: Document) -> dict[str, Any]:
    at = order.finished_at.isoformat() if order.finished_at else ""
    return {
        "source_chunk_file": f"{document.stem}{CHUNKS_ENDING}",
        "llm_provider": order.provider.kind if order.provider else "local",
        "llm_model": order.model or "built-in",
        "questions_per_chunk": sum(one.get("questions", 0) for one in order.recipes),
        "processed_at": order.created_at.isoformat(),
        "status": layout.STATUS.get(order.state, "in_progress"),
        "prompt_number": len(order.recipes),
        "total_prompts": len(order.recipes),
        "completion_time": at,
    }


def _of(order: PairGeneration, document: Document) -> Iterator[layout.Written]:
    pairs = Pair.objects.filter(item__generation=order, chunk__document=document)
    rows = pairs.select_related("chunk", "conversation").order_by("chunk__number", "conversation")
    for pair in rows.iterator(chunk_size=500):
        said = {turn["role"]: turn["text"] for turn in reversed(pair.conversation.turns)}
        chunk = pair.chunk
        yield layout.Written(
            said.get("user", ""),
            said.get("assistant", ""),
            f"{document.stem}_chunk_{chunk.number}",
            chunk.number,
            chunk.start,
            chunk.end,
            document.text[chunk.start : chunk.end],
            pair.start,
            pair.end,
        )


def provider_rows() -> list[dict[str, Any]]:
    """Return all providers with how often they were asked."""
    found = Provider.objects.annotate(orders=Count("generations")).order_by("name")
    return [
        {"provider": one, "host": urlsplit(one.base_url).hostname or "", "orders": one.orders}
        for one in found
    ]
