"""How the rows under a filter are made up: each value of a field with its count, and two shapes.

A field's values are counted under the other fields of the filter. Of a large dataset, rows found by
an index are still counted one by one where they are few, and all others are estimated from rows
spread evenly over the dataset.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import BigIntegerField, Case, F, Func, QuerySet, Value, When
from django.db.models.functions import Coalesce

from datasets_app.corpus.language import NAMES as LANGUAGES
from datasets_app.corpus.rules.registry import label_of
from datasets_app.corpus.split import SPLITS
from datasets_app.corpus.tags import NOTHING
from datasets_app.models import ClusterKind, Conversation, Dataset, Origin, SourceFile, Status
from datasets_app.selectors.counted import counted
from datasets_app.selectors.estimates import (
    MOST_FOUND,
    in_sample,
    is_few,
    is_large,
    rounded,
    scale_of,
)
from datasets_app.selectors.repeating import ANY, has_clusters, repeats_by_kind
from datasets_app.selectors.row_filter import NAMES, RowFilter
from datasets_app.selectors.tags import tags_of_dataset, tags_of_matching

_MOST_NAMED = 500  # files whose names are looked up: more than shown, since counts are often equal
MOST_SHOWN = 12  # values of one field; the chosen ones are always shown
MOST_QUALITY = 100
QUALITY_STEPS = tuple(range(0, MOST_QUALITY + 1, 10))
LENGTH_STEPS = (0, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
BANDS = (("good", "70-100"), ("fair", "50-69"), ("poor", "0-49"))


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value with its rows under the other fields; `query` adds it, or takes it away."""

    value: str
    label: str
    count: int
    query: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A field of the filter with its values, the most frequent first."""

    name: str
    title: str
    values: list[FacetValue]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of a histogram; `height` is in percent of the highest."""

    low: int
    high: int | None
    count: int
    height: int
    query: str
    is_chosen: bool

    @property
    def top(self) -> int:
        return 100 - self.height

    @property
    def words(self) -> str:
        if self.high is None:
            return f"{self.low:,} and more" if self.low != MOST_QUALITY else str(MOST_QUALITY)
        return f"{self.low:,}–{self.high:,}"


