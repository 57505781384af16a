"""A finished model is evaluated on any split, and gives the figures that its run gave."""

from __future__ import annotations

from itertools import count

import pytest

from training_app.lm.answer_test import AnswerTest, items_of
from training_app.lm.assess import assess_model
from training_app.lm.contract import Start
from training_app.lm.driver import train_run


@pytest.mark.slow
def test_a_finished_model_gives_the_figures_of_its_run(spec, data, tmp_path, diary):
    result = train_run(spec, data, tmp_path / "run", diary, lambda: None)
    found = assess_model(result.folder, data.validation, tmp_path / "split")
    assert found.figures.as_json() == pytest.approx(result.evaluation, rel=1e-5)
    assert len(found.samples) == len(list(data.validation))
    losses = {(number, size): nats for number, nats, size in result.texts}
    assert losses == pytest.approx({(n, size): nats for n, nats, size in found.texts}, rel=1e-4)
    assert sum(size for _, size in losses) == found.figures.bytes
    assert sum(losses.values()) == pytest.approx(found.figures.loss * found.figures.tokens, 1e-4)
    assert (found.answers.total, found.answered) == (0, [])
    assert "bits per byte" in found.verdict


@pytest.mark.slow
def test_a_run_and_a_later_look_ask_the_same_and_get_the_same(spec, data, tmp_path, diary):
    test = AnswerTest(items_of(data.validation, most=4))
    result = train_run(spec, data, tmp_path / "run", diary, lambda: None, Start(answer_test=test))
    assert result.answers.total == len(result.answered) == len(test.items)
    assert result.verdict.startswith(result.answers.headline())
    assert result.manifest["answers"] == result.answers.as_json()
    found = assess_model(result.folder, data.validation, tmp_path / "split", test=test)
    assert [one.reply for one in found.answered] == [one.reply for one in result.answered]
    assert [one.judgement for one in found.answered] == [one.judgement for one in result.answered]
    assert found.samples == []
    assert "bits per byte" in found.verdict


@pytest.mark.slow
def test_a_run_that_is_kept_early_is_tested_too(spec, data, tmp_path, diary):
    test = AnswerTest(items_of(data.validation, most=4))
    calls = count()
    kept = train_run(
        spec,
        data,
        tmp_path / "keep",
        diary,
        lambda: "keep" if "training" in diary.phases and next(calls) > 3 else None,
        Start(answer_test=test),
    )
    assert (kept.outcome, kept.answers.total) == ("keep", len(test.items))
