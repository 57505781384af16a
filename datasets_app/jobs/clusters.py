"""Writes what a search found: new clusters come, those that are no more go, decisions stay."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from datasets_app.corpus.repeats.clusters import Cluster as Found
from datasets_app.models import (
    Action,
    Cluster,
    ClusterKind,
    ClusterMember,
    Conversation,
    Decision,
    Encoder,
    RepeatSearch,
)
from datasets_app.services.changes import begin_change
from datasets_app.services.curation import set_decision
from otto_web.lib.copying import copying
from otto_web.lib.work.claims import finish, renew

AT_ONCE = 5_000
MEMBER_COLUMNS = ("cluster_id", "conversation_id", "revision", "similarity")


@transaction.atomic(durable=True)
def publish(
    order: RepeatSearch, found: Sequence[Found], encoder: Encoder | None, facts: dict[str, Any]
) -> None:
    """Write the clusters and end the search; a search that lost its lease changes nothing."""
    renew(order)  # before the dataset, as whoever orders locks them
    begin_change(order.dataset_id, is_told=True)
    revisions = _revisions(found)
    keyed = {(one.kind, _key(one, revisions)): one for one in found if _is_whole(one, revisions)}
    mine = Cluster.objects.filter(dataset=order.dataset_id)
    known = {(kind, key): pk for kind, key, pk in mine.values_list("kind", "key", "pk")}
    gone = [pk for name, pk in known.items() if name not in keyed]
    for start in range(0, len(gone), AT_ONCE):
        mine.undecided().filter(pk__in=gone[start : start + AT_ONCE]).delete()
    new = [(name, one) for name, one in keyed.items() if name not in known]
    made = Cluster.objects.bulk_create(
        (
            Cluster(dataset_id=order.dataset_id, kind=kind, key=key, weight=one.weight)
            for (kind, key), one in new
        ),
        batch_size=AT_ONCE,
    )
    with copying(ClusterMember._meta.db_table, MEMBER_COLUMNS) as out:
        for cluster, (_, one) in zip(made, new, strict=True):
            for pk, like in one.members:
                out.write_row((cluster.pk, pk, revisions[pk], like))
    _join_exports(order, [one.pk for one in made if one.kind == ClusterKind.SNAPSHOT])
    counts = Counter(one.kind for one in keyed.values())
    newest = facts.pop("newest")
    facts = {**facts, "clusters": dict(counts)}
    finish(order, encoder=encoder, done=order.total, newest=newest, facts=facts)


def _revisions(found: Iterable[Found]) -> dict[int, int]:
    """Return the revision of each row as it is now, while nobody changes rows."""
    numbers = sorted({pk for one in found for pk, _ in one.members})
    revisions: dict[int, int] = {}
    for start in range(0, len(numbers), AT_ONCE):
        rows = Conversation.objects.filter(pk__in=numbers[start : start + AT_ONCE])
        revisions |= dict(rows.values_list("pk", "revision"))
    return revisions


def _is_whole(one: Found, revisions: Mapping[int, int]) -> bool:
    return all(pk in revisions for pk, _ in one.members)


def _key(one: Found, revisions: Mapping[int, int]) -> str:
    told = ",".join(f"{pk}:{revisions.get(pk, 0)}" for pk, _ in sorted(one.members))
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def _join_exports(order: RepeatSearch, clusters: list[int]) -> None:
    """Keep the longest of each growing export; what a person accepted stays too."""
    shorter = ClusterMember.objects.live().filter(cluster__in=clusters, similarity__lt=1)
    accepted = Q(conversation__decision=Decision.KEEP)
    leaving = list(shorter.exclude(accepted).values_list("conversation", flat=True))
    if not leaving:
        return
    action = Action.objects.create(
        dataset_id=order.dataset_id, actor=order.created_by, kind="repeats", filter={}
    )
    rows = Conversation.objects.filter(pk__in=leaving)
    action.previewed, action.done = set_decision(
        action, rows, Decision.EXCLUDE, by=order.created_by
    )
    action.title = f"{action.done:,} shorter exports of the same chats excluded"
    action.save(update_fields=["previewed", "done", "title"])
    kept = shorter.filter(accepted).values("cluster")
    Cluster.objects.filter(pk__in=clusters).exclude(pk__in=kept).update(action=action)
