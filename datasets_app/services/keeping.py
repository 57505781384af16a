"""Rows that say the same in a new reading of their file stay, with all that people did to them."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from datasets_app.corpus.split import exact_key
from datasets_app.models import Action, Conversation, ConversationRevision, SourceFile
from datasets_app.selectors.earlier_rows import earlier_rows
from datasets_app.selectors.origin_keys import REPLACED
from datasets_app.services.changes import begin_change
from datasets_app.services.writing import NewRow


@dataclass(frozen=True, slots=True)
class _Earlier:
    pk: int
    position: int
    place: tuple[int | None, int | None]


@dataclass(slots=True)
class Matching:
    """Finds for each record the earlier row that said the same when it came.

    The one at the same place comes first, then the first in the order of the table; each row is
    found once. What a person split off goes with the row that it was split from.
    """

    file: SourceFile
    reading: int
    dataset: UUID
    halves: dict[int, list[int]] = field(default_factory=dict)
    _taken: bytearray = field(default_factory=bytearray)

    @classmethod
    def of(cls, file: SourceFile, reading: int) -> Matching | None:
        """Return what earlier readings left of a file; None where that is nothing."""
        first = earlier_rows(file, reading).values_list("dataset", flat=True)[:1]
        for dataset in first:
            return cls(file, reading, dataset, _halves(dataset))
        return None

    def rows(self) -> QuerySet[Conversation]:
        """Return all of them."""
        return earlier_rows(self.file, self.reading)

    def found(self, rows: Sequence[NewRow]) -> dict[str, int]:
        """Return the earlier row of each key of a record that has one."""
        wanted = {row.origin_key: row for row in rows}
        named, found = self._by_key(wanted)
        for key in named:
            del wanted[key]
        said = {key: row.conversation.row_hash() for key, row in wanted.items()}
        known = self._by_words(wanted.values(), set(said.values()))
        there: defaultdict[tuple[str, object], deque[_Earlier]] = defaultdict(deque)
        for words, those in known.items():
            for one in those:
                there[words, one.place].append(one)
        for key, row in wanted.items():
            self._find(key, there[said[key], (row.start, row.end)], found)
        for key in wanted:
            if key not in found:
                self._find(key, known[said[key]], found)
        return found

    def _find(self, key: str, those: deque[_Earlier], found: dict[str, int]) -> None:
        """Let a record be the first of these rows that is free; none is looked at twice."""
        while those:
            one = those.popleft()
            if self._take(one.position):
                found[key] = one.pk
                return

    def with_halves(self, pks: Iterable[int]) -> dict[int, int]:
        """Return these rows and what was split off them, each with the row it came from."""
        origin = {pk: pk for pk in pks}
        below = list(origin)
        while below:
            pk = below.pop()
            for half in self.halves.get(pk, ()):
                origin[half] = origin[pk]
                below.append(half)
        return origin

    def _is_taken(self, position: int) -> bool:
        return position < len(self._taken) and bool(self._taken[position])

    def _take(self, position: int) -> bool:
        """Note that a row is found; False where it was before."""
        if self._is_taken(position):
            return False
        self._taken.extend(bytes(max(0, position + 1 - len(self._taken))))
        self._taken[position] = 1
        return True

    def _by_key(self, wanted: dict[str, NewRow]) -> tuple[set[str], dict[str, int]]:
        """Return the keys that the dataset has already, and those of the file's earlier rows."""
        there = Conversation.objects.filter(dataset=self.dataset, origin_key__in=list(wanted))
        named: set[str] = set()
        found: dict[str, int] = {}
        columns = ("origin_key", "pk", "position", "source_file", "reading")
        for key, pk, position, file, reading in there.values_list(*columns):
            named.add(key)
            if file == self.file.pk and reading < self.reading and self._take(position):
                found[key] = pk
        return named, found

    def _by_words(
        self, rows: Iterable[NewRow], said: set[str]
    ) -> defaultdict[str, deque[_Earlier]]:
        """Return the free earlier rows by what they said when they came, in the table's order."""
        keys = {exact_key(row.conversation) for row in rows}
        split_off = [pk for halves in self.halves.values() for pk in halves]
        theirs = self.rows().exclude(pk__in=split_off) if split_off else self.rows()
        columns = ("pk", "position", "start", "end", "row_hash")
        unchanged = theirs.filter(dataset=self.dataset, exact_key__in=keys, revision=1)
        first = ConversationRevision.objects.filter(
            revision=1,
            row_hash__in=said,
            conversation__source_file=self.file,
            conversation__reading__lt=self.reading,
        ).exclude(conversation__origin_key__startswith=REPLACED)
        off = set(split_off)
        changed = first.values_list(
            "conversation",
            *(f"conversation__{name}" for name in columns[1:4]),
            "row_hash",
        )
        found: defaultdict[str, deque[_Earlier]] = defaultdict(deque)
        both = [*unchanged.values_list(*columns), *changed]
        for pk, position, start, end, words in sorted(both, key=lambda one: one[1]):
            if words in said and pk not in off and not self._is_taken(position):
                found[words].append(_Earlier(pk, position, (start, end)))
        return found


def _halves(dataset: UUID) -> dict[int, list[int]]:
    """Return the rows that people split off others, by the row that they split."""
    halves = defaultdict(list)
    splits = Action.objects.filter(dataset=dataset, kind="split").order_by("pk")
    for chosen in splits.values_list("filter", flat=True):
        row, half = chosen["ids"]
        halves[row].append(half)
    return dict(halves)


def keep_earlier(earlier: Matching, rows: Sequence[NewRow]) -> set[str]:
    """Let earlier rows be what these records gave; return the keys of the records that had one.

    Called in the transaction that writes the others. What a row says, its number, decision, tags
    and history are not touched.
    """
    begin_change(earlier.dataset, is_told=True)
    earlier.halves = _halves(earlier.dataset)  # people split rows while a file is read
    found = earlier.found(rows)
    by_pk = {found[row.origin_key]: row for row in rows if row.origin_key in found}
    told = []
    for pk, origin in earlier.with_halves(by_pk).items():
        row = by_pk[origin]
        told.append(
            {
                "id": pk,
                "origin_key": row.origin_key if pk == origin else None,
                "start": row.start,
                "end": row.end,
                "place": row.place,
                "meta": row.meta,
            }
        )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE datasets_app_conversation row
            SET origin_key = COALESCE(new.origin_key, row.origin_key), start = new.start,
                "end" = new."end", place = new.place, meta = new.meta, reading = %s
            FROM jsonb_to_recordset(%s::jsonb) AS new (
                id bigint, origin_key text, start bigint, "end" bigint, place text, meta jsonb
            )
            WHERE new.id = row.id AND row.dataset_id = %s
            """,
            [earlier.reading, json.dumps(told), earlier.dataset],
        )
    return set(found)
