"""What the record of a run says of its model."""

from __future__ import annotations

from tests.training_app.conftest import make_version
from tests.training_app.ended_runs import ended_run
from training_app.models import Evaluation, TrainedModel
from training_app.selectors.run_record import run_record


def test_its_figures_are_of_its_own_version(version, theo):
    run = ended_run(version, theo, loss=2.0)
    run.refresh_from_db()
    figures = {"tokens": 1, "bytes": 3, "loss": 9.0, "perplexity": 8000.0, "bits_per_byte": 4.0}
    Evaluation.objects.create(
        model=TrainedModel.objects.get(), version=make_version(30), split="validation", **figures
    )
    assert run_record(run)["evaluation"]["loss"] == 2.0
