"""How good a set of rows is, counted in the database."""

from __future__ import annotations

from django.db.models import Count, F, Func, Q, QuerySet

from datasets_app.corpus.quality import Tally
from datasets_app.corpus.rules.judge import LABELS
from datasets_app.models import Conversation, Decision


def tally_of(rows: QuerySet[Conversation]) -> Tally:
    """Return total, valid and rows per rule; a person's decision to keep makes a row valid."""
    labelled = list(LABELS)
    invalid = Q(reasons__overlap=labelled) & (Q(decision=None) | Q(decision=Decision.EXCLUDE))
    counts = rows.order_by().aggregate(total=Count("pk"), invalid=Count("pk", filter=invalid))
    rules = reason_counts(rows.filter(invalid))
    by_rule = {rule: count for rule, count in rules.items() if rule in LABELS}
    return Tally(counts["total"], counts["total"] - counts["invalid"], by_rule)


def reason_counts(rows: QuerySet[Conversation]) -> dict[str, int]:
    """Return how many rows each rule set aside, most frequent first."""
    reason = Func(F("reasons"), function="unnest")
    found = (
        rows.exclude(reasons=[])
        .order_by()
        .annotate(reason=reason)
        .values("reason")
        .annotate(count=Count("pk"))
        .order_by("-count", "reason")
        .values_list("reason", "count")
    )
    return dict(found)
