"""What tells two versions apart: rows, sides, settings, findings.

Versions of one dataset share rows, which are compared one by one. Where two versions share none,
as those of two datasets do, a row is the same when it says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection

from datasets_app.corpus.conversation import Conversation, from_json
from datasets_app.corpus.difference import TurnDifference, turn_differences
from datasets_app.corpus.rules.finding import SEVERITY_WORDS
from datasets_app.corpus.rules.registry import label_of
from datasets_app.models import Version
from datasets_app.selectors.versions import version_rows

PAGE_ROWS = 25
MOST_COMPARED = 40_000  # words of one times words of the other: 25 rows well below a second
KEPT_SECONDS = 24 * 3600
KINDS = ("added", "removed", "changed", "moved")

# Rows under the key by which they are matched; of those that say the same, first with first.
_ROWS = "SELECT {key} AS key, {columns} FROM datasets_app_versionrow WHERE version_id = %s"
_BY_ROW = "conversation_id"
_BY_WORDS = (
    "row_hash || ' ' || row_number() OVER (PARTITION BY row_hash COLLATE \"C\" ORDER BY position)"
)
_COLUMNS = "position, conversation_id, row_hash, split"
_JOINED = "FROM ({rows}) was FULL JOIN ({rows}) now ON was.key = now.key"
_WHICH = {
    "added": "was.key IS NULL",
    "removed": "now.key IS NULL",
    "changed": "was.row_hash <> now.row_hash",
    "moved": "was.split <> now.split",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are in both, and how many differ in which way; `sides` says from where to."""

    was: int
    now: int
    same: int
    added: int
    removed: int
    changed: int
    moved: int
    sides: list[tuple[str, str, int]]
    is_by_row: bool

    @property
    def is_equal(self) -> bool:
        return not (self.added or self.removed or self.changed or self.moved)

    @property
    def of_kinds(self) -> list[tuple[str, int]]:
        return [(kind, getattr(self, kind)) for kind in KINDS]

    @property
    def newly_learnt(self) -> int:
        """Return how many rows were kept back before and are trained on now."""
        return sum(n for _, after, n in self.sides if after == "train")


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row that differs: its places, its splits and its words."""

    was_position: int | None
    position: int | None
    was_split: str
    split: str
    turns: list[dict[str, Any]] = field(default_factory=list)
    differences: list[TurnDifference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DiffPage:
    """The rows of one kind on one page; `before` and `following` are numbers of pages."""

    kind: str
    rows: list[DiffRow]
    first: int
    before: int | None
    following: int | None


def counts_of(was: Version, now: Version) -> Counts:
    """Return what differs; frozen versions never change, so it is counted once a day."""
    key = f"diff-{was.pk}-{now.pk}"
    found: Counts | None = cache.get(key)
    if found is None:
        found = _count(was.pk, now.pk)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _count(was: UUID, now: UUID) -> Counts:
    is_by_row = _shares_rows(was, now)
    joined = _join(is_by_row=is_by_row)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT was.split, now.split, count(*), count(*) FILTER (WHERE {_WHICH["changed"]})
            {joined} GROUP BY 1, 2
            """,
            [was, now],
        )
        groups = cursor.fetchall()
    both = [group for group in groups if group[0] and group[1]]
    sides = [(before, after, n) for before, after, n, _ in both if before != after]
    changed = sum(group[3] for group in both)
    return Counts(
        was=sum(n for before, _, n, _ in groups if before),
        now=sum(n for _, after, n, _ in groups if after),
        same=sum(group[2] for group in both) - changed,
        added=sum(n for before, _, n, _ in groups if not before),
        removed=sum(n for _, after, n, _ in groups if not after),
        changed=changed,
        moved=sum(n for _, _, n in sides),
        sides=sides,
        is_by_row=is_by_row,
    )


