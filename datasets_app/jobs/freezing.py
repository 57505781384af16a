"""Filling an ordered version: splits, manifest and counts, in one transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.quality import QualityCounts
from datasets_app.corpus.split import Shares, Split, SplitRow, assign_splits, block_groups
from datasets_app.models import (
    CHOSEN,
    Choice,
    Conversation,
    Dataset,
    Version,
    VersionRow,
)
from datasets_app.selectors.learnable import CAN_BE_LEARNT, ENDS_WITH_USER
from datasets_app.selectors.quality import copies_in, tally_of
from datasets_app.selectors.tags import tag_counts
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


@dataclass(frozen=True, slots=True)
class Line:
    """One row on its way into a manifest; `file` is the document of a passage."""

    pk: int
    position: int
    row_hash: str
    revision: int
    group: str
    split: Split | None
    file: UUID | None
    ends_with_user: bool = False


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
    return rows.order_by("position")


@transaction.atomic
def _fill(version: Version, lease: Lease) -> None:
    if version.dataset.deleted_at is not None:
        raise CorpusError("The dataset was deleted before its rows could be frozen.")
    lines = _lines(version)
    unusable = chosen_rows(version).exclude(CAN_BE_LEARNT).count()
    if len(lines) < 2:
        raise CorpusError(_too_few(version, len(lines), unusable))
    shares = Shares(validation=version.shares["validation"], test=version.shares["test"])
    with kept_open():
        failpoint("freezing.splitting")
        assigned = assign_splits(_split_rows(lines), seed=version.split_seed, shares=shares)
    splits = _without_copies(lines, assigned.splits)
    left_out = len(lines) - len(splits)
    manifest_sha256 = _write_manifest(version, lines, splits)
    _keep_splits(version)
    rows = Conversation.objects.filter(version_rows__version=version)
    score = replace(tally_of(rows), copies=copies_in(rows))
    counts = _counts(version, Counter(splits.values()), score)
    finish(
        version,
        manifest_sha256=manifest_sha256,
        counts={
            **counts,
            "left_out": left_out,
            "tags": tag_counts(version),
            "unusable": unusable,
            "last_words": sum(line.ends_with_user for line in lines if line.position in splits),
        },
        quality_score=score.quality_score,
    )
    order_knowledge(version, by=version.created_by)


def _too_few(version: Version, rows: int, unusable: int) -> str:
    told = f"This selection has {rows} conversation(s) that a model can learn from, and a version "
    told += "needs at least two: one to learn from and one to test with."
    if unusable:
        told += f" In {unusable} more nobody answers, or somebody speaks whose role is unknown."
    return told if version.choice == Choice.ALL else f"{told} Accept more rows, or freeze “all”."


def _lines(version: Version) -> list[Line]:
    """Return the chosen rows as they are at one moment: one statement reads them.

    Rows that no model can learn from are left out, whoever accepted them.
    """
    rows = chosen_rows(version).filter(CAN_BE_LEARNT).annotate(ends_with_user=ENDS_WITH_USER)
    fields = ("pk", "position", "row_hash", "revision", "exact_key", "split")
    lines = rows.values_list(*fields, "source_file", "is_passage", "ends_with_user")
    return [
        Line(pk, position, row_hash, revision, group, split, file if is_text else None, said_last)
        for pk, position, row_hash, revision, group, split, file, is_text, said_last in (
            lines.iterator(chunk_size=READ_ROWS)
        )
    ]


def _split_rows(lines: list[Line]) -> Iterator[SplitRow]:
    """Yield the rows to assign; pieces of one document are grouped in blocks."""
    pieces = Counter(line.file for line in lines if line.file)
    blocks = {file: iter(block_groups(count, document=str(file))) for file, count in pieces.items()}
    for line in lines:
        group = next(blocks[line.file]) if line.file else line.group
        yield SplitRow(line.position, group, line.split)


def _without_copies(lines: list[Line], splits: Mapping[int, Split]) -> dict[int, Split]:
    """Return the splits without passages that stand in another one already, word for word.

    To join the blocks that share one would join all of them, where each ends with the same line.
    """
    kept, counts, first = dict(splits), Counter(splits.values()), dict[str, Split]()
    for line in lines:
        split = splits.get(line.position)
        if line.file is None or split is None:
            continue
        if first.setdefault(line.group, split) != split and counts[split] > 1:
            counts[split] -= 1
            del kept[line.position]
    return kept


def _write_manifest(version: Version, lines: list[Line], splits: dict[int, Split]) -> str:
    """Write the lines that were given a split; return the hash of the whole."""
    kept = (line for line in lines if line.position in splits)
    digest = hashlib.sha256()
    columns = ("version_id", "position", "conversation_id", "revision", "row_hash", "split")
    with copying(VersionRow._meta.db_table, columns) as out:
        for number, line in enumerate(kept, start=1):
            split = splits[line.position]
            digest.update(f"{number} {line.row_hash} {split}\n".encode())
            out.write_row((version.pk, number, line.pk, line.revision, line.row_hash, split))
    return digest.hexdigest()


def _keep_splits(version: Version) -> None:
    """Store the split on rows split for the first time: later versions keep it."""
    begin_change(version.dataset_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE datasets_app_conversation row SET split = line.split
            FROM datasets_app_versionrow line
            WHERE line.version_id = %s AND line.conversation_id = row.id AND row.split IS NULL
            """,
            [version.pk],
        )


def _counts(version: Version, splits: Counter[Split], score: QualityCounts) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(row.n_words), 0), coalesce(sum(length(row.text)), 0),
                   count(*) FILTER (WHERE row.is_passage)
            FROM datasets_app_versionrow line
            JOIN datasets_app_conversation row ON row.id = line.conversation_id
            WHERE line.version_id = %s
            """,
            [version.pk],
        )
        words, characters, passages = cursor.fetchone() or (0, 0, 0)
    everything = version.dataset.conversations.count()
    return {
        "rows": sum(splits.values()),
        "splits": dict(splits),
        "words": int(words),
        "characters": int(characters),
        "passages": int(passages),
        "set_aside": everything - sum(splits.values()),
        "rules": dict(score.rows_by_rule),
        "copies": score.copies,
    }
