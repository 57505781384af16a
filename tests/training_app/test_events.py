"""What watchers of a run hear, and what it costs when they cannot be told."""

from __future__ import annotations

import pytest
from django.db import transaction

from training_app import events
from training_app.models import Run


@pytest.mark.django_db(transaction=True)
def test_rows_stay_when_nobody_can_be_told_of_them(queued_run, monkeypatch):
    def broken(run_id, seq):
        raise RuntimeError("the layer is away")

    monkeypatch.setattr(events, "notify_run", broken)
    with transaction.atomic():
        Run.objects.filter(pk=queued_run.pk).update(phase="training")
        events.notify_run_after_commit(queued_run.pk, 1)
    assert Run.objects.get().phase == "training"
