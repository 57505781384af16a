"""Training and evaluating from scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.training_app.conftest import ROOT, make_version
from training_app.lm.config import ConfigError, RunSpec
from training_app.management.commands import train
from training_app.models import Run, TrainedModel
from training_app.services.spec_lines import changed_spec

SMALL = [
    "layers=1",
    "heads=2",
    "kv_heads=2",
    "hidden_size=32",
    "context=32",
    "steps=8",
    "threads=1",
]


@pytest.fixture
def manage(process_env):
    def run(*words):
        command = [sys.executable, "manage.py", *words, "--json"]
        done = subprocess.run(
            command, cwd=ROOT, env=process_env, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.slow
@pytest.mark.checklist(5, 190)
def test_a_script_trains_waits_and_evaluates(manage):
    version = make_version()
    settings = [word for line in SMALL for word in ("--set", line)]
    trained = manage("train", str(version.pk), "--preset", "tiny", *settings, "--wait")
    assert (trained["state"], trained["step"]) == ("succeeded", 8)
    evaluated = manage("evaluate", trained["model"], "--side", "validation")  # --split, once
    assert evaluated["loss"] == pytest.approx(trained["validation_loss"], rel=1e-4)
    assert evaluated["split"] == "validation"
    assert evaluated["samples"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["no such version"], "no frozen version"),
        (["{version}", "--set", "bogus=1"], "There is no setting “bogus”"),
        (["{version}", "--set", "layers"], "not of the form key=value"),
        (["{version}", "--set", "hidden_size=100"], "multiple of 16"),
        (["{version}", "--set", "hidden_size=Infinity"], "must be a whole number, not inf"),
        (["{version}", "--set", "learning_rate=NaN"], "must be from"),
        (["{version}", "--set", "seed=" + "9" * 400], "more than 15 digits"),
        (["{version}", "--set", 'system_prompt="a\\u0000b"'], "cannot be stored"),
        (["{version}", "--set", "learning_rate=1.0"], "the loss would break"),
        (["{version}", "--set", "method=lora"], "needs a model to start from"),
        (["{version}", "--set", "optimizer=magic"], "must be one of adamw, muon"),
        (["{version}", "--set", "tokenizer=own"], "keeps its own tokenizer"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_a_sentence(
    words, sentence, version, settings, monkeypatch
):
    monkeypatch.setenv("DATABASE_URL", "postgres://here/now")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    given = [word.format(version=version.pk) for word in words]
    with pytest.raises(CommandError, match=sentence):
        call_command("train", *given)
    assert not Run.objects.exists()


EARLIER = (
    "max_iters: 500\nbatch_size: 8\nn_layer: 3\nn_head: 2\nkv_heads: 2\nn_embd: 64\nlr: 1e-3\n"
)


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://here/now")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setattr(train.Command, "_stay", lambda *_, **__: None)
    monkeypatch.setattr(train.Command, "_answer", lambda *_: None)


@pytest.mark.checklist(20, 21)
def test_an_option_wins_over_the_file_and_the_file_over_the_preset(version, here, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(f"{EARLIER}output_dir: models/mine\n")
    given = ["--preset", "tiny", "--config", str(file)]
    call_command("train", str(version.pk), *given)
    options = "--epochs 2 --n-layer 1 --set batch_size=4 --output-dir other --system-prompt 42"
    call_command("train", str(version.pk), *given, *options.split())
    first, second = Run.objects.order_by("created_at")
    assert (first.name, second.name) == ("mine", "other")
    spec, over = first.spec, second.spec
    assert (spec["train"]["steps"], spec["train"]["micro_batch"]) == (500, 8)
    assert (spec["model"]["layers"], spec["model"]["hidden_size"]) == (3, 64)
    assert spec["model"]["context"] == 128  # the preset's
    assert (over["train"]["steps"], over["train"]["epochs"], over["model"]["layers"]) == (
        None,
        2,
        1,
    )
    assert (over["train"]["micro_batch"], over["train"]["learning_rate"]) == (4, 1e-3)
    assert over["data"]["system_prompt"] == "42"


@pytest.mark.checklist(20)
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "n_embd: 100\nn_head: 3\nkv_heads: 3",
            "cannot be shared by 3 heads evenly. Here: --heads",
        ),
        ("n_layer: 0", "layers must be from 1 to 96, not 0. Here: --layers"),
        ("batch_size: -4", "micro batch must be from 1 to 4,096"),
        ("lr: 10", "learning rate must be from"),
        ("optimizer: magic", "optimizer .magic.: it is one of adamw"),
        ("max_iters: many", "must be a whole number"),
        ("just words", "have none|text has none"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_setting(
    text, sentence, version, here, tmp_path
):
    file = tmp_path / "run.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CommandError, match=sentence):
        call_command("train", str(version.pk), "--config", str(file))
    assert not Run.objects.exists()


def test_what_a_file_names_without_a_place_is_said_and_help_knows_the_earlier_names(
    version, here, tmp_path, capsys
):
    file = tmp_path / "run.yaml"
    file.write_text("train_split: 0.9\nodd: 1\nseed: 5\n")
    call_command("train", str(version.pk), "--config", str(file))
    told = capsys.readouterr().err
    assert "Not taken: train_split (0.9): a version has its data" in told
    assert "Not taken: odd: OTTO knows no such setting." in told
    assert Run.objects.get().spec["train"]["seed"] == 5
    with pytest.raises(SystemExit):
        call_command("train", "--help")
    told = capsys.readouterr().out
    for name in (
        "max-iters",
        "batch-size",
        "block-size",
        "n-layer",
        "n-head",
        "n-embd",
        "eval-iters",
    ):
        assert f"--{name} VALUE" in told
    for name in ("no-training", "config", "dropout", "output-dir", "learning-rate", "epochs"):
        assert f"--{name}" in told


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_server", "data_dir")
def test_a_script_prepares_data_without_a_run(version, here, capsys):
    call_command("train", str(version.pk), "--no-training", *_words(SMALL), "--json")
    facts = json.loads(capsys.readouterr().out)
    assert [split["texts"] for split in facts["splits"]] == [20, 4]
    assert (Path(facts["path"]) / "train" / "tokens.bin").is_file()
    assert not Run.objects.exists()


def _words(lines):
    return [word for line in lines for word in ("--set", line)]


def test_the_shape_of_a_start_model_is_not_set_and_old_names_are_read(version, queued_run):
    model = TrainedModel.objects.create(name="toy", number=1, run=queued_run, params=1, context=32)
    spec = RunSpec.from_json(queued_run.spec)
    started = spec.started(str(model.pk))
    for line in ("hidden_size=64", "width=64", "layers=2", "vocab_size=4096", "dropout=0.1"):
        with pytest.raises(ConfigError, match="in the model to start from; it cannot be changed"):
            changed_spec(started, [line])
    with pytest.raises(ConfigError, match="reads at most 32 tokens"):
        changed_spec(started, ["context=64"], most_context=32)
    changed = changed_spec(started, ["context=16", "peak_rate=0.001", "width=32"], most_context=32)
    assert (changed.model.context, changed.train.learning_rate) == (16, 0.001)
    assert changed_spec(spec, ["width=64", "clip=0"]).model.hidden_size == 64


def test_the_command_knows_what_its_start_model_reads(queued_run, version, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgres://here/now")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    model = TrainedModel.objects.create(name="toy", number=1, run=queued_run, params=1, context=32)
    for setting, sentence in (("context=64", "at most 32"), ("layers=3", "cannot be changed")):
        with pytest.raises(CommandError, match=sentence):
            call_command("train", str(version.pk), "--start", str(model.pk), "--set", setting)
    assert Run.objects.get() == queued_run


def test_a_poor_version_needs_a_reason_on_the_command_line_too(db, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://here/now")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(CommandError, match="below 50"):
        call_command("train", str(make_version(quality=30.0).pk))
