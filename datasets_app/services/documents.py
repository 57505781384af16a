"""Documents on their way into chunks: ordered, moved on one by one, tried again, removed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Now

from datasets_app.corpus.chunks import layout
from datasets_app.corpus.chunks.cutting import Cut
from datasets_app.corpus.chunks.settings import ChunkError, Settings
from datasets_app.corpus.chunks.texts import Places, Text
from datasets_app.models import (
    Chunk,
    ChunkSet,
    Dataset,
    Document,
    DocumentState,
    SourceFile,
)
from otto_web.lib import audit
from otto_web.lib.failpoints import failpoint
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, finish, order_anew, renew
from otto_web.lib.work.states import UNDER_WAY, State

MOST_TRIES = 6  # of one document, at which worker after worker ends
AT_ONCE = 2_000  # chunks that are written in one statement
WORKERS_LOST = "Reading it ended the worker several times, so it was passed over."
REBUILT = "Its file did not say where the chunks stand, so the text was put together from them."
NOTHING_CUT = "No document could be cut. The list says of each why."


@dataclass(frozen=True, slots=True)
class Made:
    """What came out of one document, and how long that took."""

    text: Text
    cuts: list[Cut]
    kind: str
    seconds: float


@transaction.atomic(durable=True)
def order_chunks(
    dataset: Dataset,
    name: str,
    settings: Settings,
    files: Iterable[SourceFile],
    *,
    by: User | None,
) -> ChunkSet:
    """Order chunks of these files; what the set has cut already is not cut again.

    A set is known by its name. Raises ChunkError as `new_chunks` does.
    """
    return new_chunks(dataset, name, settings, files, by=by)


def new_chunks(
    dataset: Dataset,
    name: str,
    settings: Settings,
    files: Iterable[SourceFile],
    *,
    by: User | None,
) -> ChunkSet:
    """Write the order in the caller's transaction.

    Raises ChunkError for a name that stands for other settings, for one that is being worked on,
    for too much overlap, and when there is no file.
    """
    settings.check_order()
    wanted = {(str(file.blob_id), file.chosen_encoding): file for file in files if file.blob_id}
    if not wanted:
        raise ChunkError("Choose at least one document.")
    found = _set_of(dataset, name.strip() or settings.name, settings, by)
    _note_encodings(found)
    known = set(found.documents.values_list("sha256", "encoding"))
    last = found.documents.aggregate(last=Max("number", default=0))["last"]
    fresh = [file for key, file in wanted.items() if key not in known]
    Document.objects.bulk_create(
        Document(
            chunk_set=found,
            number=number,
            source_file=file,
            name=file.name,
            kind=file.kind,
            sha256=str(file.blob_id),
            encoding=file.chosen_encoding,
        )
        for number, file in enumerate(fresh, last + 1)
    )
    _queue(found)
    audit.record(by, "documents.chunk", found, after={"documents": len(wanted)})
    found.refresh_from_db()
    return found


def _set_of(dataset: Dataset, name: str, settings: Settings, by: User | None) -> ChunkSet:
    columns = {"settings": settings.as_json(), "settings_sha256": settings.sha256}
    found, is_made = ChunkSet.objects.get_or_create(
        dataset=dataset, name=name, defaults={**columns, "created_by": by}
    )
    if not is_made:
        found = ChunkSet.objects.select_for_update().get(pk=found.pk)
    if found.settings_sha256 != settings.sha256:
        raise ChunkError(f"“{name}” was cut in another way. Choose another name for these chunks.")
    if not is_made and found.state in UNDER_WAY:
        raise ChunkError(f"“{name}” is being cut at the moment. Wait until it is done.")
    return found


def _note_encodings(found: ChunkSet) -> None:
    """Let what is not cut yet be read as its file is by now; what is cut says how it was read."""
    now = SourceFile.objects.filter(pk=OuterRef("source_file")).values("chosen_encoding")
    waiting = found.documents.exclude(state=DocumentState.DONE).exclude(source_file=None)
    waiting.update(encoding=Subquery(now))


def _queue(found: ChunkSet) -> None:
    """Try again what failed, and let a worker look."""
    failed = found.documents.filter(state=DocumentState.FAILED)
    failed.update(state=DocumentState.QUEUED, reason="", tries=0, finished_at=None, seconds=None)
    order_anew(ChunkSet.objects.filter(pk=found.pk), **_counts(found))
    hint(ChunkSet.job, found.pk)


@transaction.atomic(durable=True)
def bring_chunks(
    dataset: Dataset, name: str, files: Iterable[tuple[str, bytes]], *, by: User | None
) -> ChunkSet:
    """Make a set of files in the earlier pipeline's layout: their names and bytes.

    Raises ChunkError, with the name of the file, for one that holds no chunks, and for a name
    that is taken; then nothing is made.
    """
    packed = (one for file, data in files for one in layout.unpacked(data, file))
    brought = [(layout.read(data, file), data) for file, data in packed]
    if dataset.chunk_sets.filter(name=name).exists():
        raise ChunkError(f"There are chunks named “{name}” already. Choose another name.")
    how = brought[0][0].settings
    found = ChunkSet.objects.create(
        dataset=dataset,
        name=name,
        settings=how.as_json(),
        settings_sha256=how.sha256,
        created_by=by,
        state=State.SUCCEEDED,
        finished_at=Now(),
    )
    for number, (told, data) in enumerate(brought, 1):
        document = Document.objects.create(
            chunk_set=found,
            number=number,
            name=told.name,
            sha256=hashlib.sha256(data).hexdigest(),
        )
        text = Text(told.text, [], [], REBUILT if told.is_rebuilt else "")
        _write_document(document, Made(text, told.cuts, "chunks", 0.0))
    ChunkSet.objects.filter(pk=found.pk).update(**_counts(found))
    audit.record(by, "documents.bring", found, after={"documents": len(brought)})
    found.refresh_from_db()
    return found


@transaction.atomic(durable=True)
def retry_failed(found: ChunkSet, *, by: User) -> bool:
    """Try the failed documents again; False while the set is worked on."""
    locked = ChunkSet.objects.select_for_update().get(pk=found.pk)
    if locked.state in UNDER_WAY:
        return False
    _note_encodings(locked)
    _queue(locked)
    audit.record(by, "documents.retry", locked)
    return True


@transaction.atomic(durable=True)
def stop_chunks(found: ChunkSet, *, by: User) -> None:
    """Stop cutting: what is done stays."""
    rows = ChunkSet.objects.filter(pk=found.pk, state__in=UNDER_WAY)
    if cancel(rows, "stopped"):
        audit.record(by, "documents.stop", found)


@transaction.atomic(durable=True)
def remove_chunks(found: ChunkSet, *, by: User) -> None:
    """Remove a set with its chunks; the files and the rows made of them stay."""
    audit.record(by, "documents.remove", found, before={"documents": found.n_documents})
    Chunk.objects.filter(document__chunk_set=found).delete()
    found.delete()


def next_document(order: ChunkSet) -> Document | None:
    """Return the document whose turn it is."""
    queued = order.documents.filter(state=DocumentState.QUEUED)
    return queued.without_text().order_by("number").first()


@transaction.atomic(durable=True)
def begin_document(order: ChunkSet, document: Document) -> bool:
    """Note that a document is begun, before it is; False when that ended too many workers."""
    renew(order)
    if document.tries >= MOST_TRIES:
        _fail(order, document, WORKERS_LOST, seconds=0.0)
        return False
    document.tries += 1
    document.save(update_fields=["tries"])
    return True


@transaction.atomic(durable=True)
def keep_chunks(order: ChunkSet, document: Document, made: Made) -> None:
    """Write the text and the chunks of a document, all of them or none."""
    renew(order, attempts=0)
    _write_document(document, made)
    renew(order, **_counts(order))


def _write_document(document: Document, made: Made) -> None:
    places = Places(made.text.text, made.text.places)
    _write_chunks(
        Chunk(
            document=document,
            number=number,
            start=cut.start,
            end=cut.end,
            headings=list(cut.headings),
            place=places.of(cut.start, cut.end),
        )
        for number, cut in enumerate(made.cuts)
    )
    failpoint("chunks.mid_document")
    _end_document(
        document,
        kind=made.kind,
        text=made.text.text,
        places=[list(place) for place in made.text.places],
        headings=[list(heading) for heading in made.text.headings],
        n_chunks=len(made.cuts),
        n_characters=len(made.text.text),
        reason=made.text.remark,
        seconds=made.seconds,
    )


@transaction.atomic(durable=True)
def copy_earlier(order: ChunkSet, document: Document) -> bool:
    """Take the chunks of the same bytes that the dataset has in the same way; False if none."""
    earlier = (
        Document.objects.filter(
            chunk_set__dataset=order.dataset_id,
            chunk_set__settings_sha256=order.settings_sha256,
            sha256=document.sha256,
            encoding=document.encoding,
            state=DocumentState.DONE,
        )
        .exclude(chunk_set=order)
        .first()
    )
    if earlier is None:
        return False
    renew(order, attempts=0)
    fields = ("number", "start", "end", "headings", "place")
    chunks = earlier.chunks.order_by("number").values(*fields)
    _write_chunks(Chunk(document=document, **chunk) for chunk in chunks)
    copied = ("kind", "text", "places", "headings", "n_chunks", "n_characters", "reason")
    columns = {name: getattr(earlier, name) for name in copied}
    _end_document(document, is_copied=True, seconds=0.0, **columns)
    renew(order, **_counts(order))
    return True


def _write_chunks(chunks: Iterable[Chunk]) -> None:
    Chunk.objects.bulk_create(chunks, batch_size=AT_ONCE)


def _end_document(document: Document, **columns: object) -> None:
    Document.objects.filter(pk=document.pk).update(
        state=DocumentState.DONE, finished_at=Now(), tries=0, **columns
    )


@transaction.atomic(durable=True)
def fail_document(order: ChunkSet, document: Document, why: str, *, seconds: float) -> None:
    """Note why a document could not be cut; the rest goes on."""
    renew(order, attempts=0)
    _fail(order, document, why, seconds=seconds)


def _fail(order: ChunkSet, document: Document, why: str, *, seconds: float) -> None:
    Document.objects.filter(pk=document.pk).update(
        state=DocumentState.FAILED, reason=why, finished_at=Now(), seconds=seconds
    )
    renew(order, **_counts(order))


@transaction.atomic(durable=True)
def end_set(order: ChunkSet) -> None:
    """End a set: whole, in part, or not at all."""
    counts = _counts(order)
    if counts["n_done"] == 0:
        finish(order, State.FAILED, reason="nothing_cut", message=NOTHING_CUT, **counts)
        return
    finish(order, State.PARTIAL if counts["n_failed"] else State.SUCCEEDED, **counts)


def recount(set_ids: Iterable[object]) -> None:
    """Count sets anew that lost documents, inside the caller's transaction."""
    for found in ChunkSet.objects.filter(pk__in=set_ids):
        ChunkSet.objects.filter(pk=found.pk).update(**_counts(found))


def _counts(order: ChunkSet) -> dict[str, int]:
    done, failed = Q(state=DocumentState.DONE), Q(state=DocumentState.FAILED)
    return order.documents.aggregate(
        n_documents=Count("pk"),
        n_done=Count("pk", filter=done),
        n_failed=Count("pk", filter=failed),
        n_chunks=Sum("n_chunks", default=0),
    )
