"""Writing what the team wants where nobody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction

from otto_web.lib import audit
from otto_web.loop.models import TeamDefault


@transaction.atomic(durable=True)
def save_defaults(values: Mapping[str, str], *, by: User) -> int:
    """Let these be the team's defaults; return how many changed.

    An empty value is a default no more; what is not among the names stays as it is.
    """
    there = TeamDefault.objects.visible_to(by).select_for_update()
    before = dict(there.values_list("name", "value"))
    changed = {name: value for name, value in values.items() if value and before.get(name) != value}
    gone = [name for name in before if values.get(name) == ""]
    TeamDefault.objects.filter(name__in=gone).delete()
    for name, value in changed.items():
        TeamDefault.objects.update_or_create(name=name, defaults={"value": value, "set_by": by})
    if changed or gone:
        after = {name: value for name, value in (before | dict(values)).items() if value}
        audit.record(by, "set defaults", TeamDefault(), before=before, after=after)
    return len(changed) + len(gone)
