"""What is said before a run starts."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from otto_web.lib.work.states import State
from tests.training_app.conftest import toy_order
from training_app.models import Run, RunPoint, TrainedModel
from training_app.selectors.speed import machine_speed
from training_app.services.runs import queue_run


def finished(version, *, params, tokens_per_second):
    """Make a run that succeeded with a model of this size at this speed."""
    run = queue_run(toy_order(version), created_by=None)
    Run.objects.filter(pk=run.pk).update(state=State.RUNNING)
    over = {"state": State.SUCCEEDED, "finished_at": timezone.now(), "last_step": 10}
    Run.objects.filter(pk=run.pk).update(**over)
    TrainedModel.objects.create(
        name=str(uuid4()), number=1, run=run, family="llama", params=params, context=32, path="x"
    )
    RunPoint.objects.bulk_create(
        RunPoint(
            run=run,
            name="train/tokens_per_second",
            step=step,
            value=tokens_per_second if step > 5 else 1.0,
            seq=step,
            fence=1,
        )
        for step in range(1, 11)
    )


def test_before_any_run_the_figure_is_called_rough(db):
    assert not machine_speed(1_000_000).is_measured


def test_speed_is_taken_from_runs_of_about_the_same_size(version):
    for _ in range(3):
        finished(version, params=100_000, tokens_per_second=20_000)
    for _ in range(3):
        finished(version, params=50_000_000, tokens_per_second=300)
    small, large = machine_speed(120_000), machine_speed(40_000_000)
    assert small.weights_per_second == pytest.approx(2e9)
    assert large.weights_per_second == pytest.approx(1.5e10)
