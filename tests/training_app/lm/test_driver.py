"""A run from conversations to a model folder: it ends, stops, goes on, and gives the same bits."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import count

import pytest
from safetensors.torch import load_file

from datasets_app.corpus.conversation import USER, Conversation, Turn
from tests.training_app.lm.conftest import Diary
from training_app.lm.config import RunSpec, TrainingError
from training_app.lm.contract import PHASES, Start, TokenSource, spec_sha256
from training_app.lm.driver import train_run
from training_app.lm.folder import open_model, verify_model
from training_app.lm.generate import Wanted, generate
from training_app.lm.layout import FolderError, file_sha256
from training_app.lm.loop import DivergedError
from training_app.lm.schedule import Schedule

pytestmark = pytest.mark.usefixtures("quick_trial")


def weights(result):
    return load_file(result.folder / "model.safetensors")


def never():
    return None


def stop_after(steps, reason, diary):
    """Say `reason` when asked after so many updates."""
    calls = count()
    return lambda: reason if "training" in diary.phases and next(calls) >= steps else None


@pytest.fixture(scope="module")
def ended(spec, data, tmp_path_factory, quick_trial):
    """A run that went through, and its diary; nobody may change it."""
    folder = tmp_path_factory.mktemp("ended")
    diary = Diary(folder / "checkpoints")
    return train_run(spec, data, folder / "whole", diary, never), diary


@pytest.fixture(scope="module")
def drained(spec, data, tmp_path_factory, quick_trial):
    """The folder and the diary of a run that stopped after 11 updates; nobody may change them."""
    folder = tmp_path_factory.mktemp("drained")
    diary = Diary(folder / "checkpoints")
    stopped = train_run(spec, data, folder / "work", diary, stop_after(11, "drain", diary))
    assert (stopped.outcome, stopped.step) == ("drain", 11)
    return folder, diary


@pytest.fixture
def broken_off(drained, tmp_path):
    """A copy of the run that stopped: where it worked, its checkpoints, and how to go on."""
    folder, diary = drained
    shutil.copytree(folder, tmp_path / "copy")
    checkpoints = [tmp_path / "copy" / path.relative_to(folder) for path in diary.newest_first()]
    start = Start(checkpoints=checkpoints, decided=diary.facts)
    return tmp_path / "copy" / "work", start


@pytest.mark.checklist(12, 86, 90, 188, 340)
def test_a_run_learns_and_leaves_a_complete_model_folder(ended, spec):
    whole, diary = ended
    assert whole.outcome == "succeeded"
    assert whole.step == spec.train.steps
    assert diary.curve["train/loss", 24] < 0.8 * diary.curve["train/loss", 1]
    assert diary.curve["validation/loss", 24] < diary.curve["validation/loss", 0]
    rates = Schedule.of(spec.train, 24)
    assert all(diary.curve["train/rate", step] == rates.at(step) for step in range(1, 25))
    assert [name for name in PHASES if name in diary.phases] == diary.phases
    manifest = verify_model(whole.folder)
    assert manifest["spec_sha256"] == spec_sha256(spec)
    files = set(manifest["files"])
    wanted = "config.json generation_config.json model.safetensors tokenizer.json"
    assert {*wanted.split(), "tokenizer_config.json", "chat_template.jinja"} <= files
    model, template = open_model(whole.folder)
    assert model.config.vocab_size == template.tokenizer.get_vocab_size()
    assert sorted(diary.replies) == [0, 8, 16, 24]
    looked_at = [step for name, step in diary.curve if name == "validation/loss"]
    assert sorted(looked_at) == [0, 8, 16, 24]  # every 8 updates, and before the first


@pytest.mark.slow
@pytest.mark.checklist(93, 399)
def test_a_resumed_run_gives_the_same_curve_and_weights_bit_for_bit(
    ended, drained, broken_off, spec, data, diary_of, tmp_path
):
    (whole, diary), (_, first), (work, start) = ended, drained, broken_off
    second = diary_of(tmp_path / "second")
    resumed = train_run(spec, data, work, second, never, start)
    assert second.exact() == {k: v for k, v in diary.exact().items() if k[1] > 11}
    assert first.exact() == {k: v for k, v in diary.exact().items() if k[1] <= 11}
    assert "tokenizer" not in second.phases
    expected, got = weights(whole), weights(resumed)
    assert all((expected[name] == got[name]).all() for name in expected)
    assert (
        resumed.manifest["files"]["model.safetensors"]
        == (whole.manifest["files"]["model.safetensors"])
    )


@pytest.mark.slow
def test_dropout_bf16_and_accumulation_resume_bit_for_bit_too(
    spec, data, tmp_path, diary_of, changed
):
    spec = changed(spec, precision="bf16", accumulation=2)
    values = spec.as_json()
    values["model"] |= {"family": "gpt2", "dropout": 0.1}
    spec = type(spec).from_json(values)
    whole = train_run(spec, data, tmp_path / "a", diary_of(tmp_path / "ca"), never)
    first = diary_of(tmp_path / "cb")
    train_run(spec, data, tmp_path / "b", first, stop_after(7, "cancel", first))
    start = Start(checkpoints=first.newest_first(), decided=first.facts)
    resumed = train_run(spec, data, tmp_path / "b", diary_of(tmp_path / "cc"), never, start)
    expected, got = weights(whole), weights(resumed)
    assert all((expected[name] == got[name]).all() for name in expected)


@pytest.mark.parametrize("are_there", [True, False])
def test_a_run_that_goes_on_from_another_one_fails_where_it_has_nothing_to_go_on_from(
    are_there, broken_off, spec, data, diary
):
    work, start = broken_off
    for folder in start.checkpoints:
        (folder / "manifest.json").write_text("{}")
    start = replace(start, must_resume=True, checkpoints=start.checkpoints if are_there else ())
    with pytest.raises(TrainingError, match="No checkpoint that this run goes on from can be read"):
        train_run(spec, data, work, diary, never, start)
    assert not any("begins anew" in note for note in diary.notes)


@pytest.mark.slow
def test_a_broken_checkpoint_is_skipped_for_the_one_before_it(broken_off, spec, data, diary):
    work, start = broken_off
    weights_file = start.checkpoints[0] / "model.safetensors"
    content = bytearray(weights_file.read_bytes())
    content[-1] ^= 1
    weights_file.write_bytes(content)
    resumed = train_run(spec, data, work, diary, never, start)
    assert resumed.outcome == "succeeded"
    assert any("damaged" in note for note in diary.notes)
    assert ("train/loss", 11) in diary.curve


def test_a_cancel_writes_a_checkpoint_first_and_makes_no_model(spec, data, tmp_path, diary):
    result = train_run(spec, data, tmp_path / "work", diary, stop_after(3, "cancel", diary))
    assert (result.outcome, result.folder) == ("cancel", None)
    assert diary.checkpoints[-1][0] == 3
    assert not (tmp_path / "work" / "model").exists()


LIES = (b"\xff" * 64, (2**40).to_bytes(8, "little") + b"{}", b"", b"\x02" + bytes(7) + b"{}")


@pytest.mark.slow
@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.safetensors"])
@pytest.mark.parametrize("lie", LIES, ids=["noise", "header", "empty", "nothing"])
def test_a_checkpoint_that_lies_with_a_true_hash_is_skipped(
    file, lie, broken_off, spec, data, diary
):
    work, start = broken_off
    newest = start.checkpoints[0]
    (newest / file).write_bytes(lie)
    manifest = json.loads((newest / "manifest.json").read_text())
    manifest["files"][file] = file_sha256(newest / file)
    (newest / "manifest.json").write_text(json.dumps(manifest))
    resumed = train_run(spec, data, work, diary, never, start)
    assert resumed.outcome == "succeeded"
    assert any("It is not used." in note for note in diary.notes)


@pytest.mark.parametrize("lie", LIES, ids=["noise", "header", "empty", "nothing"])
def test_a_model_folder_that_lies_is_a_sentence(lie, ended, tmp_path):
    folder = shutil.copytree(ended[0].folder, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(lie)
    with pytest.raises(FolderError, match=r"The model in model cannot be read"):
        open_model(folder)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [3, 11])
def test_a_stop_that_keeps_makes_a_model_of_the_best_state(steps, spec, data, tmp_path, diary):
    """Before the first evaluation that is the state of now, later the best one so far."""
    result = train_run(spec, data, tmp_path / "w", diary, stop_after(steps, "keep", diary))
    assert (result.outcome, result.step) == ("keep", steps)
    assert verify_model(result.folder)["verdict"] == result.verdict
    best = diary.newest_first()[-1] if steps < 8 else None
    best = best or next(path for _, path, _, is_best in diary.checkpoints if is_best)
    kept, there = weights(result), load_file(best / "model.safetensors")
    assert all((kept[name] == there[name]).all() for name in there)
    assert "Leakage check" in result.verdict


@pytest.mark.slow
def test_a_run_that_learns_answers_keeps_what_answers_best(spec, data, tmp_path, diary, changed):
    spec = changed(spec, loss_on="answers", learning_rate=2e-2, steps=40, eval_every=4, patience=0)
    result = train_run(spec, data, tmp_path / "w", diary, never)
    curves = ("validation/answer_loss", "validation/loss")
    answers, everything = (
        {step: loss for (name, step), loss in diary.curve.items() if name == curve and step}
        for curve in curves
    )
    assert result.best_step == min(answers, key=answers.get)
    assert result.best_step != min(everything, key=everything.get), "this toy tells nothing"
    course = json.loads((result.folder / "evaluation" / "figures.json").read_text())["course"]
    assert dict(course[1:]) == answers


@pytest.mark.slow
def test_a_kept_model_shows_what_it_says_itself(spec, data, tmp_path, diary, changed):
    spec = changed(spec, learning_rate=5e-2)
    result = train_run(spec, data, tmp_path / "w", diary, stop_after(7, "keep", diary))
    model, template = open_model(result.folder)
    ((number, question, reply, _),) = result.samples
    ids = template.prompt((Turn(USER, question),), budget=31).ids
    said = template.decode(*generate(model, [Wanted(ids, 64)], stop=template.stop_ids))
    assert (number, reply) == (0, said)
    assert reply != diary.replies[0][0][2], "the untrained network says the same here"


def test_an_attempt_that_only_has_to_keep_makes_the_model_of_the_last_checkpoint(
    broken_off, spec, data, diary
):
    work, start = broken_off
    result = train_run(spec, data, work, diary, lambda: "keep", start)
    assert (result.outcome, result.step) == ("keep", 11)
    assert verify_model(result.folder)["best_step"] == 8
    assert diary.curve == {}


def test_a_stop_that_keeps_before_the_first_update_keeps_nothing(spec, data, tmp_path, diary):
    result = train_run(spec, data, tmp_path / "w", diary, lambda: "keep")
    assert (result.outcome, result.folder) == ("keep", None)


@pytest.mark.slow
def test_a_stop_right_after_an_evaluation_leaves_its_checkpoint_as_it_was(
    spec, data, tmp_path, diary, changed
):
    spec = changed(spec, checkpoint_every=0)
    stop_at_8 = lambda: "drain" if ("validation/loss", 8) in diary.curve else None  # noqa: E731
    train_run(spec, data, tmp_path / "work", diary, stop_at_8)
    ((step, _, validation_loss, is_best),) = diary.checkpoints
    assert (step, is_best) == (8, True)
    assert validation_loss == diary.curve["validation/loss", 8]


@pytest.mark.parametrize("phase", ["tokenizer", "packing"])
def test_a_stop_is_heard_while_the_data_are_read(phase, spec, data, tmp_path, diary):
    stop = lambda: "cancel" if phase in diary.phases else None  # noqa: E731
    result = train_run(spec, data, tmp_path / "work", diary, stop)
    assert (result.outcome, result.step, diary.phases[-1]) == ("cancel", 0, phase)
    assert not (tmp_path / "work" / "prepared" / "prepared.json").exists()


@pytest.mark.slow
@pytest.mark.checklist(88)
def test_the_best_weights_are_kept_when_later_ones_are_worse(spec, data, tmp_path, diary, changed):
    spec = changed(spec, steps=60, learning_rate=3e-2, max_grad_norm=0.0, patience=2, eval_every=6)
    try:
        result = train_run(spec, data, tmp_path / "work", diary, never)
    except DivergedError:
        pytest.fail("the toy run is not meant to break")
    losses = {step: v for (name, step), v in diary.curve.items() if name == "validation/loss"}
    losses.pop(0)
    assert result.best_step == min(losses, key=losses.get)
    assert {step for step, _, _, best in diary.checkpoints if best} >= {result.best_step}


@pytest.mark.slow
def test_minutes_are_turned_into_updates_once_and_said(spec, data, tmp_path, diary, changed):
    spec = changed(spec, steps=None, minutes=0.1, eval_every=0)
    result = train_run(spec, data, tmp_path / "work", diary, never)
    assert diary.facts["steps"] >= result.step >= 20
    assert any("updates of 128 tokens" in note for note in diary.notes)


def test_a_model_can_be_continued_with_its_own_tokenizer(
    ended, spec, data, tmp_path, diary_of, changed
):
    whole, spec = ended[0], changed(spec, steps=4, loss_on="answers", learning_rate=1e-4)
    diary = diary_of(tmp_path / "more")
    result = train_run(spec, data, tmp_path / "more", diary, never, Start(base=whole.folder))
    assert diary.curve["validation/loss", 0] < 4.5
    before, after = (f / "tokenizer.json" for f in (whole.folder, result.folder))
    assert before.read_text() == after.read_text()


@pytest.mark.slow
def test_a_checkpoint_of_other_data_or_sizes_is_refused(spec, data, tmp_path, diary, diary_of):
    train_run(spec, data, tmp_path / "one", diary, stop_after(3, "drain", diary))
    start = Start(checkpoints=diary.newest_first())
    other = TokenSource([Conversation((Turn(USER, "xyz " * 200),))] * 4, data.validation, "other")
    with pytest.raises(TrainingError, match=r"other sizes|another tokenizer"):
        train_run(spec, other, tmp_path / "two", diary_of(tmp_path / "b"), never, start)
    larger = RunSpec(replace(spec.model, hidden_size=64), spec.train)
    with pytest.raises(TrainingError, match="other sizes"):
        train_run(larger, data, tmp_path / "three", diary_of(tmp_path / "c"), never, start)
