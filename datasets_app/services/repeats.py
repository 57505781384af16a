"""Looking for repeats, and what a person decides about rows that repeat or contradict."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn, from_json
from datasets_app.corpus.repeats.said import answer_place
from datasets_app.models import (
    Action,
    Cluster,
    ClusterKind,
    ClusterMember,
    Dataset,
    Decision,
    RepeatSearch,
)
from datasets_app.models import Conversation as Row
from datasets_app.models.repeats import BEST_FIRST, repeats_store
from datasets_app.services.changes import begin_change
from datasets_app.services.curation import PreviewChangedError, set_decision
from datasets_app.services.editing import check
from datasets_app.services.texts import change_texts
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, order_anew
from otto_web.lib.work.states import UNDER_WAY

STOPPED = "stopped"


class DecidedMeanwhileError(CorpusError):
    """Somebody else decided first; nothing of theirs was touched."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person wants of a cluster: the rows as they saw them, and which of them stay."""

    seen: Mapping[int, int]  # revisions by row
    kept: Collection[int] | None  # None: all of them
    answer: str | None = None  # what the one that stays shall answer from now on


@transaction.atomic
def order_search(dataset: Dataset, *, by: User | None) -> RepeatSearch:
    """Have the dataset's repeats looked for; a search that is under way goes on."""
    mine = RepeatSearch.objects.filter(pk=dataset.pk)
    total = dataset.conversations.count()
    _, is_new = mine.get_or_create(dataset=dataset, defaults={"total": total, "created_by": by})
    over = mine.exclude(state__in=UNDER_WAY)
    if is_new or order_anew(over, done=0, read=0, total=total, step="reading", created_by=by):
        audit.record(by, "find repeats", dataset)
        hint(RepeatSearch.job, dataset.pk)
    return mine.get()


@transaction.atomic
def stop_search(dataset: Dataset, *, by: User) -> bool:
    """Stop a search; what it read stays, so that the next one goes on from there."""
    under_way = RepeatSearch.objects.filter(pk=dataset.pk, state__in=UNDER_WAY)
    if not cancel(under_way, STOPPED):
        return False
    audit.record(by, "stop repeats", dataset)
    return True


@transaction.atomic(durable=True)
def decide_cluster(dataset: Dataset, cluster_id: int, wanted: Verdict, *, by: User) -> Action:
    """Keep the chosen rows of a cluster and exclude its others; undone like every other action.

    Where all stay, nothing changes but that nobody is asked about these rows again. Raises a
    CorpusError that says why nothing was done.
    """
    begin_change(dataset.pk, is_told=True)
    cluster = _open_cluster(dataset, cluster_id)
    live = dict(cluster.members.live().values_list("conversation", "revision"))
    _as_seen(live, wanted)
    leaving = [] if wanted.kept is None else [pk for pk in live if pk not in wanted.kept]
    kept = len(live) - len(leaving)
    action = Action.objects.create(
        dataset=dataset,
        actor=by,
        kind="repeats",
        title=_title(kept, len(live), wanted),
        filter={"cluster": cluster.pk},
    )
    action.previewed = len(leaving)
    if wanted.answer is not None:
        action.done += _answered(action, dataset, wanted, by=by)
    if leaving:
        rows = dataset.conversations.filter(pk__in=leaving)
        action.done += set_decision(action, rows, Decision.EXCLUDE, by=by)[1]
    action.save(update_fields=["previewed", "done"])
    Cluster.objects.filter(pk=cluster.pk).update(action=action)
    return action


def _title(kept: int, of: int, wanted: Verdict) -> str:
    if kept == of and wanted.answer is None:
        return f"{kept:,} conversations kept: they differ"
    told = f"{kept:,} of {of:,} repeats kept"
    return told if wanted.answer is None else f"{told}, with an answer written anew"


