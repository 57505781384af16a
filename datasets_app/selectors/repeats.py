"""The queue of repeats and conflicts, card by card."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from datasets_app.corpus.conversation import Conversation, from_json
from datasets_app.corpus.difference import Part, word_difference
from datasets_app.corpus.repeats.clusters import Text, stated_otherwise
from datasets_app.corpus.repeats.facts import Difference
from datasets_app.corpus.repeats.said import answer_place
from datasets_app.models import (
    Cluster,
    ClusterKind,
    ClusterMember,
    ConversationRevision,
    Dataset,
    RepeatSearch,
)
from datasets_app.models import Conversation as Row
from datasets_app.models.repeats import BEST_FIRST
from datasets_app.selectors.counted import counted

CARDS = 10  # of a page
MOST_ROWS = 20  # shown of a cluster
MOST_TURNS, LONGEST_TURN = 6, 1_500  # shown of a row
DECIDED = "decided"
WORDS = {
    ClusterKind.CONFLICT: "One question, different answers",
    ClusterKind.NEAR: "Nearly the same words",
    ClusterKind.EXACT: "The same words",
    ClusterKind.MEANING: "One question in other words",
    ClusterKind.SNAPSHOT: "One chat, exported again when it was longer",
}


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A turn with the words marked that the row beside it has not."""

    role: str
    parts: tuple[Part, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of a card; `copies` more say exactly the same."""

    row: Row
    turns: tuple[ShownTurn, ...]
    more_turns: int
    copies: int
    source: str
    at: datetime
    stated: tuple[Difference, ...]  # otherwise than the best


@dataclass(frozen=True, slots=True)
class Card:
    """A cluster as the queue shows it; the best row stands first and is chosen."""

    cluster: Cluster
    rows: tuple[ShownRow, ...]
    size: int
    is_decided: bool

    @property
    def title(self) -> str:
        return WORDS[ClusterKind(self.cluster.kind)]

    @property
    def answer(self) -> str:
        """Return the answer of the best row, to write one answer from; "" where there is none."""
        best = from_json(self.rows[0].row.turns)
        place = answer_place(best)
        return "" if place is None else best.turns[place].text

    @property
    def unshown(self) -> int:
        return self.size - sum(1 + one.copies for one in self.rows)


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the queue."""

    kind: str
    cards: tuple[Card, ...]
    counts: tuple[tuple[str, str, int], ...]
    following: int | None
    surplus: int  # copies that one press would exclude


def search_of(dataset: Dataset) -> RepeatSearch | None:
    return RepeatSearch.objects.filter(pk=dataset.pk).select_related("encoder").first()


def unread(dataset: Dataset, search: RepeatSearch) -> int:
    """Return how many rows came or were changed since they were compared."""
    new = dataset.conversations.filter(pk__gt=search.newest).count()
    edited = ConversationRevision.objects.filter(
        conversation__dataset=dataset, replaced_at__gt=search.started_at
    )
    return new + edited.values("conversation").distinct().count()


def queue_page(dataset: Dataset, search: RepeatSearch | None, kind: str, after: int) -> Queue:
    """Return the clusters of a kind, what contradicts most or is biggest first."""
    counts = _counts(dataset, search)
    chosen = kind if kind in {*ClusterKind.values, DECIDED} else ""
    chosen = chosen or next(
        (one for one in ClusterKind.values if counts[one]), ClusterKind.CONFLICT
    )
    if chosen == DECIDED:
        clusters = dataset.clusters.decided().order_by("-action", "-pk")
        clusters = clusters.filter(pk__lt=after) if after else clusters
    else:
        clusters = _behind(dataset.clusters.waiting().filter(kind=chosen), dataset, after)
    found = list(clusters.select_related("action__actor", "action__undone_by")[: CARDS + 1])
    labels = [*ClusterKind.choices, (DECIDED, "Decided")]
    return Queue(
        kind=chosen,
        cards=cards_of(found[:CARDS]),
        counts=tuple((name, label, counts[name]) for name, label in labels if counts[name]),
        following=found[CARDS - 1].pk if len(found) > CARDS else None,
        surplus=counts["surplus"],
    )


def _behind(clusters: Any, dataset: Dataset, after: int) -> Any:
    ordered = clusters.order_by("-weight", "pk")
    last = dataset.clusters.filter(pk=after).first() if after else None
    if last is None:
        return ordered
    return ordered.filter(Q(weight__lt=last.weight) | Q(weight=last.weight, pk__gt=last.pk))


def _counts(dataset: Dataset, search: RepeatSearch | None) -> Counter[str]:
    def count() -> Counter[str]:
        waiting = dataset.clusters.waiting().order_by()
        found = Counter(dict(waiting.values_list("kind").annotate(n=Count("pk"))))
        found[DECIDED] = dataset.clusters.decided().count()
        if found[ClusterKind.EXACT]:
            copies = ClusterMember.objects.live().filter(
                cluster__in=waiting.filter(kind=ClusterKind.EXACT)
            )
            found["surplus"] = copies.count() - found[ClusterKind.EXACT]
        return found

    what = f"repeats {search.fence} {search.state}" if search else "repeats"
    return counted(dataset, what, count)


def cards_of(clusters: Iterable[Cluster]) -> tuple[Card, ...]:
    """Return the cards of clusters; a decided one shows its best row."""
    shown = list(clusters)
    decided = [one.pk for one in shown if is_decided(one)]
    members = ClusterMember.objects.filter(cluster__in=[one.pk for one in shown])
    of_cluster: dict[int, list[Any]] = defaultdict(list)
    for member in _members(members.live_or_of(decided)):
        of_cluster[member.cluster_id].append(member)
    cards = (_card(one, of_cluster[one.pk], is_over=is_decided(one)) for one in shown)
    return tuple(card for card in cards if card.rows)


def is_decided(cluster: Cluster) -> bool:
    """Tell whether somebody decided about it, and nobody undid that."""
    return cluster.action is not None and not hasattr(cluster.action, "undone_by")


def _members(members: Any) -> Any:
    """Return the first rows of each cluster, the best first, and how many each has."""
    ranked = members.annotate(
        place=Window(RowNumber(), partition_by=F("cluster"), order_by=BEST_FIRST),
        size=Window(Count("pk"), partition_by=F("cluster")),
    )
    few = ranked.filter(place__lte=MOST_ROWS * 2).order_by("cluster", "place")
    return few.select_related("conversation__source_file__upload")


def _card(cluster: Cluster, members: list[Any], *, is_over: bool) -> Card:
    equal: dict[str, list[Any]] = defaultdict(list)
    for member in members:
        one_each = cluster.kind == ClusterKind.EXACT
        equal[str(member.pk) if one_each else member.conversation.exact_key].append(member)
    groups = list(equal.values())[:MOST_ROWS]
    texts = [from_json(group[0].conversation.turns) for group in groups]
    rows = tuple(
        _shown(group, texts[n], texts[0] if n else texts[min(1, len(texts) - 1)], is_best=not n)
        for n, group in enumerate(groups)
    )
    return Card(cluster, rows, members[0].size if members else 0, is_over)


def _shown(
    group: list[Any], told: Conversation, beside: Conversation, *, is_best: bool
) -> ShownRow:
    row = group[0].conversation
    file = row.source_file
    turns = []
    for place, turn in enumerate(told.turns[:MOST_TURNS]):
        other = beside.turns[place].text if place < len(beside.turns) else ""
        cut = turn.text[:LONGEST_TURN]
        parts = word_difference(other[:LONGEST_TURN], cut)
        told_parts = tuple(part for part in parts if part.kind != "gone")
        turns.append(ShownTurn(turn.role, told_parts, len(turn.text) > LONGEST_TURN))
    return ShownRow(
        row=row,
        turns=tuple(turns),
        more_turns=max(0, len(told.turns) - MOST_TURNS),
        copies=len(group) - 1,
        source=file.name if file else row.get_origin_display(),
        at=file.upload.queued_at if file else row.updated_at,
        stated=() if is_best else tuple(_stated(beside, told)),
    )


def _stated(best: Conversation, other: Conversation) -> list[Difference]:
    places = answer_place(best), answer_place(other)
    if places[0] is None or places[1] is None:
        return []
    texts = best.turns[places[0]].text, other.turns[places[1]].text
    return stated_otherwise(Text.of(texts[0]), Text.of(texts[1]))
