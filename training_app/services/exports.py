"""Ordering a model's file for other tools."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import State
from training_app.lm.config import TrainingError
from training_app.lm.exports.registry import FORMATS
from training_app.models import Export, TrainedModel


@transaction.atomic
def order_export(
    model: TrainedModel, format_name: str, *, by: User | None, opset: int | None = None
) -> Export:
    """Order a model in a format that must be built, once; one that failed is tried again.

    One with another opset takes the place of the one that is there. Raises TrainingError for an
    opset that the format is not written in.
    """
    opsets = FORMATS[format_name].opsets if format_name in FORMATS else ()
    if opset is not None and opset not in opsets:
        offered = ", ".join(str(one) for one in opsets) or "none to choose"
        raise TrainingError(f"The opset {opset} is not offered here. There are: {offered}.")
    wanted = opset or next(iter(opsets), None)
    export, is_fresh = Export.objects.select_for_update().get_or_create(
        model=model,
        format=format_name,
        precision="fp32",
        defaults={"created_by": by, "opset": wanted},
    )
    rows = Export.objects.filter(pk=export.pk)
    anew = Q(state=State.FAILED)
    if opset is not None and export.opset != opset:
        anew |= Q(state=State.SUCCEEDED)
    if order_anew(rows.filter(anew), created_by=by, opset=wanted):
        export.refresh_from_db()
    if is_fresh or export.state == State.QUEUED:
        audit.record(by, "export", model, after={"format": format_name, "opset": wanted})
        hint(Export.job, export.pk)
    return export
