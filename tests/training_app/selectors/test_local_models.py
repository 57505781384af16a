"""Models that somebody carried here: begun with by name, never a pickle, never a download."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from transformers import GPT2Config, GPT2LMHeadModel

from tests.training_app.conftest import make_version
from tests.training_app.jobs.test_durability import finish
from tests.training_app.views.test_runs import filled
from training_app.lm.layout import FolderError
from training_app.lm.tokenizer import train_bpe
from training_app.models import Run
from training_app.selectors.local_models import local_folder, local_shape

GPT2 = {"model_type": "gpt2", "n_layer": 1, "n_head": 2, "n_embd": 32, "n_positions": 64}


@pytest.fixture
def shelf(data_dir, settings):
    settings.OTTO_LOCAL_MODELS_DIR = data_dir / "local-models"
    settings.OTTO_LOCAL_MODELS_DIR.mkdir()
    return settings.OTTO_LOCAL_MODELS_DIR


def carried(shelf, name="small-gpt2", *, weights="model.safetensors", **config):
    folder = shelf / name
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(GPT2 | {"vocab_size": 300} | config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / weights).write_bytes(b"\x80\x04cposix\nsystem\n")  # a pickle would be read here
    return folder


def test_a_local_model_tells_its_shape_in_windows_of_the_wished_context(shelf):
    carried(shelf)
    shape = local_shape("small-gpt2", context=48)
    assert (shape.family, shape.layers, shape.hidden_size, shape.context) == ("gpt2", 1, 32, 48)
    assert local_shape("small-gpt2", context=999).context == 64


@pytest.mark.checklist(410)
@pytest.mark.parametrize("name", ["distilgpt2", "../runs", "small-gpt2/../small-gpt2", ".", ""])
def test_what_is_not_there_is_refused_with_how_to_add_it(name, shelf):
    carried(shelf)
    with pytest.raises(FolderError, match=r"OTTO downloads nothing by itself: make a folder"):
        local_folder(name)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"weights": "pytorch_model.bin"}, "foreign code"),
        ({"weights": "notes.txt"}, "has no model.safetensors"),
        ({"model_type": "mamba"}, "of the kind “mamba”"),
        ({"n_head": 3}, "cannot be continued here"),
        ({"n_layer": None}, "does not say"),
        ({"n_embd": float("inf")}, "it must be a whole number"),
        ({"n_embd": float("nan")}, "it must be a whole number"),
        ({"n_embd": 1e400}, "it must be a whole number"),
        ({"n_embd": 32.5}, "it must be a whole number"),
        ({"n_embd": 10**30}, "cannot be continued here"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(changes, sentence, shelf):
    carried(shelf, **changes)
    with pytest.raises(FolderError, match=sentence):
        local_shape("small-gpt2", context=64)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"a":' * 50_000])
def test_a_broken_configuration_is_a_sentence(text, shelf):
    (carried(shelf) / "config.json").write_text(text)
    with pytest.raises(FolderError, match=r"config\.json of small-gpt2"):
        local_shape("small-gpt2", context=64)


@pytest.mark.checklist(175, 176, 334)
def test_the_form_offers_local_models_and_begins_a_run_with_one(shelf, theo, client_of, version):
    carried(shelf)
    client, url = client_of(theo), reverse("run-new")
    assert '<option value="small-gpt2"' in client.get(url).content.decode()
    client.post(url, filled(version, local_model="small-gpt2", learning_rate=1e-4))
    spec = Run.objects.get().spec
    assert (spec["start_from"], spec["model"]["layers"]) == ("local:small-gpt2", 1)


def test_the_form_says_how_to_add_what_is_missing_and_why_a_pickle_is_refused(
    shelf, theo, client_of, version
):
    carried(shelf, "old", weights="pytorch_model.bin")
    client, url = client_of(theo), reverse("run-new")
    for name, sentence in (("gpt2", "OTTO downloads nothing by itself"), ("old", "foreign code")):
        answer = client.post(url, filled(version, local_model=name))
        assert answer.status_code == 422
        assert sentence in answer.content.decode()


def test_a_high_rate_for_a_model_that_has_learned_already_is_warned_of(
    shelf, theo, client_of, version
):
    carried(shelf)
    values = filled(version, local_model="small-gpt2", learning_rate=2e-3)
    page = client_of(theo).post(reverse("run-forecast"), values).content.decode()
    assert "it forgets" in page


def test_a_script_is_told_how_to_add_a_model(shelf, version, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://here/now")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(CommandError, match="There is no model “gpt2” in the local model folder"):
        call_command("train", str(version.pk), "--start", "gpt2")


@pytest.mark.slow
@pytest.mark.checklist(176, 185)
def test_a_carried_gpt2_is_trained_further(shelf, supervisor, process_env, theo, client_of):
    folder = shelf / "tiny-gpt2"
    tokenizer = train_bpe(["Where is my order? It is on its way."] * 200, 400).tokenizer
    config = GPT2Config(
        n_layer=1, n_head=2, n_embd=32, n_positions=64, vocab_size=tokenizer.get_vocab_size()
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    process_env["OTTO_LOCAL_MODELS_DIR"] = str(shelf)
    values = filled(make_version(), local_model="tiny-gpt2", context=32, length_unit="steps")
    client_of(theo).post(reverse("run-new"), values | {"length": 6, "compile": "off"})
    run = Run.objects.get()
    finish(supervisor, run)
    assert (run.model.family, run.model.context, run.last_step) == ("gpt2", 64, 6)
    rows = client_of(theo).get(reverse("run-points", args=[run.pk])).json()["rows"]
    assert [step for name, step, _loss in rows if name == "train/loss"] == [1, 2, 3, 4, 5, 6]
