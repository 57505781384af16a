"""A finished model is evaluated on any split, and gives the figures that its run gave."""

from __future__ import annotations

import pytest

from training_app.lm.assess import assess_model
from training_app.lm.driver import train_run


def test_a_finished_model_gives_the_figures_of_its_run(spec, data, tmp_path, diary):
    result = train_run(spec, data, tmp_path / "run", diary, lambda: None)
    found = assess_model(result.folder, data.validation, tmp_path / "split", questions=3)
    assert found.figures.as_json() == pytest.approx(result.evaluation, rel=1e-5)
    assert len(found.samples) == 3
    assert "bits per byte" in found.verdict
