"""What versions have to give to a mix: their rows, none of them twice, none learnt and tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.core.cache import cache
from django.db import connection, transaction

from datasets_app.corpus.conversation import CorpusError, from_json
from datasets_app.corpus.mixing import Ingredient, given
from datasets_app.corpus.split import SPLITS, exact_key
from datasets_app.models import ConversationRevision, Dataset, RepeatSearch, Version
from datasets_app.selectors.together import families_of
from otto_web.lib.copying import copying
from otto_web.lib.patience import kept_open

KEPT_SECONDS = 3600
A_BATCH = 2_000
MOST_PREVIEWED = 200_000  # rows that are looked through while somebody waits
_TAUGHT_AND_TESTED = """
USING (
    SELECT family, place, max(array_position('{train,validation,test}', split)) AS best
    FROM mixed_row GROUP BY family, place
) other
WHERE mixed_row.family = other.family AND mixed_row.place <> other.place
  AND array_position('{train,validation,test}', mixed_row.split) < other.best
"""
_GIVEN_BEFORE = """
USING (SELECT {key} AS said, min(place) AS place FROM mixed_row GROUP BY 1) first
WHERE mixed_row.{key} = first.said AND mixed_row.place > first.place
"""


@dataclass(frozen=True, slots=True)
class Given:
    """What a version has to give: rows by split; and what it cannot, since others say the same."""

    source: Version
    rows: dict[str, int]
    repeated: int = 0
    held_back: int = 0

    def ingredient(self, share: float) -> Ingredient:
        return Ingredient(self.source.name, share, self.rows)


def what_is_there(sources: Sequence[Version]) -> tuple[list[Given], bool]:
    """Return what versions have to give, and whether that was looked through row by row.

    Of very many rows it says what the versions hold: then a mix may become smaller.
    """
    held = [dict(one.counts.get("splits", {})) for one in sources]
    if sum(sum(rows.values()) for rows in held) > MOST_PREVIEWED:
        return [Given(one, rows) for one, rows in zip(sources, held, strict=True)], False
    key = f"mix {[str(one.pk) for one in sources]} {_state(sources)}".replace(" ", "")
    found: list[Given] | None = cache.get(key)
    if found is None:
        with transaction.atomic():
            found = note_rows(sources)
        cache.set(key, found, KEPT_SECONDS)
    return found, True


def _state(sources: Sequence[Version]) -> list[str]:
    """Return what decides which rows belong together: texts, and the searches for repeats."""
    datasets = {one.dataset_id for one in sources}
    found = RepeatSearch.objects.filter(pk__in=datasets).order_by("pk")
    changes = Dataset.objects.filter(pk__in=datasets).order_by("pk").values_list("changes")
    return [str(list(found.values_list("fence", "state"))), str(list(changes))]


def note_rows(sources: Sequence[Version]) -> list[Given]:
    """Note what can go into a mix in the table `mixed_row` of this transaction; return its counts.

    What one version keeps for validation or test no row of another may teach that says it, or
    stands in one cluster with it: those are left out. What several say the first one gives.
    """
    with kept_open():
        _note_all(sources)
        _know_earlier_texts()
        _join_families()
        held_back = _deleted(_TAUGHT_AND_TESTED)
        repeated = _deleted(_GIVEN_BEFORE.format(key="exact_key"))
        repeated += _deleted(_GIVEN_BEFORE.format(key="id"))
        rows: dict[int, dict[str, int]] = {}
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE mixed_row")
            cursor.execute("SELECT place, split, count(*) FROM mixed_row GROUP BY 1, 2")
            for place, split, count in cursor.fetchall():
                rows.setdefault(place, {})[split] = count
    return [
        Given(source, rows.get(place, {}), repeated[place], held_back[place])
        for place, source in enumerate(sources, start=1)
    ]


def _note_all(sources: Sequence[Version]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS mixed_row, mixed_family")
        cursor.execute(
            """
            CREATE TEMP TABLE mixed_row ON COMMIT DROP AS
            SELECT part.place, line.position, line.conversation_id AS id, line.revision,
                   line.row_hash, line.split, row.dataset_id,
                   CASE WHEN row.revision = line.revision THEN row.exact_key END AS exact_key,
                   NULL::text AS family
            FROM unnest(%s::uuid[]) WITH ORDINALITY AS part (version_id, place)
            JOIN datasets_app_versionrow line USING (version_id)
            JOIN datasets_app_conversation row ON row.id = line.conversation_id
            """,
            [[one.pk for one in sources]],
        )


def datasets_noted() -> list[UUID]:
    """Return the datasets whose rows are noted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT dataset_id FROM mixed_row")
        return [pk for (pk,) in cursor.fetchall()]


