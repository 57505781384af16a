"""Settings are checked values: what cannot work is refused in a sentence that names the field."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from training_app.lm.config import PRESETS, ConfigError, ModelConfig, RunSpec, TrainConfig
from training_app.lm.model import build_model, parameter_count
from training_app.lm.schedule import Schedule


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_json(name):
    spec = PRESETS[name].spec(name=name, version="7")
    assert RunSpec.from_json(spec.as_json()) == spec


@pytest.mark.checklist(83)
def test_the_test_preset_is_4_4_256_64():
    model = PRESETS["test"].model
    assert (model.family, model.layers, model.heads) == ("gpt2", 4, 4)
    assert (model.width, model.context) == (256, 64)


@pytest.mark.checklist(84)
def test_the_production_preset_is_6_6_384_128():
    model = PRESETS["production"].model
    assert (model.family, model.layers, model.heads) == ("gpt2", 6, 6)
    assert (model.width, model.context) == (384, 128)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("heads", {"width": 32, "heads": 4, "kv_heads": 4}),
        ("heads", {"family": "gpt2", "width": 36, "heads": 3, "kv_heads": 3}),
        ("width", {"width": 100, "heads": 3, "kv_heads": 3}),
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
        ("final_rate", {"steps": 10, "peak_rate": 1e-4, "final_rate": 1e-3}),
        ("precision", {"steps": 10, "precision": "fp8"}),
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


def test_the_parameter_count_is_the_networks(template):
    entries = template.tokenizer.get_vocab_size()
    for config in (ModelConfig(width=64, kv_heads=2), ModelConfig("gpt2", width=64, tied=False)):
        model = build_model(config, template, seed=1)
        assert parameter_count(model) == replace(config, vocabulary=entries).parameters


@pytest.mark.checklist(86)
def test_the_rate_warms_up_in_a_line_and_falls_in_half_a_cosine():
    schedule = Schedule("cosine", peak=1.0, final=0.1, warmup_steps=10, total_steps=110)
    rates = [schedule.at(step) for step in range(1, 111)]
    assert rates[:10] == pytest.approx([step / 11 for step in range(1, 11)])
    assert rates[10] == 1.0
    assert rates[60] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1, abs=1e-3)
    assert len(schedule.preview(20)) == 20


@pytest.mark.checklist(86)
def test_a_warm_up_longer_than_the_run_is_refused():
    with pytest.raises(ConfigError) as caught:
        Schedule("linear", 1.0, 0.0, warmup_steps=20, total_steps=20)
    assert caught.value.field == "warmup_share"


def test_forms_and_engine_import_the_torch_free_half_without_torch():
    names = "config, template, schedule, contract, tokenizer, packing"
    script = f"import sys; from training_app.lm import {names}; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"
