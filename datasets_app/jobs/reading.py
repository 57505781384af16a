"""Reads one source file: what it is, and its records into the dataset batch by batch."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from collections.abc import Mapping as Names
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import Error, transaction
from django.db.models import Count, Q

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import Encoding, clean_text
from datasets_app.corpus.detection.kinds import Identified, identify
from datasets_app.corpus.formats import refused
from datasets_app.corpus.formats.format import Format
from datasets_app.corpus.formats.registry import FORMATS, is_raw, reader_of
from datasets_app.corpus.limited.run import ChildError
from datasets_app.corpus.readers import reading
from datasets_app.corpus.readers.job import LONGEST
from datasets_app.corpus.readers.people import LISTS, people_of
from datasets_app.corpus.readers.prompted import File, Passages
from datasets_app.corpus.rules import policy
from datasets_app.corpus.source import (
    REASONS,
    ByteTally,
    Item,
    Mapping,
    PartTally,
    Problem,
    Record,
    WaitingError,
)
from datasets_app.jobs import anew, faults
from datasets_app.jobs.limits import Stopwatch, TimeUpError
from datasets_app.jobs.unpacking import stop_flag, unpack_source
from datasets_app.models import (
    Conversation,
    Dataset,
    FileState,
    Issue,
    SourceFile,
    Upload,
    reasons,
)
from datasets_app.models.blob import blob_path
from datasets_app.selectors.origin_keys import origin_base, origin_key
from datasets_app.services import imports
from datasets_app.services.keeping import Matching, keep_earlier
from datasets_app.services.writing import NewRow, write_rows
from otto_web.lib.statistics import renew_statistics
from otto_web.lib.work.claims import LostLease, renew

log = logging.getLogger(__name__)
MOST_RECORDS = 2_000
MOST_ITEMS = 10_000
MOST_BYTES = 4 << 20
ISSUES_PER_CODE = 10_000
GROWTH = 1.0  # of the table, by which the database looks at its rows anew in the middle of a file


@dataclass(frozen=True, slots=True)
class ReadingJob:
    """One import in progress.

    `touch` says that it moves, and raises LostLease when it is no longer wanted; `watch`
    ends what takes too long.
    """

    upload: Upload
    touch: Callable[[], None]
    watch: Stopwatch
    people: dict[UUID, Names[str, str]] = field(default_factory=dict)
    """The names in the lists of people that archives hold, by the archive."""

    def people_beside(self, file: SourceFile) -> Names[str, str]:
        """Return the names in the list of people that the file's archive holds, if any."""
        archive = file.parent_id
        if file.kind != "json" or archive is None:
            return {}
        if archive not in self.people:
            self.people[archive] = _people_in(archive)
        return self.people[archive]


@dataclass(slots=True)
class Ledger:
    """The counters of one file while it is read, as its row has them after each batch.

    The bytes of a document are accounted for as a whole, and its parts by count: each reading
    counts them from the first one on.
    """

    tally: ByteTally
    cursor: int
    known: int
    parts: PartTally | None = None
    issues: Counter[str] = field(default_factory=Counter)
    first: str = ""  # what is said of the first place that could not be read

    @classmethod
    def of(cls, file: SourceFile) -> Ledger:
        """Return the counters that earlier batches left."""
        tally = ByteTally(
            file.n_loaded, file.n_skipped, file.n_failed, file.n_records, file.n_issues
        )
        found = file.issues.values_list("code").annotate(n=Count("pk"))
        parts = PartTally() if FORMATS[file.kind].document else None
        messages = file.issues.order_by("start").values_list("message", flat=True)
        first = (messages.first() or "") if found else ""
        return cls(tally, file.cursor, file.n_known, parts, Counter(dict(found)), first)

    @classmethod
    def fresh(cls) -> Ledger:
        """Return the counters of a file that is no document, before its first batch."""
        return cls(ByteTally(), 0, 0)

    def add(self, item: Item) -> None:
        """Count one item."""
        if isinstance(item, Problem) and not self.first:
            self.first = item.message
        if self.parts is None:
            self.tally.add(item)
        else:
            self.tally.count(item)

    def columns(self) -> dict[str, Any]:
        """Return what the file's row says once all was read."""
        verdict, reason = self.tally.verdict()
        if self.parts is not None and not self.tally.records:
            verdict = "failed" if self.parts.failed else "skipped"
            reason = "no_conversations"
        note = f"{REASONS[reason]} {self.first}" if reason and self.first else ""
        told = {"verdict": FileState(verdict), "reason": reason, "note": note}
        return {**told, **self.counts()}

    def counts(self) -> dict[str, int]:
        """Return what the file's row says after each batch."""
        if self.parts is None:
            places = {
                "n_total": self.tally.total,
                "n_loaded": self.tally.loaded,
                "n_skipped": self.tally.skipped,
                "n_failed": self.tally.failed,
            }
        else:
            places = {
                "n_parts": self.parts.total,
                "n_parts_loaded": self.parts.loaded,
                "n_parts_skipped": self.parts.skipped,
                "n_parts_failed": self.parts.failed,
            }
        return {
            **places,
            "n_records": self.tally.records,
            "n_issues": self.tally.problems,
            "n_known": self.known,
            "cursor": self.cursor,
        }


