"""Which rows repeat or contradict others, as long as nobody decided about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.db.models import Count, Q, QuerySet

from datasets_app.models import ClusterMember, Conversation, Dataset
from datasets_app.selectors.counted import counted

ANY = "any"


def repeats(dataset: Dataset, kinds: Collection[str]) -> Q:
    """Return the condition to stand in a cluster of these kinds that waits for a decision."""
    return Q(pk__in=_waiting(dataset, kinds).values("conversation"))


def has_clusters(dataset: Dataset) -> bool:
    return counted(dataset, "has clusters", dataset.clusters.exists)


def repeats_by_kind(dataset: Dataset, rows: QuerySet[Conversation]) -> Counter[str]:
    """Count the rows that stand in waiting clusters, by kind; a row may stand in several."""
    mine = _waiting(dataset, ()).filter(conversation__in=rows.order_by().values("pk"))
    counts = mine.order_by().values_list("cluster__kind")
    return Counter(dict(counts.annotate(n=Count("conversation", distinct=True))))


def _waiting(dataset: Dataset, kinds: Collection[str]) -> QuerySet[ClusterMember]:
    clusters = dataset.clusters.waiting()
    if kinds and ANY not in kinds:
        clusters = clusters.filter(kind__in=kinds)
    return ClusterMember.objects.live().filter(cluster__in=clusters)
