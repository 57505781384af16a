"""Reads small files many at a time: what they gave is written in one transaction, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import Error, transaction
from django.db.models import Count
from django.utils import timezone

from datasets_app.corpus.detection.kinds import Identified
from datasets_app.corpus.formats.registry import is_raw, reader_of
from datasets_app.corpus.rules import policy
from datasets_app.corpus.source import Record, WaitingError
from datasets_app.jobs import faults, reading
from datasets_app.jobs.reading import ReadingJob
from datasets_app.models import Conversation, Dataset, FileState, Issue, SourceFile
from datasets_app.models.blob import blob_path
from datasets_app.selectors.origin_keys import origin_base
from datasets_app.services import imports
from datasets_app.services.writing import NewRow, write_rows
from otto_web.lib.statistics import renew_statistics
from otto_web.lib.work.claims import LostLease, renew

MOST_FILES = 200
LARGEST_BYTES = 256 << 10
MOST_BYTES = 4 << 20
COLUMNS = (
    *("kind", "kind_why", "encoding", "encoding_why", "reader", "waiting_for"),
    *("verdict", "reason", "note", "finished_at", *imports.NO_COUNTS),
)
"""What reading changes in the row of a file."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read: its row as it will be, and what goes with it."""

    file: SourceFile
    rows: list[NewRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def read_small(work: ReadingJob) -> bool:
    """Read the files whose turn it is, as far as they are small; False where the first is not.

    A file that is more than a small text, or ends in an error, is left to be read alone.
    """
    found: list[_Read] = []
    for file in _small(work):
        one = _read(work, file)
        if one is None:
            break
        found.append(one)
    if not found:
        return False
    try:
        _write(work, found)
    except (LostLease, OSError):
        raise
    except Exception as error:
        if isinstance(error, Error) and not faults.is_of_the_file(error):
            raise
        _read_each_alone(work, found)
    renew_statistics(Conversation, share=reading.GROWTH)
    return True


def _small(work: ReadingJob) -> Iterator[SourceFile]:
    """Yield the next files until one is not small, or something of it was written before."""
    queued = work.upload.files.to_read().select_related("blob").prefetch_related("parent")
    files = list(queued[:MOST_FILES])
    pks = [file.pk for file in files]
    begun = {
        *Conversation.objects.filter(source_file__in=pks).values_list("source_file", flat=True),
        *Issue.objects.filter(source_file__in=pks).values_list("source_file", flat=True),
    }
    size = 0
    for file in files:
        size += file.size
        is_small = file.size <= LARGEST_BYTES and size <= MOST_BYTES
        if not is_small or file.section or file.cursor or file.pk in begun:
            return
        yield file


def _read(work: ReadingJob, file: SourceFile) -> _Read | None:
    """Return what a file gives; None when it has to be read alone, or ends in an error."""
    work.touch()
    work.watch.begin_file(file.size)
    path = blob_path(str(file.blob_id))
    try:
        identified = reading.look_at(work, file, path)
        found = identified.format
        if found.archive or found.document:
            return None
        if found.reader:
            return _records(work, file, path, identified)
    except WaitingError as error:
        return _Read(_changed(file, **reading.question_of(error)))
    except LostLease:
        raise
    except Exception:  # noqa: BLE001 - it comes again, and is told, when the file is read alone
        return None
    refusal = reading.refusal_of(found)
    return _Read(_changed(file, **refusal, **imports.bytes_as_whole(file, refusal["verdict"])))


def _records(
    work: ReadingJob, file: SourceFile, path: Path, identified: Identified
) -> _Read | None:
    items = reading.items_of(work, file, path, identified, ledger := reading.Ledger.fresh())
    if not is_raw(file.kind):
        _changed(file, **reading.encoding_columns(identified))
    with closing(items), work.watch.step():
        found = list(islice(reading.batches(items), 2))
    if len(found) > 1:
        return None
    batch = found[0] if found else []
    base = origin_base(file)
    rows = [reading.new_row(item, file, base) for item in batch if isinstance(item, Record)]
    issues = list(reading.issues_of(batch, file, ledger.issues))
    for item in batch:
        ledger.add(item)
    ledger.cursor = len(batch)
    reader = reader_of(file.kind).label
    return _Read(_changed(file, reader=reader, **ledger.columns()), rows, issues)


def _changed(file: SourceFile, **columns: Any) -> SourceFile:
    for name, value in columns.items():
        setattr(file, name, value)
    if file.verdict not in {FileState.QUEUED, FileState.WAITING}:
        file.finished_at = timezone.now()
    return file


def _write(work: ReadingJob, found: list[_Read]) -> None:
    """Commit what the files gave together with the rows that say so."""
    rows = [row for one in found for row in one.rows]
    dataset = imports.settle_dataset(work.upload) if rows else None
    work.watch.begin_file(sum(one.file.size for one in found))
    with transaction.atomic(durable=True):
        renew(work.upload, attempts=0)
        if dataset:
            held = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
            rules = policy.from_json(held.policy)  # those of this moment
            new = write_rows(held, rows, rules, guard=work.watch.step())
            if new < len(rows):
                _count_known(found)
        Issue.objects.bulk_create([issue for one in found for issue in one.issues])
        SourceFile.objects.bulk_create(  # they are there: only these columns change
            [one.file for one in found],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=COLUMNS,
        )


def _count_known(found: list[_Read]) -> None:
    """Note how many records of each file the dataset had already."""
    pks = [one.file.pk for one in found]
    written = Conversation.objects.filter(source_file__in=pks).values_list("source_file")
    new = Counter(dict(written.annotate(n=Count("pk")).order_by()))
    for one in found:
        one.file.n_known = len(one.rows) - new[one.file.pk]


def _read_each_alone(work: ReadingJob, found: list[_Read]) -> None:
    """Read files again, of which one broke the transaction of all, so that it ends by itself."""
    pks = [one.file.pk for one in found]
    for file in SourceFile.objects.filter(pk__in=pks).to_read().select_related("blob", "parent"):
        reading.read_source(work, file)