def read_source(work: ReadingJob, file: SourceFile) -> None:
    """Give a queued file its verdict; one bad file never stops the others."""
    work.touch()
    work.watch.begin_file(file.size)
    try:
        _read(work, file)
    except WaitingError as error:
        imports.park_file(work.upload, file, **question_of(error))
    except (LostLease, OSError):
        raise
    except CorpusError as error:
        _stop_for(work, file, error)
    except Exception as error:
        if isinstance(error, Error) and not faults.is_of_the_file(error):
            raise
        log.exception("file %s could not be read", file.pk)
        stop_file(work, file, reason="own_fault")


def question_of(error: WaitingError) -> dict[str, Any]:
    """Return what the row of a file says that waits for a person."""
    asked = error.waiting
    return {
        "verdict": FileState.WAITING,
        "waiting_for": dataclasses.asdict(asked),
        "reason": asked.code,
        "note": str(error),
    }


def _stop_for(work: ReadingJob, file: SourceFile, error: CorpusError) -> None:
    """End a file for what it is itself; a full disk is no fault of it."""
    if isinstance(error, TimeUpError):
        stop_file(work, file, reason="too_slow")
    elif not isinstance(error, ChildError):
        stop_file(work, file, reason="no_conversations", note=str(error))
    elif error.code == "disk_full":
        raise faults.DiskFullError from error
    else:
        stop_file(work, file, reason=error.code, note=str(error))


def _read(work: ReadingJob, file: SourceFile) -> None:
    path = blob_path(str(file.blob_id))
    if not path.exists():
        stop_file(work, file, reason="bytes_lost")
        return
    identified = look_at(work, file, path)
    file.save(update_fields=["kind", "kind_why"])
    found = identified.format
    if found.archive:
        unpack_source(work.upload, file, found.archive, touch=work.touch)
    elif found.reader:
        _load(work, file, path, identified)
    else:
        imports.end_file(work.upload, file, **refusal_of(found))


def look_at(work: ReadingJob, file: SourceFile, path: Path) -> Identified:
    """Tell what a file is and note it in its row, which is not saved."""
    with work.watch.step():
        identified = _section_of(file) or identify(path, file.name, encoding=file.chosen_encoding)
    file.kind, file.kind_why = identified.kind, [*identified.why, *identified.notes]
    return identified


def refusal_of(found: Format) -> dict[str, Any]:
    """Return the verdict of a file that nothing reads."""
    reason = "empty" if found is refused.EMPTY else "unsupported_kind"
    return {"verdict": FileState.SKIPPED, "reason": reason, "note": found.refusal}


def _section_of(file: SourceFile) -> Identified | None:
    """Return what a section of another file is: its kind is known by the file it stands in."""
    archive = FORMATS[file.parent.kind].archive if file.parent and file.section else None
    return Identified(archive.sections, (f"it stands in {file.parent}",)) if archive else None


def _load(work: ReadingJob, file: SourceFile, path: Path, identified: Identified) -> None:
    reader = reader_of(file.kind).label
    if file.cursor == 0 or file.reader != reader:  # another version counts other items
        if not anew.may_begin(work.upload, file, _batches_anew(work, file, path, identified)):
            return
        imports.begin_file(work.upload, file, reader)
    ledger = Ledger.of(file)
    if ledger.parts is None and not is_raw(file.kind):
        SourceFile.objects.filter(pk=file.pk).update(**encoding_columns(identified))
    with closing(items_of(work, file, path, identified, ledger)) as items:
        _pass_over(work, islice(items, file.cursor))
        _write_all(work, file, items, ledger)
    anew.set_aside_earlier_rows(work.upload, file, touch=work.touch)
    changes = ledger.columns() | {"anew": anew.outcome(file)}
    if ledger.parts is not None:
        changes |= imports.bytes_as_whole(file, changes["verdict"])
    imports.end_file(work.upload, file, **changes)


def _batches_anew(
    work: ReadingJob, file: SourceFile, path: Path, identified: Identified
) -> Iterator[list[NewRow]]:
    """Yield the rows that a file would give now, from the first one on."""
    base = origin_base(file)
    with closing(items_of(work, file, path, identified, Ledger.of(file))) as items:
        for batch in _in_steps(work, items):
            yield [new_row(item, file, base) for item in batch if isinstance(item, Record)]


def encoding_columns(identified: Identified) -> dict[str, Any]:
    """Return what the row of a file says of its encoding."""
    found = identified.encoding
    name, why = (found.name, [*found.why]) if isinstance(found, Encoding) else ("", [])
    return {"encoding": name, "encoding_why": why}


