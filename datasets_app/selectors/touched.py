"""Rows that people worked on since a moment: what nobody saw who agreed before it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Func, QuerySet
from django.utils import timezone

from datasets_app.models import Action, ActionGroup, Conversation, OpinionRow


def moment() -> dict[str, Any]:
    """Return this moment, as JSON; asked for in a transaction that holds the dataset.

    Whoever waits for the dataset then gets numbers beyond these.
    """
    group = ActionGroup.objects.order_by("-pk").values_list("pk", flat=True).first()
    action = Action.objects.order_by("-pk").values_list("pk", flat=True).first()
    return {"group": group or 0, "action": action or 0, "at": timezone.now().isoformat()}


class Touched:
    """Those of the rows that people worked on since a moment; each look reads what is new."""

    def __init__(self, rows: QuerySet[Conversation], dataset: UUID, since: dict[str, Any]) -> None:
        self._rows = rows
        self._dataset = dataset
        self._since = since
        self._next = dict(since)
        self._found: set[int] = set()

    def look(self) -> set[int]:
        """Return their ids; asked for in a transaction that holds the dataset.

        What was done since and undone at once is no work. What was undone since may be work again:
        that a tag was taken off, say.
        """
        groups = ActionGroup.objects.filter(action__dataset=self._dataset)
        new = groups.filter(pk__gt=self._next["group"], action__undone_by=None)
        undone = Action.objects.filter(dataset=self._dataset, pk__gt=self._next["action"])
        back = [*undone.exclude(undoes=None).values_list("undoes", flat=True)]
        old = groups.filter(pk__lte=self._since["group"], action__in=back)
        judged = OpinionRow.objects.filter(
            opinion__dataset=self._dataset, second_at__gte=self._since["at"]
        )
        each = Func("conversations", function="unnest", output_field=BigIntegerField())
        for ids in (
            new.values_list(each, flat=True),
            old.values_list(each, flat=True) if back else (),
            judged.values("conversation"),
        ):
            self._found.update(self._rows.filter(pk__in=ids).values_list("pk", flat=True))
        self._next |= {name: value for name, value in moment().items() if name != "at"}
        return self._found
