"""What is said before a run starts."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.utils import timezone

from datasets_app.corpus.conversation import SYSTEM, Turn
from otto_web.lib.work.states import State
from tests.training_app.conftest import toy_order
from training_app.lm.config import ConfigError
from training_app.lm.otto_template import OttoTemplate
from training_app.lm.template import TemplateError
from training_app.lm.tokenizer import bytes_only, train_bpe
from training_app.models import Run, RunPoint, TrainedModel, paths
from training_app.selectors.forecast import forecast
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


ROOM = 16  # for a question, of the 32 tokens of a toy's context


def prompted(version, prompt, tokenizer="bpe"):
    order = toy_order(version)
    data = replace(order.spec.data, system_prompt=prompt, tokenizer=tokenizer)
    return replace(order, spec=replace(order.spec, data=data))


def fits(tokenizer, prompt):
    """Return whether a run with this prompt could show a sample."""
    try:
        OttoTemplate.of(tokenizer).prompt([Turn(SYSTEM, prompt)], budget=ROOM)
    except TemplateError:
        return False
    return True


@pytest.mark.parametrize(("tokenizer", "piece"), [("byte", "x"), ("bpe", "word ")])
def test_a_run_whose_system_prompt_never_fits_is_refused_before_it_is_queued(
    version, tokenizer, piece
):
    queue_run(prompted(version, 12 * piece, tokenizer), created_by=None)
    with pytest.raises(ConfigError, match="there is room for 16") as refused:
        queue_run(prompted(version, 13 * piece, tokenizer), created_by=None)
    assert refused.value.field == "system_prompt"
    assert Run.objects.count() == 1
    learned = train_bpe(50 * [13 * "word "], 512) if tokenizer == "bpe" else bytes_only(["x"], 0)
    assert fits(learned.tokenizer, (12 * piece).strip())
    assert not fits(learned.tokenizer, 13 * piece)


def test_the_tokenizer_of_the_start_model_counts_the_prompt(version, data_dir):
    tokenizer = train_bpe(["Be kind to everybody who asks.", "Be kind."], 300).tokenizer
    model = TrainedModel.objects.create(
        name="m", number=1, family="llama", params=9, context=32, path="models/m"
    )
    folder = paths.absolute(model.path)
    folder.mkdir(parents=True)
    OttoTemplate.of(tokenizer).save(folder, context=32)
    spec = toy_order(version).spec.started(str(model.pk))
    said = []
    for number in range(1, 12):
        prompt = number * "Be kind. "
        try:
            forecast(replace(spec, data=replace(spec.data, system_prompt=prompt)), version)
        except ConfigError as error:
            said.append((error.field, fits(tokenizer, prompt)))
        else:
            said.append(("", fits(tokenizer, prompt)))
    assert set(said) == {("", True), ("system_prompt", False)}


def test_the_tables_of_a_local_model_count_as_trained_since_they_may_have_to_grow(version):
    spec = toy_order(version).spec
    ours, local = (
        forecast(spec.started(start, "lora"), version) for start in (str(uuid4()), "local:x")
    )
    table = 512 * 32
    assert spec.model.table_parameters == table
    assert local.checkpoint_bytes - ours.checkpoint_bytes == 2 * 4 * table


def test_texts_without_questions_are_told_before_a_run_that_learns_to_answer(version):
    spec = toy_order(version).spec
    roomy = replace(spec.model, context=256)
    grounded = replace(spec, model=roomy, data=replace(spec.data, sources=3))
    mixed = version.counts | {"passages": 2}
    for counts, sources, is_refused, is_warned in [
        (version.counts, grounded, False, False),
        (mixed, grounded, False, True),
        (mixed, spec, False, False),
        (version.counts | {"passages": version.counts["rows"]}, grounded, True, True),
    ]:
        version.counts = counts
        expected = forecast(sources, version)
        assert any("texts without questions" in one for one in expected.refusals) is is_refused
        assert any("texts without questions" in one for one in expected.warnings) is is_warned
