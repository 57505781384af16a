"""The tags of a dataset and of rows, and the condition to have one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Count, Exists, F, Func, OuterRef, Q, QuerySet

from datasets_app.corpus.tags import NOTHING, tone_of
from datasets_app.models import Conversation, Dataset, RowTag, Tag, Version
from datasets_app.selectors.counted import counted

FEW = 20_000  # rows whose ids are found quicker than rows in order are looked through


@dataclass(frozen=True, slots=True)
class ShownTag:
    """A tag with its colour and on how many rows it is."""

    pk: int
    name: str
    tone: int
    count: int = 0


def tags_of_dataset(dataset: Dataset) -> list[ShownTag]:
    """Return the tags that rows have, by name; counted once per change."""
    return counted(dataset, "tags", lambda: _counted(dataset.tags.all()))


def _counted(tags: QuerySet[Tag]) -> list[ShownTag]:
    found = tags.annotate(count=Count("rows")).filter(count__gt=0).order_by("name")
    return [ShownTag(tag.pk, tag.name, tone_of(tag.name), tag.count) for tag in found]


def tags_of_rows(ids: Collection[int]) -> dict[int, list[ShownTag]]:
    """Return the tags of these rows by name; one query."""
    tags: dict[int, list[ShownTag]] = {}
    found = RowTag.objects.filter(conversation__in=ids).order_by("tag__name")
    for row, pk, name in found.values_list("conversation", "tag", "tag__name"):
        tags.setdefault(row, []).append(ShownTag(pk, name, tone_of(name)))
    return tags


def tags_of_matching(dataset: Dataset, rows: QuerySet[Conversation]) -> dict[str, int]:
    """Return on how many of these rows each tag is, and how many have none; two queries."""
    mine = RowTag.objects.filter(tag__dataset=dataset)
    mine = mine.filter(conversation__in=rows.order_by().values("pk")).order_by()
    tags = dict(mine.values_list("tag__name").annotate(n=Count("pk")))
    bare = rows.exclude(Exists(RowTag.objects.filter(conversation=OuterRef("pk")))).count()
    return tags | ({NOTHING: bare} if bare else {})


def tag_names() -> ArraySubquery:
    """Return the names of a row's tags, for an annotation."""
    mine = RowTag.objects.filter(conversation=OuterRef("pk")).order_by("tag__name")
    return ArraySubquery(mine.values("tag__name"))


def tag_counts(version: Version) -> dict[str, int]:
    """Return on how many rows of a version each tag is now."""
    rows = RowTag.objects.filter(conversation__version_rows__version=version)
    counts = rows.values_list("tag__name").annotate(n=Count("pk")).order_by("tag__name")
    return dict(counts)


def has_tag(dataset: Dataset, names: Collection[str]) -> Q | Exists | Func:
    """Return the condition to have one of these tags; `none` means no tag at all.

    Rare ones are found by their rows: the planner takes these for spread evenly over the dataset,
    and would look through nearly all of it where they are the last ones that came.
    """
    if NOTHING in names:
        theirs = RowTag.objects.filter(conversation=OuterRef("pk"))
        return Q(~Exists(theirs)) | Q(Exists(theirs.filter(tag__name__in=names)))
    mine = RowTag.objects.filter(tag__dataset=dataset, tag__name__in=names)
    if mine[: FEW + 1].count() > FEW:
        return Exists(mine.filter(conversation=OuterRef("pk")))
    return Func(
        F("pk"),
        ArraySubquery(mine.values("conversation")),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )
