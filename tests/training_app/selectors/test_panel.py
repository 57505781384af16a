"""What the live part of a run's page says."""

from __future__ import annotations

from tests.training_app.conftest import toy_order
from training_app.selectors.panel import run_panel
from training_app.services.attempts import ProcessIdentity, claim_run
from training_app.services.runs import queue_run


def test_the_place_in_the_queue_is_the_turn_in_which_runs_start(version, theo, ada):
    here = ProcessIdentity("here", 1, 1.0)
    first, second, third = (queue_run(toy_order(version), created_by=theo) for _ in range(3))
    assert [run_panel(run.pk).place for run in (first, second, third)] == [1, 2, 3]
    assert claim_run(here).run_id == first.pk
    hers = queue_run(toy_order(version), created_by=ada)
    assert [run_panel(run.pk).place for run in (first, hers, second, third)] == [0, 1, 2, 3]
    assert claim_run(here).run_id == hers.pk
