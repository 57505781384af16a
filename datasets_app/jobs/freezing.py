"""Filling an ordered version: splits, manifest and counts, in one transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.quality import QualityCounts
from datasets_app.corpus.split import Shares, Split, SplitRow, assign_splits, block_groups
from datasets_app.jobs.mixing import Taken, take_mixed
from datasets_app.models import (
    CHOSEN,
    Choice,
    Conversation,
    Dataset,
    Version,
    VersionRow,
)
from datasets_app.selectors.learnable import CAN_BE_LEARNT, ENDS_WITH_USER
from datasets_app.selectors.quality import Group, tally
from datasets_app.selectors.scorings import kept_by
from datasets_app.selectors.tags import tag_counts
from datasets_app.selectors.together import groups_together, leaks_of
from datasets_app.services.changes import begin_change
from datasets_app.services.knowledge import order_knowledge
from datasets_app.services.versions import VersionOrder, new_version
from otto_web.lib.copying import copying
from otto_web.lib.failpoints import failpoint
from otto_web.lib.patience import kept_open
from otto_web.lib.statistics import renew_statistics
from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.states import State

READ_ROWS = 5_000
LINES_AT_ONCE = 20_000
# The columns of the table of rows that are being frozen.
ROWS = (
    *("id", "position", "row_hash", "revision", "exact_key", "split", "source_file", "is_passage"),
    *("status", "decision", "reasons", "n_words", "characters", "ends", "learnt"),
)
SUMS = ("words", "characters", "passages", "last_words")
SORTED_IN = "128MB"  # a million rows are sorted several times


class Line(NamedTuple):
    """One row on its way into a manifest; `file` is the document of a passage."""

    position: int
    group: str
    split: Split | None
    file: UUID | None


def freeze_version(
    dataset: Dataset, *, choice: str = Choice.KEPT, name: str = "", user: User | None
) -> Version:
    """Return a finished version; refused with a `CorpusError` that says why."""
    with transaction.atomic():
        version = new_version(dataset, VersionOrder(choice=choice, name=name), user=user)
    freeze(version.pk)
    version.refresh_from_db()
    if version.state != State.SUCCEEDED:
        raise CorpusError(version.message or "Another worker freezes it; look at its page.")
    return version


def freeze(version_id: UUID | str) -> None:
    """Fill a version that was ordered; harmless when it is done already or being done."""
    perform(Version, version_id, _fill, refusals=(CorpusError,))
    renew_statistics(VersionRow)


def chosen_rows(version: Version) -> QuerySet[Conversation]:
    """Return the dataset's rows that the version's choice lets in, in table order."""
    rows = version.dataset.conversations.filter(status__in=CHOSEN[version.choice])
    if version.scoring is not None:
        kept = rows.filter(kept_by(version.scoring, version.threshold or Decimal()))
        if version.with_passages:
            rows = rows.filter(Q(pk__in=kept.values("pk")) | Q(is_passage=True))
        else:
            rows = kept
    return rows.order_by("position")


@transaction.atomic
def _fill(version: Version, lease: Lease) -> None:
    if version.dataset.deleted_at is not None:
        raise CorpusError("The dataset was deleted before its rows could be frozen.")
    changes = Dataset.objects.values_list("changes", flat=True).get(pk=version.dataset_id)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{SORTED_IN}'")
    is_mix = version.parts.exists()
    taken = take_mixed(version) if is_mix else _take_dealt(version)
    manifest_sha256 = _write_manifest(version)
    if not is_mix:
        _keep_splits(version, changes)
    groups, sums = _made_up()
    score = replace(tally(groups), copies=_copies())
    finish(
        version,
        manifest_sha256=manifest_sha256,
        counts={
            **_counts(taken, score),
            **{name: sums[name] for name in SUMS},
            "leaks": leaks_of(version, taken.datasets),
            "left_out": taken.left_out,
            "tags": tag_counts(version),
            "unusable": taken.unusable,
        },
        quality_score=score.quality_score,
    )
    order_knowledge(version, by=version.created_by)


def _take_dealt(version: Version) -> Taken:
    """Note the rows that the version's choice lets in, and deal them into splits."""
    rows, unusable = _take_rows(version)
    if rows < 2:
        raise CorpusError(_too_few(version, rows, unusable))
    shares = Shares(validation=version.shares["validation"], test=version.shares["test"])
    together = groups_together(version.dataset)
    with kept_open():
        failpoint("freezing.splitting")
        assigned = assign_splits(_split_rows(together), seed=version.split_seed, shares=shares)
        splits = _without_copies(_lines("WHERE is_passage"), assigned.splits)
        _write_splits(splits)
    return Taken(
        splits=Counter(splits.values()),
        datasets=[version.dataset_id],
        out_of=version.dataset.conversations.count(),
        left_out=rows - len(splits),
        unusable=unusable,
    )


def _too_few(version: Version, rows: int, unusable: int) -> str:
    told = f"This selection has {rows} conversation(s) that a model can learn from, and a version "
    told += "needs at least two: one to learn from and one to test with."
    if unusable:
        told += f" In {unusable} more nobody answers, or somebody speaks whose role is unknown."
    return told if version.choice == Choice.ALL else f"{told} Accept more rows, or freeze “all”."


