"""A search and replace as its page shows it: the rows it would change, or what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from datasets_app.corpus.cleaning import PROFILES, SWITCHES, wanted_of
from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.difference import TurnDifference
from datasets_app.corpus.replacing import SIDES
from datasets_app.models import Action, Conversation, Dataset, Replacement, Step
from datasets_app.selectors.row_filter import RowFilter
from otto_web.lib.work.states import State

SHOWN = 50


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row that holds the words, with what would change in it; changed since, it is skipped."""

    row: Conversation
    differences: list[TurnDifference]
    is_changed_since: bool


def replacement_page(dataset: Dataset, order: Replacement) -> dict[str, Any]:
    """Return what the page of a search and replace shows in each of its steps."""
    rows = RowFilter.from_query(QueryDict(order.query))
    looked = order.step == Step.LOOK and order.state == State.SUCCEEDED
    return {
        "dataset": dataset,
        "order": order,
        "wanted": order.wanted,
        "side": SIDES.get(order.wanted.get("side", ""), ""),
        "switches": _switches(order),
        "again": "words-clean" if "switches" in order.wanted else "words-replace",
        "narrows": rows.narrows,
        "here": rows.query(),
        "looked": looked,
        "shown": first_rows(order) if looked else [],
        "beyond": max(0, order.n_rows - SHOWN),
        "skipped": dataset.conversations.filter(pk__in=order.skipped).order_by("position"),
        "undoing": Action.objects.filter(undoes=order.action_id).first(),
    }


def _switches(order: Replacement) -> list[tuple[str, int]]:
    """Return each switch of a cleaning with the rows that it changes."""
    on = order.wanted.get("switches", [])
    return [(SWITCHES[name].label, order.tallies.get(name, 0)) for name in SWITCHES if name in on]


def switches_of(dataset: Dataset, profile: str) -> tuple[str, ...]:
    """Return the switches of a profile, else those that were last used in the dataset."""
    if profile in PROFILES:
        return PROFILES[profile]
    last = dataset.replacements.filter(wanted__has_key="switches").order_by("-pk").first()
    return tuple(last.wanted["switches"]) if last else PROFILES["chat"]


def first_rows(order: Replacement) -> list[ShownRow]:
    """Return the first rows in the order of the table, as they are now."""
    seen: dict[int, int] = {}
    for part in order.parts.order_by("pk"):
        seen |= dict(zip(part.conversations, part.revisions, strict=True))
        if len(seen) >= SHOWN:
            break
    ids = [*seen][:SHOWN]
    wanted = wanted_of(order.wanted)
    found = Conversation.objects.filter(pk__in=ids).only("position", "revision", "turns")
    return [
        ShownRow(row, wanted.differences(from_json(row.turns)), row.revision != seen[row.pk])
        for row in found.order_by("position", "pk")
    ]
