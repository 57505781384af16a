"""Ordering a model's file for other tools."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from otto_web.lib import audit
from otto_web.lib.hints import hint
from training_app.models import Export, JobState, TrainedModel

FORMAT = "onnx"


@transaction.atomic
def order_portable(model: TrainedModel, *, by: User | None) -> Export:
    """Order the portable ONNX file of a model, once; one that failed is tried again."""
    export, is_fresh = Export.objects.select_for_update().get_or_create(
        model=model, format=FORMAT, precision="fp32"
    )
    if export.state == JobState.FAILED:
        export.state, export.reason = JobState.QUEUED, ""
        export.save(update_fields=["state", "reason"])
    if is_fresh or export.state == JobState.QUEUED:
        audit.record(by, "export", model, after={"format": FORMAT})
        hint("chat.export_portable", export.pk)
    return export
