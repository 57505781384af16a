"""What the page of documents and the browser of chunks show, with a fixed number of queries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from datasets_app.corpus.chunks import layout
from datasets_app.corpus.chunks.cutting import Cut, cut
from datasets_app.corpus.chunks.settings import STRATEGIES, UNITS, Settings
from datasets_app.corpus.chunks.texts import Places, prose_endings, prose_kinds, text_of
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.kinds import identify
from datasets_app.models import (
    Chunk,
    ChunkSet,
    Dataset,
    Document,
    DocumentState,
    KnownTokenizer,
    SourceFile,
    Upload,
)
from datasets_app.models.blob import blob_path

MOST_UPLOADS = 200
SHOWN_SETS = 50
DOCUMENTS_A_PAGE, LOGGED = 20, 30
PREVIEWED, PREVIEW_SECONDS = 6, 10
PREVIEW_CHARACTERS = 200_000  # that the web process cuts; a worker cuts the rest
CONTEXT = 1_200  # characters of the source around a chunk
LISTED, LISTED_CHARACTERS = 12, 90  # chunks beside the one that is read


@dataclass(frozen=True, slots=True)
class Shown:
    """A chunk as people look at it: what it repeats of its neighbours, and its own words.

    `before` and `after` are the source around it.
    """

    number: int
    headings: tuple[str, ...]
    place: str
    start: int
    end: int
    shared_before: str
    own: str
    shared_after: str
    before: str = ""
    after: str = ""

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Preview:
    """The first chunks of the first document, as the settings would cut it, or why not.

    `cut` is how many of its characters were looked at.
    """

    name: str
    chunks: list[Shown] = field(default_factory=list)
    count: int = 0
    longest: int = 0
    characters: int = 0
    cut: int = 0
    error: str = ""


def set_page(dataset: Dataset, *, chosen: str, show: str, number: str | None) -> dict[str, Any]:
    """Return the sets of a dataset, the chosen or else the newest one with its documents."""
    sets = list(sets_of(dataset)[:SHOWN_SETS])
    found = next((one for one in sets if str(one.pk) == chosen), None) or next(iter(sets), None)
    return {
        "sets": sets,
        "chunk_set": found,
        "how": settings_in_words(found) if found else "",
        "show": show if show in DocumentState.values else "",
        "documents": _documents(found, show, number) if found else None,
        "log": _log(found) if found else [],
    }


def input_part(dataset: Dataset, user: User) -> dict[str, Any]:
    """Return what may be cut: the uploads that hold documents, and the endings of those."""
    return {"sources": uploads_with_prose(dataset, user), "endings": prose_endings()}


def tokenizer_file(how: Settings) -> Path | None:
    """Return the file of the tokenizer whose tokens count, where they do and it is still here."""
    if not how.tokenizer:
        return None
    found = KnownTokenizer.objects.filter(pk=how.tokenizer).first()
    return found.file if found else None


def sets_of(dataset: Dataset) -> QuerySet[ChunkSet]:
    """Return the sets of a dataset, the newest first."""
    found: QuerySet[ChunkSet] = dataset.chunk_sets.select_related("created_by")
    return found.order_by("-created_at")


def settings_in_words(found: ChunkSet) -> str:
    """Return how a set is cut, for people."""
    how = Settings.from_json(found.settings)
    strategy = STRATEGIES[how.strategy].partition(";")[0]
    size = f"{how.size:,} {UNITS[how.unit]}, of which {how.overlap:,} repeat the chunk before"
    return f"{strategy}; at most {size}"


def _documents(found: ChunkSet, show: str, number: str | None) -> Page[Document]:
    rows = found.documents.without_text().order_by("number")
    if show in DocumentState.values:
        rows = rows.filter(state=show)
    return Paginator(rows, DOCUMENTS_A_PAGE).get_page(number)


def _log(found: ChunkSet) -> list[Document]:
    """Return the documents that ended last, the newest first."""
    ended = found.documents.without_text().exclude(finished_at=None)
    return list(ended.order_by("-finished_at", "-number")[:LOGGED])


def uploads_with_prose(dataset: Dataset, user: User) -> list[Upload]:
    """Return uploads that hold documents, those of this dataset first; `n_prose` counts them."""
    prose = SourceFile.objects.filter(upload=OuterRef("pk")).filter(_is_prose())
    found = Upload.objects.visible_to(user).shown().filter(Exists(prose))
    of_files = Q(files__kind__in=prose_kinds(), files__blob__isnull=False)
    counted = found.annotate(n_prose=Count("files", filter=of_files)).select_related("dataset")
    mine = Q(dataset=dataset)
    return list(counted.annotate(is_mine=mine).order_by("-is_mine", "-created_at")[:MOST_UPLOADS])


def uploads_of_documents(user: User) -> QuerySet[Upload]:
    """Return all uploads that hold documents, the newest first."""
    prose = SourceFile.objects.filter(upload=OuterRef("pk")).filter(_is_prose())
    found: QuerySet[Upload] = Upload.objects.visible_to(user).shown().filter(Exists(prose))
    return found.order_by("-created_at")


def _is_prose() -> Q:
    return Q(kind__in=prose_kinds(), blob__isnull=False, section=0)


def files_of_uploads(uploads: list[Upload], only: str = "") -> QuerySet[SourceFile]:
    """Return the documents in these uploads; `only` is a part of their names or folders."""
    files: QuerySet[SourceFile] = SourceFile.objects.filter(upload__in=uploads)
    files = files.filter(_is_prose())
    if only:
        files = files.filter(name__icontains=only)
    return files.order_by("upload__created_at", "name", "member_no")


def preview(files: QuerySet[SourceFile], how: Settings) -> Preview | None:
    """Return how the first of these files would be cut; None where there is no file."""
    file = files.first()
    if file is None:
        return None
    path = blob_path(str(file.blob_id))
    try:
        found = identify(path, file.name, encoding=file.chosen_encoding)
        text = text_of(path, found, seconds=PREVIEW_SECONDS)
        said = text.text[:PREVIEW_CHARACTERS]
        headings = [one for one in text.headings if one.start < len(said)]
        cuts = cut(said, how, headings, tokenizer=tokenizer_file(how))
    except CorpusError as error:
        return Preview(file.name, error=str(error))
    except OSError:
        return Preview(file.name, error="Its bytes are no longer on the disk.")
    places = Places(text.text, text.places)
    shown = [
        _shown(text.text, 0, number, one, places.of(one.start, one.end), cuts)
        for number, one in enumerate(cuts[:PREVIEWED])
    ]
    longest = max((one.end - one.start for one in cuts), default=0)
    return Preview(file.name, shown, len(cuts), longest, len(text.text), len(said))


def _shown(
    text: str, offset: int, number: int, one: Cut | Chunk, place: str, around: list[Any]
) -> Shown:
    """Return a chunk with its neighbours told apart; `text` begins at `offset` of the source."""
    at = next(index for index, other in enumerate(around) if other.start == one.start)
    before = around[at - 1].end if at else one.start
    after = around[at + 1].start if at + 1 < len(around) else one.end
    own = min(max(before, one.start), one.end)
    shared = max(own, min(after, one.end))

    def words(start: int, end: int) -> str:
        return text[max(0, start - offset) : max(0, end - offset)]

    return Shown(
        number,
        tuple(one.headings),
        place,
        one.start,
        one.end,
        words(one.start, own),
        words(own, shared),
        words(shared, one.end),
        words(one.start - CONTEXT, one.start),
        words(one.end, one.end + CONTEXT),
    )


def chunk_page(document: Document, number: int) -> dict[str, Any]:
    """Return one chunk in its source, and those around it; the first where there is no such."""
    count = document.n_chunks
    number = min(max(0, number), max(0, count - 1))
    first = max(0, min(number - LISTED // 2, count - LISTED))
    near = document.chunks.filter(number__gte=first, number__lt=first + LISTED).order_by("number")
    chunks = list(near)
    chosen = next((chunk for chunk in chunks if chunk.number == number), None)
    if chosen is None:
        return {"document": document, "chunk": None, "listed": []}
    offset = max(0, min(chunks[0].start, chosen.start - CONTEXT))
    end = max(chunks[-1].end, chosen.end + CONTEXT)
    part = Document.objects.filter(pk=document.pk).values_list(
        Substr("text", offset + 1, end - offset), flat=True
    )
    text = part.get()
    begins = (text[one.start - offset :][:LISTED_CHARACTERS] for one in chunks)
    return {
        "document": document,
        "chunk": _shown(text, offset, number, chosen, chosen.place, chunks),
        "chunk_id": f"{document.stem}_chunk_{number}",
        "before": number - 1 if number else None,
        "after": number + 1 if number + 1 < count else None,
        "listed": list(zip(chunks, begins, strict=True)),
    }


def chunk_files(found: ChunkSet) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a set in the earlier pipeline's layout, one for each document."""
    how = Settings.from_json(found.settings)
    seen: set[str] = set()
    done = found.documents.filter(state=DocumentState.DONE).order_by("number")
    for document in done.iterator(chunk_size=1):
        chunks = document.chunks.order_by("number").values_list(
            "number", "start", "end", "headings", "place"
        )
        written = (
            layout.Written(
                f"{document.stem}_chunk_{number}",
                document.text[start:end],
                start,
                end,
                tuple(headings),
                place,
            )
            for number, start, end, headings, place in chunks
        )
        at = document.finished_at.isoformat() if document.finished_at else ""
        told = layout.write(document.name, how, written, processed_at=at)
        name = document.stem if document.stem not in seen else f"{document.stem}-{document.number}"
        seen.add(name)
        data = json.dumps(told, ensure_ascii=False, indent=2).encode("utf-8", "replace")
        yield f"{name}{layout.ENDING}", data


def chunks_of(found: ChunkSet) -> QuerySet[Chunk]:
    """Return all chunks of a set in their order, with what says where they are from."""
    rows: QuerySet[Chunk] = Chunk.objects.filter(document__chunk_set=found)
    return rows.annotate(turn=F("document__number")).order_by("turn", "number")
