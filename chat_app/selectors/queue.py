"""Who is answered next: everybody in turn, each one's oldest question first."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from chat_app.models import Generation
from otto_web.lib.work.states import State

MOST_AT_WORK = 4  # of one person's answers that an engine writes at once: the rest is for others
MOST_LOOKED_AT = 2_000


def fair_order() -> list[tuple[UUID, bool]]:
    """Return the queued answers in the order in which they start, and whether they may start now.

    A person's next question stands behind everybody who has fewer answers ahead of it. Two queries.
    """
    owner = "answer__chat__owner_id"
    running = Generation.objects.filter(state=State.RUNNING)
    ahead = Counter(running.values_list(owner, flat=True))
    queued = Generation.objects.filter(state=State.QUEUED, stop_requested_at=None)
    ranked: list[tuple[int, int, UUID]] = []
    for pk, person in queued.order_by("queued_at").values_list("pk", owner)[:MOST_LOOKED_AT]:
        ranked.append((ahead[person], len(ranked), pk))
        ahead[person] += 1
    return [(pk, before < MOST_AT_WORK) for before, _, pk in sorted(ranked)]