def _take_rows(version: Version) -> tuple[int, int]:
    """Note the chosen rows as they are at one moment, in a table of this transaction.

    Return how many a model can learn from, and how many not: these are left out, whoever accepted
    them. A million rows do not fit into the memory of a worker.
    """
    told = {"characters": Length("text"), "ends": ENDS_WITH_USER, "learnt": CAN_BE_LEARNT}
    wanted = chosen_rows(version).order_by().annotate(**told).values_list(*ROWS)
    sql, params = wanted.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS frozen_row, frozen_split")
        named = ", ".join(ROWS)
        cursor.execute(f"CREATE TEMP TABLE frozen_row ({named}) ON COMMIT DROP AS {sql}", params)
        cursor.execute("DELETE FROM frozen_row WHERE NOT coalesce(learnt, false)")
        unusable = cursor.rowcount
        cursor.execute("ANALYZE frozen_row")
        cursor.execute("SELECT count(*) FROM frozen_row")
        return cursor.fetchone()[0], unusable


def _told(sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a statement, some thousand at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(READ_ROWS):
            yield from rows


def _lines(which: str = "") -> Iterator[Line]:
    """Yield the noted rows in table order."""
    file = "CASE WHEN is_passage THEN source_file END"
    columns = f"position, exact_key, split, {file}"
    for found in _told(f"SELECT {columns} FROM frozen_row {which} ORDER BY position"):  # noqa: S608
        yield Line(*found)


def _split_rows(together: Mapping[str, str]) -> Iterator[SplitRow]:
    """Yield the rows to assign; what repeats is one group, and so are blocks of one document."""
    pieces = "SELECT source_file, count(*) FROM frozen_row WHERE is_passage GROUP BY 1"
    blocks = {
        file: iter(block_groups(count, document=str(file)))
        for file, count in list(_told(pieces))
        if file
    }
    for line in _lines():
        group = next(blocks[line.file]) if line.file else together.get(line.group, line.group)
        yield SplitRow(line.position, group, line.split)


def _without_copies(lines: Iterable[Line], splits: dict[int, Split]) -> dict[int, Split]:
    """Take passages that stand in another split already, word for word, out of the splits.

    To join the blocks that share one would join all of them, where each ends with the same line.
    """
    counts, first = Counter(splits.values()), dict[str, Split]()
    for line in lines:
        split = splits.get(line.position)
        if line.file is None or split is None:
            continue
        if first.setdefault(line.group, split) != split and counts[split] > 1:
            counts[split] -= 1
            del splits[line.position]
    return splits


def _write_splits(splits: Mapping[int, Split]) -> None:
    """Write the splits beside the noted rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE frozen_split (position bigint, split text) ON COMMIT DROP"
        )
    told = iter(splits.items())
    with copying("frozen_split", ("position", "split")) as out:
        while some := list(islice(told, READ_ROWS)):
            out.write("".join(f"{position}\t{split}\n" for position, split in some))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE frozen_split")


def _write_manifest(version: Version) -> str:
    """Write the lines that were given a split; return the hash of the whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO datasets_app_versionrow
                (version_id, position, conversation_id, revision, row_hash, split)
            SELECT %s, row_number() OVER (ORDER BY position), id, revision, row_hash, given.split
            FROM frozen_row JOIN frozen_split given USING (position) ORDER BY position
            """,
            [version.pk],
        )
        rows = cursor.rowcount
    digest = hashlib.sha256()
    lines = """
        SELECT string_agg(concat(position, ' ', row_hash, ' ', split, E'\\n'), '' ORDER BY position)
        FROM datasets_app_versionrow WHERE version_id = %s AND position > %s AND position <= %s
    """
    with connection.cursor() as cursor:
        for start in range(0, rows, LINES_AT_ONCE):
            cursor.execute(lines, [version.pk, start, start + LINES_AT_ONCE])
            digest.update(cursor.fetchone()[0].encode())
    return digest.hexdigest()


def _keep_splits(version: Version, changes: int) -> None:
    """Store the split on rows split for the first time: later versions keep it.

    Rows may have been removed since they were noted, at that number of the dataset's changes;
    nobody removes any while the dataset is held.
    """
    held = begin_change(version.dataset_id, is_told=True)
    with connection.cursor() as cursor:
        if held.changes > changes + 1:
            cursor.execute(
                """
                SELECT count(*) FROM frozen_row JOIN frozen_split USING (position)
                WHERE NOT EXISTS (
                    SELECT FROM datasets_app_conversation held WHERE held.id = frozen_row.id
                )
                """
            )
            if gone := cursor.fetchone()[0]:
                raise IntegrityError(f"{gone} rows were removed while they were frozen")
        cursor.execute(
            """
            UPDATE datasets_app_conversation held SET split = given.split
            FROM frozen_row JOIN frozen_split given USING (position)
            WHERE frozen_row.split IS NULL AND held.id = frozen_row.id AND held.split IS NULL
            """
        )


def _made_up() -> tuple[list[Group], Counter[str]]:
    """Return how the rows of the version are made up, and sums over all of them."""
    found = _told(
        """
        SELECT status, decision, reasons, count(*), sum(n_words), sum(characters),
               count(*) FILTER (WHERE is_passage), count(*) FILTER (WHERE ends)
        FROM frozen_row JOIN frozen_split USING (position) GROUP BY 1, 2, 3
        """
    )
    groups: list[Group] = []
    sums: Counter[str] = Counter()
    for status, decision, why, count, *more in found:
        groups.append(Group(status, decision, tuple(why), count))
        sums.update(dict(zip(SUMS, map(int, more), strict=True)))
    return groups, sums


def _copies() -> int:
    """Return how many rows of the version say the same as another of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(said - 1), 0) FROM (
                SELECT count(*) AS said FROM frozen_row JOIN frozen_split USING (position)
                GROUP BY exact_key
            ) text
            """
        )
        return int(cursor.fetchone()[0])


def _counts(taken: Taken, score: QualityCounts) -> dict[str, Any]:
    return {
        "rows": taken.splits.total(),
        "splits": dict(taken.splits),
        "set_aside": taken.out_of - taken.splits.total(),
        "rules": dict(score.rows_by_rule),
        "copies": score.copies,
    }
