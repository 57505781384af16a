"""Ordering that a version is prepared without a run."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.states import State
from training_app.lm.config import RunSpec
from training_app.models import Preparation
from training_app.services.runs import Order, VersionRefusedError

MOST_KEPT = 10  # of a version; their files are large


@transaction.atomic
def order_preparation(order: Order, *, by: User | None) -> Preparation:
    """Write down that the data of an order are wanted as its run would read them."""
    if order.version.state != State.SUCCEEDED:
        raise VersionRefusedError("This version is not frozen yet, so it cannot be prepared.")
    spec: RunSpec = order.spec
    made = Preparation.objects.create(
        version=order.version, start_model=order.start_model, spec=spec.as_json(), created_by=by
    )
    mine = Preparation.objects.filter(version=order.version).order_by("-created_at", "pk")
    old = list(mine.values_list("pk", flat=True)[MOST_KEPT:])
    Preparation.objects.filter(pk__in=old).delete()
    audit.record(by, "prepare", order.version)
    hint(Preparation.job, made.pk)
    return made


@transaction.atomic
def delete_preparation(made: Preparation, *, by: User) -> None:
    """Forget prepared data; a sweep removes the files."""
    audit.record(by, "delete prepared", made.version)
    made.delete()