def _open_cluster(dataset: Dataset, cluster_id: int) -> Cluster:
    found = dataset.clusters.select_related("action__actor").filter(pk=cluster_id).first()
    if found is None:
        raise CorpusError(
            "These conversations were compared anew meanwhile and stand together otherwise now. "
            "Nothing was changed; look at the list again."
        )
    if found.action is not None and not Action.objects.filter(undoes=found.action).exists():
        actor = found.action.actor
        who = actor.get_full_name() or actor.get_username() if actor else "Somebody"
        raise DecidedMeanwhileError(
            f"{who} decided about these conversations before you: {found.action.title}. Nothing "
            "was changed by you. Undo that decision if you see it otherwise."
        )
    return found


def _as_seen(live: Mapping[int, int], wanted: Verdict) -> None:
    if len(live) < 2:
        raise CorpusError(
            "Only one of these conversations is left: the others were excluded, changed or removed "
            "meanwhile. Nothing was changed."
        )
    if any(live.get(pk) != revision for pk, revision in wanted.seen.items()):
        raise CorpusError(
            "One of these conversations was changed or excluded while you looked. Nothing was "
            "changed; look at them again."
        )
    if wanted.kept is not None and (not wanted.kept or not set(wanted.kept) <= live.keys()):
        raise CorpusError("Choose at least one conversation that stays. Nothing was changed.")
    if wanted.answer is not None and len(wanted.kept or ()) != 1:
        raise CorpusError(
            "An answer of your own goes into one conversation. Choose the one that stays."
        )


def _answered(action: Action, dataset: Dataset, wanted: Verdict, *, by: User) -> int:
    """Write the person's answer into the row that stays; return how many rows that changed."""
    row = Row.objects.get(pk=next(iter(wanted.kept or ())), dataset=dataset)
    stored = from_json(row.turns)
    place = answer_place(stored)
    if place is None or not (wanted.answer or "").strip():
        raise CorpusError("An answer needs words, and a conversation with a question before it.")
    turns = list(stored.turns)
    turns[place] = Turn(turns[place].role, wanted.answer or "", turns[place].is_learnt)
    changed = Conversation(tuple(turns))
    check(changed)
    if changed == stored:
        return 0
    change_texts(action, [(row, changed)], by=by)
    audit.record(by, "row.changed", row, after={"revision": row.revision})
    return 1


@transaction.atomic(durable=True)
def exclude_copies(dataset: Dataset, *, previewed: int, by: User) -> Action:
    """Exclude every copy but the best of each cluster of copies, if these are as many as shown."""
    begin_change(dataset.pk, is_told=True)
    waiting = dataset.clusters.waiting().filter(kind=ClusterKind.EXACT)
    clusters = list(waiting.values_list("pk", flat=True))
    leaving = surplus_of(clusters)
    if len(leaving) != previewed:
        raise PreviewChangedError(
            f"There are {len(leaving):,} copies now and there were {previewed:,} when you looked. "
            "Nothing was changed; look again and decide anew."
        )
    if not leaving:
        raise CorpusError("There are no copies to exclude.")
    action = Action.objects.create(dataset=dataset, actor=by, kind="repeats", filter={})
    rows = dataset.conversations.filter(pk__in=leaving)
    action.previewed, action.done = set_decision(action, rows, Decision.EXCLUDE, by=by)
    action.title = f"{action.done:,} copies excluded, one of each kept"
    action.save(update_fields=["previewed", "done", "title"])
    Cluster.objects.filter(pk__in=clusters).update(action=action)
    return action


def surplus_of(clusters: Collection[int]) -> list[int]:
    """Return the rows of clusters beside the best of each."""
    members = ClusterMember.objects.live().filter(cluster__in=clusters)
    best = members.order_by("cluster", *BEST_FIRST).distinct("cluster").values("pk")
    return list(members.exclude(pk__in=best).values_list("conversation", flat=True))


def remove_unnamed_indexes(before: datetime) -> None:
    """Free the indexes that no search names, or whose dataset was deleted."""
    store = repeats_store()
    named = RepeatSearch.objects.filter(dataset__deleted_at=None).values_list("folder", flat=True)
    kept = {Path(folder).name for folder in named}
    for path in store.iterdir() if store.exists() else ():
        if path.name.removesuffix(".lock") in kept or path.stat().st_mtime > before.timestamp():
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