def _shares_rows(was: UUID, now: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT 1 FROM datasets_app_versionrow was
                JOIN datasets_app_versionrow now USING (conversation_id)
                WHERE was.version_id = %s AND now.version_id = %s
            )
            """,
            [was, now],
        )
        return bool(cursor.fetchone()[0])


def _join(*, is_by_row: bool) -> str:
    rows = _ROWS.format(key=_BY_ROW if is_by_row else _BY_WORDS, columns=_COLUMNS)
    return _JOINED.format(rows=rows)


def diff_page(was: Version, now: Version, counts: Counts, *, kind: str, number: int) -> DiffPage:
    """Return a page of rows that differ in one way, in the order of the later version."""
    total = getattr(counts, kind)
    last = max(0, (total - 1) // PAGE_ROWS)
    number = min(number, last)
    if not total:
        return DiffPage(kind, [], 1, None, None)
    side = "was" if kind == "removed" else "now"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT was.position, now.position, was.split, now.split
            {_join(is_by_row=counts.is_by_row)} WHERE {_WHICH[kind]}
            ORDER BY {side}.position LIMIT {PAGE_ROWS} OFFSET {number * PAGE_ROWS}
            """,
            [was.pk, now.pk],
        )
        places = cursor.fetchall()
    rows = list(_rows(was, now, places))
    following = number + 1 if number < last else None
    return DiffPage(kind, rows, number * PAGE_ROWS + 1, number - 1 if number else None, following)


def _rows(was: Version, now: Version, places: list[tuple[Any, ...]]) -> Iterator[DiffRow]:
    old = _talks(was, [place[0] for place in places if place[0]])
    new = _talks(now, [place[1] for place in places if place[1]])
    for was_position, position, was_split, split in places:
        before, after = old.get(was_position), new.get(position)
        row = DiffRow(was_position, position, was_split or "", split or "")
        if before and after and before != after:
            row.differences.extend(turn_differences(before, after, most=MOST_COMPARED))
        else:
            row.turns.extend((after or before or Conversation(())).as_json())
        yield row


def _talks(version: Version, positions: list[int]) -> dict[int, Conversation]:
    if not positions:
        return {}
    rows = version_rows(version.pk, None).filter(position__in=positions)
    return {row["position"]: from_json(row["turns"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of both versions."""

    name: str
    was: str
    now: str

    @property
    def differs(self) -> bool:
        return self.was != self.now


def settings_that_differ(was: Version, now: Version) -> list[Setting]:
    """Return what was chosen differently: rows, shares, seed, and the rules."""
    old, new = dict(_settings(was)), dict(_settings(now))
    names = dict.fromkeys([*old, *new])
    found = (Setting(name, old.get(name, "–"), new.get(name, "–")) for name in names)
    return [one for one in found if one.differs]


def _settings(version: Version) -> Iterator[tuple[str, str]]:
    parts = version.parts.select_related("source").order_by("place")
    mixed = [f"{part.share:g} % {part.source.name}" for part in parts]
    yield "Rows", " and ".join(mixed) or version.get_choice_display()
    for name, share in version.shares.items():
        yield f"Share for {name}", f"{100 * share:g} %"
    yield "Seed of the splits", str(version.split_seed)
    for rule, setting in version.policy.items():
        does = SEVERITY_WORDS.get(setting.get("severity", ""), "as is usual")
        yield f"Rule “{label_of(rule)}”", does if setting.get("on", True) else "off"
        for threshold, value in setting.get("thresholds", {}).items():
            yield f"Rule “{label_of(rule)}”, {threshold.replace('_', ' ')}", f"{value:g}"


def findings_of(was: Version, now: Version) -> list[tuple[str, int, int]]:
    """Return how many rows of each version each rule objected to."""
    old, new = was.counts.get("rules", {}), now.counts.get("rules", {})
    rules = sorted({*old, *new}, key=lambda rule: -max(old.get(rule, 0), new.get(rule, 0)))
    return [(label_of(rule), old.get(rule, 0), new.get(rule, 0)) for rule in rules]