@dataclass(frozen=True, slots=True)
class Histogram:
    """The shape of a figure, the range that is chosen of it, and the bands of quality."""

    name: str
    title: str
    bars: list[Bar]
    low: str
    high: str
    hidden: list[tuple[str, str]]
    bands: list[FacetValue]


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything beside the table; estimates are rounded and said to be some."""

    facets: list[Facet]
    histograms: list[Histogram]
    matching: int
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class _Counts:
    """What was counted: per column, its values; how often each counted row stands for others."""

    by: dict[str, Counter[Any]]
    is_estimate: bool = False


def _bucket(field: str, steps: Sequence[int]) -> Func:
    return Func(
        F(field), Value(list(steps)), function="width_bucket", output_field=BigIntegerField()
    )


COLUMNS: dict[str, Any] = {
    "status": F("status"),
    "reason": F("reasons"),
    "quality": _bucket("quality", QUALITY_STEPS),
    "band": Case(When(quality__gte=70, then=0), When(quality__gte=50, then=1), default=2),
    "length": _bucket("n_words", LENGTH_STEPS),
    "language": F("language"),
    "file": F("source_file"),
    "split": Coalesce("split", Value(NOTHING)),
    "edited": Case(When(revision__gt=1, then=Value("1")), default=Value("")),
    "person": F("updated_by"),
    "origin": F("origin"),
}
TITLES = {
    "status": "Status",
    "reason": "Finding",
    "language": "Language",
    "file": "Source file",
    "split": "Side",
    "tag": "Tag",
    "repeats": "Repeats",
    "person": "Changed by",
    "edited": "Edited",
    "origin": "Origin",
}


def panel(dataset: Dataset, rows: RowFilter) -> Panel:
    """Return what stands beside the table, one query for each field that is chosen and one more.

    Tags and repeats, of which a row has several, are asked for where there are any.
    """
    whole = _counts(dataset, rows, [name for name in COLUMNS if not _chosen(rows, name)])
    found = dict(whole.by)
    is_estimate = whole.is_estimate
    for name in COLUMNS:
        if name not in found:
            field = "quality" if name == "band" else name
            others = _counts(dataset, rows.without(field), [name])
            found[name] = others.by[name]
            is_estimate = is_estimate or others.is_estimate
    for name in _OF_MANY:
        scope = rows.without(name)
        of_all = _counts(dataset, scope, []) if _chosen(rows, name) else whole
        found[name] = _several(dataset, scope, name, is_sampled=of_all.is_estimate)
        is_estimate = is_estimate or of_all.is_estimate
    labels = {
        "file": _file_names(found["file"], rows.chosen("file")),
        "person": _names(found["person"]),
    }
    return Panel(
        facets=list(_facets(rows, found, labels)),
        histograms=[_quality(rows, found), _lengths(rows, found)],
        matching=whole.by[""].total(),
        is_estimate=is_estimate,
    )


def _chosen(rows: RowFilter, name: str) -> bool:
    return bool(getattr(rows, "quality" if name == "band" else name))


# Counting --------------------------------------------------------------------------------------
def _counts(dataset: Dataset, rows: RowFilter, columns: list[str]) -> _Counts:
    what = f"facets {' '.join(columns)} {rows.without().meaning(dataset)}"
    return counted(dataset, what, lambda: _count(dataset, rows, columns))


def _count(dataset: Dataset, rows: RowFilter, columns: list[str]) -> _Counts:
    matching = rows.rows(dataset)
    if not is_large(dataset):
        return _Counts(_grouped(matching, columns))
    seen = _grouped(matching.filter(in_sample(dataset)), columns)
    if rows.is_found_by_index and is_few(seen[""].total()):
        few = _grouped(matching, columns, most=MOST_FOUND)
        if few[""].total() < MOST_FOUND:
            return _Counts(few)
    scale = scale_of(dataset)
    return _Counts(
        {
            name: Counter({value: rounded(n * scale) for value, n in counts.items()})
            for name, counts in seen.items()
        },
        is_estimate=True,
    )


def _several(dataset: Dataset, rows: RowFilter, name: str, *, is_sampled: bool) -> Counter[Any]:
    """Count the rows by something of which each may have several, where the dataset has any."""
    is_there, by_value = _OF_MANY[name]
    if not is_there(dataset):
        return Counter()

    def count() -> Counter[Any]:
        matching = rows.rows(dataset)
        if not is_sampled:
            return Counter(by_value(dataset, matching))
        seen = by_value(dataset, matching.filter(in_sample(dataset)))
        scale = scale_of(dataset)
        return Counter({value: rounded(n * scale) for value, n in seen.items()})

    return counted(dataset, f"facet {name} {rows.meaning(dataset)}", count)


_OF_MANY: dict[str, tuple[Callable[[Dataset], Any], Callable[..., Mapping[Any, int]]]] = {
    "tag": (tags_of_dataset, tags_of_matching),
    "repeats": (has_clusters, repeats_by_kind),
}


def _grouped(
    rows: QuerySet[Conversation], columns: list[str], most: int | None = None
) -> dict[str, Counter[Any]]:
    """Count the rows by each of the columns in one pass; the empty name counts all of them."""
    named = {f"by_{name}": COLUMNS[name] for name in columns}
    chosen = rows.order_by().values(**named) if named else rows.order_by().values("pk")
    sql, params = chosen[:most].query.sql_with_params()
    names = ", ".join(named)
    sets = ", ".join(f"({name})" for name in (*named, ""))
    told = f"GROUPING({names}), {names}" if named else "0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), {told} FROM ({sql}) row GROUP BY GROUPING SETS ({sets})",  # noqa: S608
            params,
        )
        found = cursor.fetchall()
    by: dict[str, Counter[Any]] = {name: Counter() for name in ("", *columns)}
    for count, mask, *values in found:
        # GROUPING has a bit for each column that the line is not grouped by, the first the highest
        place = next(
            (n for n in range(len(columns)) if not mask >> (len(columns) - 1 - n) & 1), None
        )
        name = "" if place is None else columns[place]
        value = None if place is None else values[place]
        by[name][tuple(value) if isinstance(value, list) else value] += count
    return by


# Showing ---------------------------------------------------------------------------------------
def _facets(
    rows: RowFilter, found: dict[str, Counter[Any]], labels: dict[str, dict[Any, str]]
) -> Iterator[Facet]:
    reasons: Counter[Any] = Counter()
    for names, count in found["reason"].items():
        reasons.update(dict.fromkeys(names, count))
    for name, title in TITLES.items():
        counts = reasons if name == "reason" else found[name]
        values = _values(rows, name, counts, labels.get(name, {}))
        said = [one for one in values if one.value != NOTHING]
        if (said and (len(values) > 1 or name != "origin")) or name in _ALONE:
            shown = [one for n, one in enumerate(values) if n < MOST_SHOWN or one.is_chosen]
            yield Facet(name, title, shown, len(values) - len(shown))


_ALONE = ("status", "reason", "edited")  # that there is none says something, too


def _values(
    rows: RowFilter, name: str, counts: Counter[Any], labels: dict[Any, str]
) -> list[FacetValue]:
    word = WORDS.get(name, str)
    by_value = {_written(value): (value, n) for value, n in counts.items()}
    if name == "edited":
        by_value.pop("none", None)
    for value in rows.chosen(name):
        by_value.setdefault(value, (value, 0))
    shown = [
        FacetValue(
            value,
            labels.get(stored) or word(value),
            count,
            rows.toggled(name, value),
            value in rows.chosen(name),
        )
        for value, (stored, count) in by_value.items()
    ]
    named = {str(stored) for stored in labels}  # of many with one count, those with a name first
    return sorted(shown, key=lambda one: (-one.count, one.value not in named, one.label))


def _written(value: Any) -> str:
    return NOTHING if value in {None, ""} else str(value)


WORDS: dict[str, Callable[[str], str]] = {
    "status": lambda value: Status(value).label,
    "reason": label_of,
    "language": lambda value: LANGUAGES.get(value, "not told"),
    "file": lambda value: "no file" if value == NOTHING else "a file that is gone",
    "split": lambda value: value if value in SPLITS else "not dealt yet",
    "edited": lambda _: "words changed by people",
    "tag": lambda value: "without a tag" if value == NOTHING else value,
    "repeats": lambda value: "any of these" if value == ANY else str(ClusterKind(value).label),
    "person": lambda value: "nobody" if value == NOTHING else "somebody who is gone",
    "origin": lambda value: str(Origin(value).label),
}


def _file_names(counts: Counter[Any], chosen: Collection[str]) -> dict[Any, str]:
    most = [value for value, _ in counts.most_common(_MOST_NAMED)]
    most += [value for value in counts if str(value) in chosen]
    return dict(SourceFile.objects.filter(pk__in=most).values_list("pk", "name"))


def _names(counts: Iterable[Any]) -> dict[Any, str]:
    people = User.objects.filter(pk__in=[pk for pk in counts if pk])
    return {user.pk: user.get_full_name() or user.username for user in people}


def _quality(rows: RowFilter, found: dict[str, Counter[Any]]) -> Histogram:
    bands = [
        FacetValue(
            word,
            f"{word}, {span.replace('-', '–')}",
            found["band"][place],
            rows.query(quality="" if rows.quality == span else span),
            rows.quality == span,
        )
        for place, (word, span) in enumerate(BANDS)
    ]
    return _histogram(rows, "quality", found["quality"], QUALITY_STEPS, bands)


def _lengths(rows: RowFilter, found: dict[str, Counter[Any]]) -> Histogram:
    return _histogram(rows, "length", found["length"], LENGTH_STEPS, [])


def _histogram(
    rows: RowFilter, name: str, counts: Counter[Any], steps: Sequence[int], bands: list[FacetValue]
) -> Histogram:
    chosen = getattr(rows, name)
    low, _, high = chosen.partition("-")
    highest = max([*counts.values(), 1])
    bars = []
    for place, start in enumerate(steps):
        end = steps[place + 1] - 1 if place + 1 < len(steps) else None
        count = counts[place + 1]
        span = f"{start}-{'' if end is None else end}"
        is_in = bool(chosen) and start >= int(low or 0) and (not high or start <= int(high))
        query = rows.query(**{name: "" if chosen == span else span})
        bars.append(Bar(start, end, count, -(-100 * count // highest), query, is_in))
    hidden = parse_qsl(rows.query(**{name: ""}))
    return Histogram(NAMES.get(name, name), HISTOGRAMS[name], bars, low, high, hidden, bands)


HISTOGRAMS = {"quality": "Quality", "length": "Length in words"}
