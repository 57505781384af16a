"""How passages of an upload would be told: the files that have some, and the first of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Length

from datasets_app.corpus.archives.limits import MIB, ArchiveLimits
from datasets_app.corpus.conversation import Conversation, CorpusError
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.corpus.readers import reading
from datasets_app.corpus.readers.prompted import TOO_LITTLE, File, Passages
from datasets_app.corpus.readers.worth import Worth, weighed
from datasets_app.corpus.source import Item, Problem, Record
from datasets_app.models import Conversation as Row
from datasets_app.models import SourceFile, Upload
from datasets_app.models.blob import blob_path

LOOKED_AT, SHOWN, SHOWN_PARAGRAPHS, SHOWN_TOPICS = 3, 10, 30, 40
MOST_READ = 200
COUNTED_ROWS = 2_000
LIMITS = replace(  # somebody waits for the page
    ArchiveLimits.of_document(), memory_bytes=256 * MIB, cpu_seconds=10, wall_seconds=10
)


@dataclass(slots=True)
class Preview:
    """The first records as they would be, and how much of their text gets a question."""

    shown: list[tuple[str, Conversation]] = field(default_factory=list)
    judged: list[tuple[Worth, bool]] = field(default_factory=list)
    """The first paragraphs with their scores, and whether each is kept; of a filter only."""
    topics: dict[str, str] = field(default_factory=dict)
    short: list[tuple[str, str, str]] = field(default_factory=list)
    """The first texts that are left out as too short: file, beginning, reason."""
    n_short: int = 0
    n_kept: int = 0
    n_dropped: int = 0
    asked: int = 0
    left: int = 0
    letters: int = 0
    asked_letters: int = 0

    @property
    def looked_at(self) -> int:
        """Return how many texts were looked at, kept or not."""
        return self.asked + self.left + self.n_short

    @property
    def covered(self) -> int:
        """Return the share of the text that answers a question, in percent."""
        return round(100 * self.asked_letters / self.letters) if self.letters else 0

    def weigh(self, record: Record, least: float) -> None:
        """Count the paragraphs of a passage by whether they are kept, and show the first."""
        for one in weighed(record.turns[0].text):
            is_kept = one.passes(least)
            self.n_kept += is_kept
            self.n_dropped += not is_kept
            if len(self.judged) < SHOWN_PARAGRAPHS:
                self.judged.append((one, is_kept))

    def note_topic(self, record: Record, file: File, passages: Passages) -> None:
        """Note what a passage is about as it was found, and as it will be called."""
        found = dataclasses.replace(passages, topics={}).cells(record, file)["topic"]
        if len(self.topics) < SHOWN_TOPICS:
            self.topics[found] = passages.topics.get(found, found)

    def add(self, told: Item, name: str) -> None:
        """Count what became of a passage, and show it if it is one of the first."""
        if isinstance(told, Problem) and told.code == TOO_LITTLE:
            self.n_short += 1
            if len(self.short) < SHOWN:
                self.short.append((name, told.sample, told.message))
        elif isinstance(told, Record):
            self._add(told, name)

    def _add(self, record: Record, name: str) -> None:
        told = record.conversation
        size = sum(len(turn.text) for turn in told.turns if turn.role != "user")
        self.letters += size
        if told.is_passage:
            self.left += 1
        else:
            self.asked += 1
            self.asked_letters += size
        if len(self.shown) < SHOWN:
            self.shown.append((name, told))


def passage_files(upload: Upload) -> QuerySet[SourceFile]:
    """Return the files of an upload whose passages may be told otherwise."""
    passages = Row.objects.filter(source_file=OuterRef("pk"), is_passage=True)
    told = Q(mapping__has_key="passages") | (Q(mapping__isnull=True) & Q(Exists(passages)))
    found: QuerySet[SourceFile] = SourceFile.objects.at_rest().filter(told, upload=upload)
    return found.order_by("depth", "member_no")


def preview(files: Sequence[SourceFile], passages: Passages) -> Preview:
    """Return how the first files would be told; what cannot be read now is passed over."""
    found = Preview()
    for file in files[:LOOKED_AT]:
        with suppress(CorpusError, OSError):
            for record in _records(file, passages):
                if passages.least is not None and record.conversation.is_passage:
                    found.weigh(record, passages.least)
                about = File(file.name, FORMATS[file.kind].name)
                if record.conversation.is_passage:
                    found.note_topic(record, about, passages)
                for told in passages.told(iter_of(record), about):
                    found.add(told, file.name)
    return found


def _records(file: SourceFile, passages: Passages) -> Iterator[Record]:
    path = blob_path(str(file.blob_id))
    cuts: dict[str, Any] = {"is_apart": bool(passages.prompts), "longest": passages.longest}
    if FORMATS[file.kind].document:
        asked = reading.Asked(file.section, None, file.name, limits=LIMITS, **cuts)
        items = reading.read_document(path, file.kind, asked)
    else:
        identified = identify(path, file.name, encoding=file.chosen_encoding)
        items = reading.read(path, identified, name=file.name, **cuts)
    with closing(items):
        yield from islice((item for item in items if isinstance(item, Record)), MOST_READ)


def iter_of(record: Record) -> Generator[Item]:
    """Yield one record, as a reader would."""
    yield record


def coverage(upload: Upload) -> dict[str, int]:
    """Return of some rows of an upload how many are asked for, and which share of the text.

    `seen` says of how many, where there may be more: to read all the text would take minutes.
    """
    rows = Row.objects.filter(source_file__upload=upload).annotate(size=Length("text"))
    asked = Q(is_passage=False)
    found = rows[:COUNTED_ROWS].aggregate(
        asked=Count("pk", filter=asked),
        left=Count("pk", filter=~asked),
        letters=Sum("size", default=0),
        asked_letters=Sum("size", filter=asked, default=0),
    )
    share = round(100 * found["asked_letters"] / found["letters"]) if found["letters"] else 0
    counted = found["asked"] + found["left"]
    seen = counted if counted == COUNTED_ROWS else 0
    return {"asked": found["asked"], "left": found["left"], "share": share, "seen": seen}
