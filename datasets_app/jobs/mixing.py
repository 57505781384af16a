"""Taking the rows of a mix from the versions that it is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.db import connection

from datasets_app.corpus.mixing import given
from datasets_app.corpus.split import Split
from datasets_app.models import Version
from datasets_app.selectors.mixable import datasets_noted, note_rows

# What a row said when the version was frozen that it comes from.
TURNS = """
CASE WHEN row.revision = mixed.revision THEN row.turns
     ELSE (SELECT said.turns FROM datasets_app_conversationrevision said
           WHERE said.conversation_id = row.id AND said.revision = mixed.revision) END
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows that lie in the tables `frozen_row` and `frozen_split` of this transaction."""

    splits: Counter[Split]
    datasets: Sequence[UUID]
    out_of: int  # rows that could have been taken
    left_out: int = 0
    unusable: int = 0


def take_mixed(version: Version) -> Taken:
    """Note the rows of a mix; raises CorpusError where its shares cannot be had."""
    parts = list(version.parts.select_related("source").order_by("place"))
    there = note_rows([part.source for part in parts])
    named = [one.ingredient(part.share) for one, part in zip(there, parts, strict=True)]
    takes = given(named, parts[0].wanted)
    for part, one, take in zip(parts, there, takes, strict=True):
        part.splits = {split: count for split, count in take.items() if count}
        part.repeated, part.held_back = one.repeated, one.held_back
        part.save(update_fields=["splits", "repeated", "held_back"])
    _note_taken(takes, seed=version.split_seed)
    return Taken(
        splits=Counter(cast("dict[Split, int]", sum(takes, Counter()))),
        datasets=datasets_noted(),
        out_of=sum(int(part.source.counts.get("rows", 0)) for part in parts),
        left_out=sum(one.repeated + one.held_back for one in there),
    )


def _note_taken(takes: Sequence[Counter[str]], *, seed: int) -> None:
    """Draw so many rows of each part and split by the seed, and note them, part after part."""
    wanted = [(n, *one) for n, take in enumerate(takes, start=1) for one in take.items()]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS frozen_row, frozen_split")
        cursor.execute(
            f"""
            CREATE TEMP TABLE frozen_row ON COMMIT DROP AS
            SELECT row_number() OVER (ORDER BY mixed.place, mixed.position) AS position,
                   mixed.id, mixed.revision, mixed.row_hash, mixed.exact_key, mixed.split,
                   row.status, row.decision, row.reasons, row.n_words, row.is_passage,
                   length(row.text) AS characters,
                   ({TURNS}) @? '$[last] ? (@.role == "user")' AS ends
            FROM (
                SELECT *, row_number() OVER (
                    PARTITION BY place, split ORDER BY md5(%s || row_hash), position
                ) AS drawn FROM mixed_row
            ) mixed
            JOIN unnest(%s::int[], %s::text[], %s::int[]) AS take (place, split, most)
              ON take.place = mixed.place AND take.split = mixed.split
            JOIN datasets_app_conversation row ON row.id = mixed.id
            WHERE mixed.drawn <= take.most
            """,  # noqa: S608 - a statement of this module
            [f"{seed} ", *([list(column) for column in zip(*wanted, strict=True)])],
        )
        cursor.execute(
            """
            CREATE TEMP TABLE frozen_split ON COMMIT DROP AS SELECT position, split FROM frozen_row
            """
        )
        cursor.execute("ANALYZE frozen_row, frozen_split")
