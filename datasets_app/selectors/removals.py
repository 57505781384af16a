"""What a removal takes away, counted before it is done, and what is being removed now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from datasets_app.models import (
    Conversation,
    Document,
    Removal,
    RowTag,
    Upload,
    VersionRow,
)
from otto_web.lib.work.states import UNDER_WAY


@dataclass(frozen=True, slots=True)
class DeletionSummary:
    """What a removal takes away: conversations that go, and those a version keeps."""

    going: int
    staying: int
    decided: int = 0  # of those that go, and so are the next two
    edited: int = 0
    tagged: int = 0
    documents: int = 0  # cut into chunks


def deletion_summary(upload: Upload) -> DeletionSummary:
    """Count what deleting the upload would take away."""
    rows = summary_of(Conversation.objects.filter(source_file__upload=upload))
    documents = Document.objects.filter(source_file__upload=upload).count()
    return replace(rows, documents=documents)


def summary_of(rows: QuerySet[Conversation]) -> DeletionSummary:
    going = ~Exists(VersionRow.objects.filter(conversation=OuterRef("pk")))
    tags = Exists(RowTag.objects.filter(conversation=OuterRef("pk")))
    counted = rows.aggregate(
        all=Count("pk"),
        going=Count("pk", filter=going),
        decided=Count("pk", filter=going & Q(decision__isnull=False)),
        edited=Count("pk", filter=going & Q(revision__gt=1)),
        tagged=Count("pk", filter=going & Q(tags)),
    )
    staying = counted["all"] - counted["going"]
    people = {name: counted[name] for name in ("decided", "edited", "tagged")}
    return DeletionSummary(counted["going"], staying, **people)


def removals_under_way() -> list[Removal]:
    """Return the removals that are not done, with the names of what goes, the oldest first."""
    found = Removal.objects.filter(state__in=UNDER_WAY).select_related("dataset", "upload")
    return list(found.exclude(total=0).order_by("queued_at"))
