"""Settings of files: ours go out and in unchanged, others are understood or answered for."""

from __future__ import annotations

import pytest

from training_app.lm.config import ConfigError
from training_app.lm.presets import PRESETS
from training_app.lm.settings_file import read_settings, settings_text


@pytest.mark.parametrize("name", PRESETS)
def test_what_goes_out_comes_in_unchanged(name):
    preset = PRESETS[name]
    spec = preset.spec(start_from="x") if preset.is_started else preset.spec()
    found = read_settings(settings_text(spec, about="Settings of “a”\nrun"))
    # what is empty, and the tokenizer of a model that goes on learning
    own = {"tokenizer"} if preset.is_started else set()
    assert {line.given for line in found.left} == {"system_prompt", "made_tokenizer"} | own
    for part in (spec.model, spec.train, spec.data):
        for key, value in part.as_json().items():
            if value not in (None, "", "own") and key not in ("version", "system_prompt"):
                assert found.values[key].lower() == str(value).lower()


def test_what_may_be_a_secret_is_not_told_again():
    read = read_settings("OPENAI_API_KEY=sk-1\nMY_THING=sk-2\nUSE_FP16=yes\nHUB_TOKEN=sk-3")
    told = {line.given: line.value for line in read.left}
    assert told == {"OPENAI_API_KEY": "", "MY_THING": "", "USE_FP16": "yes", "HUB_TOKEN": ""}
    assert "sk-" not in repr(read.left)


SLM = "python main.py --max-iters 500 --batch-size 8 --block-size=64 --n-layer 4 --n-head 4"
SLM += " --n-embd 256 --dropout 0.1 --eval-iters 100 --no-training --train-split 0.9"
MTNSAILS = "epochs: 3\nbatch-size: 4\nlearning-rate: 5e-5\nmodel-name: distilgpt2\nforce: true\n"
INGEST = """
# config.env
FINETUNE_MODEL_NAME=some/model
FINETUNE_OUTPUT_DIR=./models/answers
NUM_TRAIN_EPOCHS=3
OPTIMIZER=adamw_torch
SAVE_STEPS=25
LOGGING_STEPS=5
USE_FP16=false
USE_BF16=true
MAX_GRAD_NORM=0.3
GROUP_BY_LENGTH=true
LR_SCHEDULER_TYPE=cosine
SAVE_TOTAL_LIMIT=3
GRADIENT_CHECKPOINTING=true
SOMETHING_ELSE=1
"""
TRAINER = '{"model_family": "gpt2", "max_seq_len": 512, "num_epochs": 1, "lora": {"lora_r": 16}}'


@pytest.mark.parametrize(
    ("text", "values", "left"),
    [
        (
            SLM,
            {
                "steps": "500",
                "micro_batch": "8",
                "context": "64",
                "layers": "4",
                "heads": "4",
                "hidden_size": "256",
                "dropout": "0.1",
                "eval_every": "100",
            },
            {"no-training", "train-split"},
        ),
        (
            MTNSAILS,
            {
                "epochs": "3",
                "micro_batch": "4",
                "learning_rate": "5e-5",
                "local_model": "distilgpt2",
            },
            {"force"},
        ),
        (
            INGEST,
            {
                "local_model": "some/model",
                "name": "answers",
                "epochs": "3",
                "optimizer": "adamw",
                "checkpoint_every": "25",
                "precision": "bf16",
                "max_grad_norm": "0.3",
                "schedule": "cosine",
                "keep_last": "3",
            },
            {
                *("LOGGING_STEPS", "USE_FP16", "GROUP_BY_LENGTH", "GRADIENT_CHECKPOINTING"),
                "SOMETHING_ELSE",
            },
        ),
        (
            TRAINER,
            {"family": "gpt2", "context": "512", "epochs": "1", "lora_rank": "16"},
            set(),
        ),
    ],
    ids=["otto-slm", "mtnsails", "ingest", "trainer"],
)
def test_names_of_the_earlier_systems_are_understood_or_answered_for(text, values, left):
    found = read_settings(text)
    assert found.values == values
    assert {line.given for line in found.left} == left
    assert all(line.why for line in found.left)


def test_what_is_given_twice_or_in_two_lengths_is_said():
    text = "max_iters: 5\nsteps: 9\nepochs: 2\nlayers: [1, 2]\ncolour: red\noptimizer: Adafactor\n"
    found = read_settings(text)
    assert found.values == {"steps": "9"}
    assert {line.given: line.why for line in found.left} == {
        "max_iters": "it is given again further down",
        "epochs": "steps say how long already",
        "layers": "it has no single value",
        "colour": "OTTO knows no such setting",
        "optimizer": "it is one of adamw, muon",
    }


@pytest.mark.parametrize(
    "text",
    [
        *("", "# nothing", "just words", "- a\n- b", "a: &x 1\nb: *x", "{", "[" * 9000, "a: 'x"),
        *("--name 'open", "x" * 17_000, "!!python/object/apply:os.system ['id']", "a: b: c"),
    ],
)
def test_what_is_no_settings_file_is_refused_in_a_sentence(text):
    with pytest.raises(ConfigError) as error:
        read_settings(text)
    assert str(error.value).endswith(".")


def test_deep_nesting_ends_and_tags_run_nothing():
    deep = "a: " + "{b: " * 40 + "1" + "}" * 40
    assert [line.why for line in read_settings(deep).left] == ["OTTO knows no such setting"]
    found = read_settings("seed: !!python/object/apply:os.getcwd []\n")
    assert found.values == {}