def _deleted(which: str) -> Counter[int]:
    """Delete noted rows; return how many they were of each part."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM mixed_row "  # noqa: S608 - statements of this module
            f"{which} RETURNING mixed_row.place) SELECT place, count(*) FROM gone GROUP BY 1"
        )
        return Counter(dict(cursor.fetchall()))


def _know_earlier_texts() -> None:
    """Note the key of what rows said when they were frozen, where somebody changed them since."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT id, revision FROM mixed_row WHERE exact_key IS NULL")
        changed = dict[int, set[int]]()
        for pk, revision in cursor.fetchall():
            changed.setdefault(pk, set()).add(revision)
        rows = iter(changed)
        while some := list(islice(rows, A_BATCH)):
            said = ConversationRevision.objects.filter(conversation__in=some)
            told = [
                (pk, revision, exact_key(from_json(turns)))
                for pk, revision, turns in said.values_list("conversation", "revision", "turns")
                if revision in changed[pk]
            ]
            cursor.execute(
                """
                UPDATE mixed_row SET exact_key = told.key
                FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS told (row, revision, key)
                WHERE mixed_row.exact_key IS NULL
                  AND mixed_row.id = told.row AND mixed_row.revision = told.revision
                """,
                [list(column) for column in zip(*told, strict=True)],
            )


def _join_families() -> None:
    """Note what belongs together: equal texts, and what the search for repeats put together."""
    families = families_of(Dataset.objects.filter(pk__in=datasets_noted()))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE mixed_family (key text, family text) ON COMMIT DROP")
    told = iter(families.items())
    with copying("mixed_family", ("key", "family")) as out:
        while some := list(islice(told, A_BATCH)):
            out.write("".join(f"{key}\t{family}\n" for key, family in some))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mixed_row SET family = exact_key")
        cursor.execute("ANALYZE mixed_family")
        cursor.execute(
            """
            UPDATE mixed_row SET family = mixed_family.family
            FROM mixed_family WHERE mixed_row.exact_key = mixed_family.key
            """
        )


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """A version with what it would give."""

    given: Given
    share: float
    takes: Counter[str]

    @property
    def rows(self) -> int:
        return self.takes.total()

    @property
    def splits(self) -> list[tuple[str, int]]:
        return [(split, self.takes[split]) for split in SPLITS]


@dataclass(frozen=True, slots=True)
class MixPreview:
    """What a mix would be made of, or why it cannot be made."""

    parts: list[PreviewPart]
    is_exact: bool = True
    error: str = ""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def splits(self) -> list[tuple[str, int]]:
        return [(split, sum(part.takes[split] for part in self.parts)) for split in SPLITS]


def mix_preview(parts: Sequence[tuple[Version, float]], rows: int | None) -> MixPreview:
    """Return what mixing would take now; frozen versions give the same until rows are compared."""
    there, is_exact = what_is_there([source for source, _ in parts])
    shares = [share for _, share in parts]
    named = [one.ingredient(share) for one, share in zip(there, shares, strict=True)]
    try:
        takes = given(named, rows)
    except CorpusError as error:
        return MixPreview([], is_exact, str(error))
    return MixPreview(list(map(PreviewPart, there, shares, takes)), is_exact)
