"""Ordering that one way of answering is measured."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.models import Version
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import UNDER_WAY
from training_app.models import AnswerCheck, TrainedModel


@transaction.atomic
def order_check(
    version: Version, model: TrainedModel | None, *, with_knowledge: bool, by: User | None
) -> AnswerCheck:
    """Have a way of answering measured, or measured anew; what is under way is left alone."""
    check, is_new = AnswerCheck.objects.get_or_create(
        version=version, model=model, with_knowledge=with_knowledge, defaults={"created_by": by}
    )
    over = AnswerCheck.objects.filter(pk=check.pk).exclude(state__in=UNDER_WAY)
    if is_new or order_anew(over, created_by=by):
        audit.record(by, "check answers", model or version, after={"knowledge": with_knowledge})
        hint(AnswerCheck.job, check.pk)
    check.refresh_from_db()
    return check
