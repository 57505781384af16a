"""Settings are checked values: what cannot work is refused in a sentence that names the field."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from itertools import pairwise

import pytest

from training_app.lm.advice import refuse_hopeless, unusual, unusual_course
from training_app.lm.config import LENGTH_UNITS, ConfigError, ModelConfig, RunSpec, TrainConfig
from training_app.lm.decays import DECAYS
from training_app.lm.model import build_model, parameter_count
from training_app.lm.presets import PRESETS
from training_app.lm.schedule import Schedule


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_json(name):
    spec = PRESETS[name].spec(name=name, version="7", start_from="a model")
    assert RunSpec.from_json(spec.as_json()) == spec


@pytest.mark.checklist(83)
def test_the_test_preset_is_4_4_256_64():
    model = PRESETS["test"].model
    assert (model.family, model.layers, model.heads) == ("gpt2", 4, 4)
    assert (model.hidden_size, model.context) == (256, 64)


@pytest.mark.checklist(84)
def test_the_production_preset_is_6_6_384_128():
    model = PRESETS["production"].model
    assert (model.family, model.layers, model.heads) == ("gpt2", 6, 6)
    assert (model.hidden_size, model.context) == (384, 128)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("heads", {"hidden_size": 32, "heads": 4, "kv_heads": 4}),
        ("heads", {"family": "gpt2", "hidden_size": 36, "heads": 3, "kv_heads": 3}),
        ("heads", {"hidden_size": 100, "heads": 3, "kv_heads": 3}),
        ("kv_heads", {"heads": 4, "kv_heads": 3}),
        ("kv_heads", {"family": "gpt2", "heads": 4, "kv_heads": 2}),
        ("family", {"family": "qwen"}),
        ("context", {"context": 1}),
        ("dropout", {"dropout": float("nan")}),
    ],
)
def test_a_shape_that_cannot_be_served_is_refused_beside_its_field(field, values):
    with pytest.raises(ConfigError) as caught:
        ModelConfig(**values)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("steps", {}),
        ("steps", {"steps": 10, "minutes": 1}),
        ("min_learning_rate", {"steps": 10, "learning_rate": 1e-4, "min_learning_rate": 1e-3}),
        ("precision", {"steps": 10, "precision": "fp8"}),
        ("device", {"steps": 10, "device": "tpu"}),
        ("micro_batch", {"steps": 10, "micro_batch": 0}),
        ("warmup_share", {"steps": 10, "warmup_share": 1.5}),
    ],
)
def test_training_settings_that_contradict_each_other_are_refused(field, values):
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**values)
    assert caught.value.field == field


@pytest.mark.parametrize("values", [{"nonsense": 1}, {"layers": "2"}, {"layers": True}])
def test_unknown_keys_and_wrong_types_are_refused(values):
    with pytest.raises(ConfigError) as caught:
        ModelConfig.from_json(values)
    assert caught.value.field in values


NOT_USABLE = (
    *(float("inf"), float("-inf"), float("nan"), 10**400, -(10**400), 1e308),
    *("Infinity", "", "\x00", "\ud800", "x" * 10**6, [], {}, [1], None, True),
)


@pytest.mark.parametrize("value", NOT_USABLE, ids=lambda value: repr(value)[:20])
def test_no_value_of_any_setting_is_more_than_a_sentence(value):
    """JSON carries Infinity, NaN and numbers without end; each is refused as any wrong value is."""
    spec = PRESETS["chat"].spec(name="chat").as_json()
    places = {key: part for part in ("model", "train") for key in spec[part]}
    fits = {None: LENGTH_UNITS, True: ("tie_word_embeddings",)}
    for key, part in places.items():
        if any(value is known and key in keys for known, keys in fits.items()):
            continue
        with pytest.raises(ConfigError) as caught:
            RunSpec.from_json(spec | {part: spec[part] | {key: value}})
        assert len(str(caught.value)) < 900, key


@pytest.mark.parametrize(
    "values", [None, [], "text", 3, {}, {"model": None, "train": {}}, {"x": 1}]
)
def test_what_is_no_specification_is_a_sentence(values):
    with pytest.raises(ConfigError):
        RunSpec.from_json(values)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_nothing_about_a_preset_is_unusual(preset):
    spec = preset.spec(start_from="a model")
    refuse_hopeless(spec)
    assert list(unusual(spec)) == []
    assert list(unusual_course(spec, updates=2000, passes=20, cores=1)) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("learning_rate", {"learning_rate": 1.0}),
        ("warmup_share", {"warmup_share": 0.9}),
        ("limit_minutes", {"limit_minutes": 2.0}),
        ("dropout", {"dropout": 0.9}),
    ],
)
def test_what_never_ends_well_is_refused_beside_its_field(field, changes):
    spec = PRESETS["chat"].spec().as_json()
    part = "model" if field in spec["model"] else "train"
    with pytest.raises(ConfigError) as caught:
        refuse_hopeless(RunSpec.from_json(spec | {part: spec[part] | changes}))
    assert caught.value.field == field


def test_every_number_beyond_its_usual_span_has_a_sentence():
    model = {"layers": 30, "hidden_size": 4096, "heads": 32, "kv_heads": 32, "context": 4096}
    train = {
        "beta1": 0.0,
        "beta2": 0.5,
        "weight_decay": 1.0,
        "max_grad_norm": 0.0,
        "micro_batch": 1024,
    }
    train |= {"learning_rate": 2e-2, "warmup_share": 0.5, "accumulation": 100, "keep_last": 50}
    spec = RunSpec(
        ModelConfig(**model, vocab_size=200_000, dropout=0.5),
        TrainConfig(minutes=4, eval_batches=1, checkpoint_seconds=1, **train),
    )
    said = list(unusual(spec))
    assert len(said) == len(set(said)) == 16
    assert all(sentence.endswith(".") and "unusual" in sentence for sentence in said)


def test_the_parameter_count_is_the_networks(template):
    entries = template.tokenizer.get_vocab_size()
    for config in (
        ModelConfig(hidden_size=64, kv_heads=2),
        ModelConfig("gpt2", hidden_size=64, tie_word_embeddings=False),
    ):
        model = build_model(config, template, seed=1)
        assert parameter_count(model) == replace(config, vocab_size=entries).parameters


@pytest.mark.checklist(86)
def test_the_rate_warms_up_in_a_line_and_falls_in_half_a_cosine():
    schedule = Schedule("cosine", peak=1.0, final=0.1, warmup_steps=10, total_steps=110)
    rates = [schedule.at(step) for step in range(1, 111)]
    assert rates[:10] == pytest.approx([step / 11 for step in range(1, 11)])
    assert rates[10] == 1.0
    assert rates[60] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1, abs=1e-3)
    assert len(schedule.preview(20)) == 20


def test_a_rate_that_stays_falls_in_its_last_share_only():
    schedule = Schedule("wsd", 1.0, 0.1, warmup_steps=10, total_steps=110, tail=0.2)
    rates = [schedule.at(step) for step in range(1, 111)]
    assert rates[10:90] == [1.0] * 80
    falls = [before - after for before, after in pairwise(rates[90:])]
    assert falls == sorted(falls, reverse=True)
    assert falls[-1] > 0
    assert 0.1 < rates[-1] < 0.2
    constant = Schedule("constant", 1.0, 0.1, warmup_steps=10, total_steps=110)
    assert {constant.at(step) for step in range(11, 111)} == {1.0}


@pytest.mark.parametrize("name", DECAYS)
def test_every_decay_begins_at_the_peak_and_never_rises(name):
    left = [DECAYS[name].left(done / 100, 0.3) for done in range(101)]
    assert left[0] == 1
    assert left == sorted(left, reverse=True)
    assert min(left) >= 0
    assert TrainConfig(steps=4, schedule=name).schedule == name


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("method", {"method": "magic"}),
        ("method", {"method": "lora"}),
        ("method", {"start_from": "a model"}),
        ("tokenizer", {"start_from": "a model", "method": "full"}),
        ("tokenizer", {"data": {"tokenizer": "own"}}),
        ("tokenizer", {"data": {"tokenizer": "wordy"}}),
        ("schema", {"schema": 3}),
        ("schema", {"schema": "2"}),
        ("schema", {"schema": None}),
    ],
)
def test_method_start_and_tokenizer_must_fit_together(field, changes):
    spec = PRESETS["chat"].spec().as_json()
    with pytest.raises(ConfigError) as caught:
        RunSpec.from_json(spec | changes)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")


def test_a_run_that_starts_from_a_model_keeps_its_tokenizer():
    spec = PRESETS["chat"].spec().started("a model", "lora")
    assert (spec.method, spec.data.tokenizer) == ("lora", "own")
    assert RunSpec.from_json(spec.as_json()) == spec


def test_adapters_and_tails_are_spoken_of_where_they_are_used():
    plain = PRESETS["chat"].spec()
    odd = replace(plain.train, lora_rank=1, lora_alpha=1000.0, decay_share=0.9)
    assert not list(unusual(replace(plain, train=odd)))
    adapted = replace(plain, train=replace(odd, schedule="wsd")).started("a model", "lora")
    assert len(list(unusual(adapted))) == 3


@pytest.mark.checklist(86)
def test_a_warm_up_longer_than_the_run_is_refused():
    with pytest.raises(ConfigError) as caught:
        Schedule("linear", 1.0, 0.0, warmup_steps=20, total_steps=20)
    assert caught.value.field == "warmup_share"


@pytest.mark.slow
def test_forms_and_engine_import_the_torch_free_half_without_torch():
    names = "config, template, schedule, contract, tokenizer, packing"
    script = f"import sys; from training_app.lm import {names}; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"


def test_a_specification_of_the_first_release_is_still_understood():
    old = {
        "model": {"width": 64, "heads": 2, "kv_heads": 2, "vocabulary": 512, "tied": False},
        "train": {"steps": 4, "peak_rate": 1e-3, "final_rate": 1e-4, "clip": 0.5},
    }
    spec = RunSpec.from_json(old)
    assert (spec.model.hidden_size, spec.model.vocab_size) == (64, 512)
    assert spec.model.tie_word_embeddings is False
    assert (spec.train.learning_rate, spec.train.min_learning_rate) == (1e-3, 1e-4)
    assert spec.train.max_grad_norm == 0.5
    assert (spec.method, spec.schema, spec.data.tokenizer) == ("scratch", 2, "bpe")


@pytest.mark.parametrize(
    ("start", "method", "tokenizer"), [("", "scratch", "bpe"), ("7", "full", "own")]
)
def test_a_stored_specification_without_a_method_is_converted_alike_everywhere(
    start, method, tokenizer
):
    """The migration rewrites rows, `from_json` reads files; neither changes a value."""
    old = {
        "model": ModelConfig().as_json(),
        "train": {"steps": 4, "schedule": "cosine"},
        "data": {"version": "9", "tokenizer": "", "system_prompt": "Be kind."},
        "start_from": start,
        "preset": "chat",
    }
    migration = import_module("training_app.migrations.0006_runs_name_their_method")
    new = migration.named(old)
    assert RunSpec.from_json(new) == RunSpec.from_json(old)
    assert migration.named(new) == new
    assert migration.unnamed(new) == old
    assert (new["method"], new["data"]["tokenizer"]) == (method, tokenizer)
    assert RunSpec.from_json(old).data.system_prompt == "Be kind."
    assert migration.named({}) == {}