def items_of(
    work: ReadingJob, file: SourceFile, path: Path, identified: Identified, ledger: Ledger
) -> Generator[Item]:
    """Return the reader's items from the first one on."""
    mapping = Mapping.from_json(file.mapping) if file.mapping else None
    passages = Passages.of(mapping)
    is_apart = bool(passages and passages.prompts)
    longest = passages.longest if passages else LONGEST
    if ledger.parts is None:
        people = work.people_beside(file)  # asked of the database before reading begins
        told: dict[str, Any] = {"mapping": mapping, "name": file.name, "people": people}
        told |= {"is_apart": is_apart, "longest": longest}
        items = reading.read(path, identified, **told)
    else:
        stop = stop_flag(work.touch)
        asked = reading.Asked(file.section, mapping, file.name, stop, is_apart, longest)
        items = reading.read_document(path, file.kind, asked, ledger.parts)
    about = File(file.name, identified.format.name)
    return passages.told(items, about) if passages else items


def _people_in(archive: UUID) -> Names[str, str]:
    beside = SourceFile.objects.filter(parent=archive).exclude(blob=None)
    named = Q(name__in=LISTS) | Q(name__endswith=f"/{LISTS[0]}") | Q(name__endswith=f"/{LISTS[1]}")
    found = beside.filter(named).order_by("member_no").first()
    return people_of(blob_path(str(found.blob_id))) if found else {}


def stop_file(work: ReadingJob, file: SourceFile, *, reason: str, note: str = "") -> None:
    """End a file in the middle: its row says how far it was read, and what was loaded stays.

    It has failed, however much of it was loaded: nobody may take a part for the whole.
    """
    found = SourceFile.objects.get(pk=file.pk)  # the batch that failed is in no counter of it
    if found.n_records and not note:
        note = f"{reasons.sentence(reason)} {found.n_records:,} conversations were loaded before."
    changes = {"verdict": FileState.FAILED, "reason": reason, "note": note}
    imports.end_file(work.upload, found, **changes)


def _pass_over(work: ReadingJob, known: Iterator[Item]) -> None:
    """Read past what earlier attempts wrote, in steps no longer than theirs were."""
    found = batches(known)
    is_over = False
    while not is_over:
        with work.watch.step():
            is_over = next(found, None) is None
        work.touch()


def _write_all(work: ReadingJob, file: SourceFile, items: Iterator[Item], ledger: Ledger) -> None:
    dataset: Dataset | None = None
    earlier = Matching.of(file, file.reading)
    for batch in _in_steps(work, items):
        dataset = dataset or imports.settle_dataset(work.upload)
        _write_batch(work, file, dataset, batch, ledger, earlier)


def _in_steps(work: ReadingJob, items: Iterator[Item]) -> Iterator[list[Item]]:
    """Yield the items in batches, each read in a step that is watched."""
    found = batches(items)
    while True:
        with work.watch.step():
            batch = next(found, None)
        if batch is None:
            return
        work.touch()
        yield batch


def batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Yield the items in pieces of bounded number and size."""
    batch: list[Item] = []
    records = size = 0
    for item in items:
        batch.append(item)
        records += isinstance(item, Record)
        size += item.end - item.start
        if records == MOST_RECORDS or len(batch) == MOST_ITEMS or size >= MOST_BYTES:
            yield batch
            batch, records, size = [], 0, 0
    if batch:
        yield batch


def _write_batch(
    work: ReadingJob,
    file: SourceFile,
    dataset: Dataset,
    batch: list[Item],
    ledger: Ledger,
    earlier: Matching | None,
) -> None:
    """Commit one batch together with the counters that say so."""
    base = origin_base(file)
    rows = [new_row(item, file, base) for item in batch if isinstance(item, Record)]
    issues = list(issues_of(batch, file, ledger.issues))
    for item in batch:
        ledger.add(item)
    ledger.cursor += len(batch)
    with transaction.atomic(durable=True):
        renew(work.upload, attempts=0)
        held = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
        rules = policy.from_json(held.policy)  # those of this moment
        kept = keep_earlier(earlier, rows) if earlier else set()
        others = [row for row in rows if row.origin_key not in kept]
        ledger.known += len(others) - write_rows(held, others, rules, guard=work.watch.step())
        Issue.objects.bulk_create(issues, batch_size=MOST_RECORDS)
        SourceFile.objects.filter(pk=file.pk).update(**ledger.counts())
    renew_statistics(Conversation, share=GROWTH)


def new_row(record: Record, file: SourceFile, base: bytes) -> NewRow:
    """Return a record as a row on its way into a dataset."""
    meta = record.meta | ({"notes_of_otto": list(record.notes)} if record.notes else {})
    return NewRow(
        conversation=record.conversation,
        origin_key=origin_key(base, record.start, record.end),
        source_file_id=file.pk,
        start=record.start,
        end=record.end,
        place=clean_text(record.place).text,
        reading=file.reading,
        meta=meta,
        decision=record.decision,
    )


def issues_of(batch: list[Item], file: SourceFile, seen: Counter[str]) -> Iterator[Issue]:
    """Yield the rows of a batch's problems; the counters stay exact beyond the most."""
    for item in batch:
        if not isinstance(item, Problem):
            continue
        seen[item.code] += 1
        if seen[item.code] <= ISSUES_PER_CODE:
            yield Issue(
                source_file=file,
                code=item.code,
                line=item.line,
                column=item.column,
                start=item.start,
                end=item.end,
                message=clean_text(item.message).text,
                place=clean_text(item.place).text,
                sample=clean_text(item.sample).text,
            )
