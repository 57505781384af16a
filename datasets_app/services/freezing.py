"""Filling an ordered version: sides, manifest and counts, in one transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.quality import Tally
from datasets_app.corpus.split import Shares, Side, SplitRow, block_groups, deal
from datasets_app.models import Choice, Conversation, Status, Version, VersionState
from datasets_app.selectors.quality import tally_of

WRITE_ROWS = 5_000
STATUSES: dict[str, tuple[str, ...]] = {
    Choice.KEPT: (Status.KEPT,),
    Choice.REVIEW: (Status.KEPT, Status.REVIEW),
    Choice.ALL: (Status.KEPT, Status.REVIEW, Status.EXCLUDED),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row on its way into a manifest."""

    pk: int
    position: int
    row_hash: str
    revision: int
    key: str
    group: str
    side: Side | None


def freeze(version_id: UUID) -> None:
    """Fill a version that was ordered; harmless when it is done already or being done."""
    try:
        with transaction.atomic():
            orders = Version.objects.select_for_update(skip_locked=True)
            version = orders.filter(pk=version_id, state=VersionState.FREEZING).first()
            if version is not None:
                _fill(version)
    except CorpusError as error:
        Version.objects.filter(pk=version_id, state=VersionState.FREEZING).update(
            state=VersionState.FAILED, reason=str(error)
        )


def chosen_rows(version: Version) -> QuerySet[Conversation]:
    """Return the dataset's rows that the version's choice lets in, in table order."""
    rows = version.dataset.conversations.filter(status__in=STATUSES[version.choice])
    return rows.order_by("position")


def _fill(version: Version) -> None:
    lines = list(_lines(version))
    if len(lines) < 2:
        raise CorpusError(
            f"This selection has {len(lines)} conversation(s), and a version needs at least two: "
            "one to learn from and one to test with. Accept more rows, or freeze “all”."
        )
    rows = [SplitRow(line.key, line.group, line.side) for line in lines]
    shares = Shares(valid=version.shares["valid"], test=version.shares["test"])
    dealt = deal(rows, seed=version.split_seed, shares=shares)
    sides = dealt.sides
    lines = [line for line in lines if line.key in sides]
    version.manifest_sha256 = _write_manifest(version, lines, sides)
    _keep_sides(version)
    score = tally_of(chosen_rows(version))
    version.counts = _counts(version, Counter(sides[line.key] for line in lines), score)
    version.counts["left_out"] = len(dealt.left_out)
    version.quality_score = score.quality_score
    version.state = VersionState.READY
    version.save(update_fields=["manifest_sha256", "counts", "quality_score", "state"])


def _lines(version: Version) -> Iterator[Line]:
    """Yield the chosen rows; pieces of one document are grouped in blocks."""
    fields = ("pk", "position", "row_hash", "revision", "origin_key", "exact_key", "side")
    pieces = _pieces_per_file(version)
    seen: Counter[UUID] = Counter()
    rows = chosen_rows(version).values_list(*fields, "source_file", "is_passage")
    for *found, file, is_passage in rows.iterator(chunk_size=WRITE_ROWS):
        pk, position, row_hash, revision, key, group, side = found
        if is_passage and file in pieces:
            group = pieces[file][seen[file]]
            seen[file] += 1
        yield Line(pk, position, row_hash, revision, key, group, side)


def _pieces_per_file(version: Version) -> dict[UUID, list[str]]:
    counts = Counter(
        chosen_rows(version)
        .filter(is_passage=True, source_file__isnull=False)
        .values_list("source_file", flat=True)
        .iterator(chunk_size=WRITE_ROWS)
    )
    return {file: block_groups(count, document=str(file)) for file, count in counts.items()}


def _write_manifest(version: Version, lines: list[Line], sides: dict[str, Side]) -> str:
    digest = hashlib.sha256()
    copy = (
        "COPY datasets_app_versionrow "
        "(version_id, position, conversation_id, revision, row_hash, side) FROM STDIN"
    )
    with connection.cursor() as cursor, cursor.copy(copy) as out:
        for number, line in enumerate(lines, start=1):
            side = sides[line.key]
            digest.update(f"{number} {line.row_hash} {side}\n".encode())
            out.write_row((version.pk, number, line.pk, line.revision, line.row_hash, side))
    return digest.hexdigest()


def _keep_sides(version: Version) -> None:
    """Store the side on rows dealt for the first time: later versions keep it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE datasets_app_conversation row SET side = line.side
            FROM datasets_app_versionrow line
            WHERE line.version_id = %s AND line.conversation_id = row.id AND row.side IS NULL
            """,
            [version.pk],
        )


def _counts(version: Version, sides: Counter[Side], score: Tally) -> dict[str, Any]:
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
        "rows": sum(sides.values()),
        "sides": dict(sides),
        "words": int(words),
        "characters": int(characters),
        "passages": int(passages),
        "set_aside": everything - sum(sides.values()),
        "rules": dict(score.rows_by_rule),
    }
