"""Rows that belong together: none of them may be learnt from while another one tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from datasets_app.corpus.repeats.clusters import Joined
from datasets_app.models import ClusterMember, Dataset, RepeatSearch, Version
from otto_web.lib.work.states import State

EXAMPLES = 5
LEAKS = """
SELECT held.conversation_id, min(learnt.conversation_id)
FROM datasets_app_versionrow held
JOIN datasets_app_clustermember one
  ON one.conversation_id = held.conversation_id AND one.revision = held.revision
JOIN datasets_app_clustermember other
  ON other.cluster_id = one.cluster_id AND other.conversation_id <> one.conversation_id
JOIN datasets_app_versionrow learnt
  ON learnt.conversation_id = other.conversation_id AND learnt.revision = other.revision
 AND learnt.version_id = held.version_id AND learnt.split = 'train'
WHERE held.version_id = %s AND held.split <> 'train'
GROUP BY held.conversation_id ORDER BY held.conversation_id
"""


def groups_together(dataset: Dataset) -> dict[str, str]:
    """Return one key for the exact keys that the last search put together, where rows say the same.

    A key that stands alone is left out.
    """
    joined = Joined()
    members = ClusterMember.objects.filter(
        cluster__dataset=dataset, conversation__revision=F("revision")
    )
    first: dict[int, int] = {}
    pairs = members.order_by("pk").values_list("cluster", "conversation__exact_key")
    for cluster, key in pairs.iterator():
        number = int(key, 16)
        joined.join(first.setdefault(cluster, number), number)
    groups = (map("{:032x}".format, members) for members in joined.sets())
    return {key: keys[0] for keys in map(list, groups) for key in keys}


def families_of(datasets: Iterable[Dataset]) -> dict[str, str]:
    """Return the same for some datasets as one: a text of two of them joins what they put together.

    Of one dataset these are its groups.
    """
    joined = Joined()
    for dataset in datasets:
        for key, group in groups_together(dataset).items():
            joined.join(int(key, 16), int(group, 16))
    sets = (map("{:032x}".format, members) for members in joined.sets())
    return {key: keys[0] for keys in map(list, sets) for key in keys}


def leaks_of(version: Version, datasets: Collection[UUID]) -> dict[str, Any]:
    """Return how many rows that test repeat one that is learnt from, and some of these pairs.

    Nothing where the repeats of one of its datasets were never looked for: then nobody knows.
    """
    searched = RepeatSearch.objects.filter(pk__in=datasets, state=State.SUCCEEDED)
    if searched.count() < len(set(datasets)):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LEAKS, [version.pk])
        pairs = [(learnt, held) for held, learnt in cursor.fetchall()]
    return {"rows": len(pairs), "examples": pairs[:EXAMPLES]}
