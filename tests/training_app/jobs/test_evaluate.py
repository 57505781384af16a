"""A model is evaluated later as its run judged it: with the system prompt that it learned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chat_app.makers import make_model
from tests.training_app.conftest import make_version, toy_spec
from tests.training_app.lm.conftest import Diary
from training_app.jobs.evaluate import evaluate_model
from training_app.jobs.trainer.splits import VersionSplit
from training_app.lm import answerer
from training_app.lm.contract import Start, TokenSource
from training_app.lm.driver import train_run
from training_app.lm.prepare import prepare
from training_app.lm.setup import make_setup
from training_app.models import Run, paths

PROMPT = "Be kind."


@pytest.fixture
def prompted(db):
    """A version, a specification with a system prompt, and the version's splits."""
    version, spec = make_version(), toy_spec()
    spec = replace(spec, data=replace(spec.data, system_prompt=PROMPT))
    data = TokenSource(
        *(list(VersionSplit(version, split)) for split in ("train", "validation")), "toy"
    )
    return version, spec, data


def test_the_questions_of_a_run_open_with_its_system_prompt(prompted, tmp_path):
    _, spec, data = prompted
    prepared = prepare(spec, data, tmp_path, Diary(tmp_path), Start())
    questions = make_setup(spec, prepared, data, Start()).questions
    assert {question.turns[0].text for question in questions} == {PROMPT}
    assert all(question.text.startswith("Where is my order") for question in questions)


@pytest.mark.slow
def test_a_later_evaluation_gives_the_figures_of_the_run(prompted, data_dir, monkeypatch):
    version, spec, data = prompted
    work = paths.absolute("models/toy")
    result = train_run(spec, data, work, Diary(work), lambda: None)
    run = Run.objects.create(name="toy", version=version, spec=spec.as_json())
    model = make_model(run=run)
    model.path = "models/toy/model"
    asked, ask = [], answerer.replies

    def heard(*about, **more):
        asked.extend(about[2])
        return ask(*about, **more)

    monkeypatch.setattr(answerer, "replies", heard)
    found = evaluate_model(model, version, split="validation")
    assert found.loss == pytest.approx(result.evaluation["loss"], rel=1e-5)
    assert {question.turns[0].text for question in asked} == {PROMPT}
    assert found.samples.count() == len(asked) == found.answers.total == 4
    assert found.details["verdict"].startswith(found.headline)
    assert "bits per byte" in found.other_words
    assert found.headline not in found.other_words
    outcomes = list(found.samples.values_list("outcome", flat=True))
    assert outcomes.count("right") == found.answers.right
    assert "" not in outcomes
