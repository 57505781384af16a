"""Ordering a model's file for other tools."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import State
from training_app.models import Export, TrainedModel


@transaction.atomic
def order_export(model: TrainedModel, format_name: str, *, by: User | None) -> Export:
    """Order a model in a format that must be built, once; one that failed is tried again."""
    export, is_fresh = Export.objects.select_for_update().get_or_create(
        model=model, format=format_name, precision="fp32", defaults={"created_by": by}
    )
    if order_anew(Export.objects.filter(pk=export.pk, state=State.FAILED), created_by=by):
        export.refresh_from_db()
    if is_fresh or export.state == State.QUEUED:
        audit.record(by, "export", model, after={"format": format_name})
        hint(Export.job, export.pk)
    return export
