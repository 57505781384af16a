"""What the live part of a run's page says."""

from __future__ import annotations

import math

from tests.training_app.conftest import toy_order
from training_app.models import Run, RunPoint
from training_app.selectors.panel import run_panel
from training_app.services.attempts import ProcessIdentity, claim_run
from training_app.services.runs import queue_run


def test_the_place_in_the_queue_is_the_turn_in_which_runs_start(version, theo, ada):
    here = ProcessIdentity("here", 1, 1.0)
    first, second, third = (queue_run(toy_order(version), created_by=theo) for _ in range(3))
    assert [run_panel(run.pk).waits.place for run in (first, second, third)] == [1, 2, 3]
    assert claim_run(here).run_id == first.pk
    hers = queue_run(toy_order(version), created_by=ada)
    assert run_panel(first.pk).waits is None
    assert [run_panel(run.pk).waits.place for run in (hers, second, third)] == [1, 2, 3]
    Run.objects.filter(pk=first.pk).update(total_steps=10**9)
    assert run_panel(hers.pk).waits.seconds > 0
    Run.objects.filter(pk=first.pk).update(cancel_requested_at=first.created_at)
    assert run_panel(hers.pk).waits.seconds == 0  # the one before it stops
    assert claim_run(here).run_id == hers.pk


def test_the_best_update_is_one_that_left_weights_and_of_what_the_run_learns_from(version, theo):
    curves = {
        "validation/loss": {0: 1.0, 4: 3.0, 8: 2.0},
        "validation/answer_loss": {0: 0.5, 4: 1.0, 8: math.nan},
    }
    for loss_on, best in (("all", (8, 2.0)), ("answers", (4, 1.0))):
        run = queue_run(toy_order(version, loss_on=loss_on), created_by=theo)
        RunPoint.objects.bulk_create(
            RunPoint(run=run, name=name, step=step, value=value, seq=seq, fence=1)
            for seq, (name, step, value) in enumerate(
                (name, step, value)
                for name, curve in curves.items()
                for step, value in curve.items()
            )
        )
        assert run_panel(run.pk).best == best
