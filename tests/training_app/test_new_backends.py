"""A tokenizer and a kind of network that are one line of a registry: on the form, and trained."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.urls import reverse
from tokenizers import pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from tests.training_app.lm.conftest import TALKS, Diary
from tests.training_app.views.test_runs import filled
from training_app.lm.config import DataConfig
from training_app.lm.contract import TokenSource
from training_app.lm.driver import train_run
from training_app.lm.families import FAMILIES, Family
from training_app.lm.folder import open_model
from training_app.lm.presets import PRESETS
from training_app.lm.tokenizer import bytes_only
from training_app.lm.tokenizer_kinds import TOKENIZERS, TokenizerKind, single_bytes, text_bytes
from training_app.models import Run

HERE = "tests.training_app.test_new_backends"


def digits_apart(texts, vocab_size):
    """Single bytes again, each digit for itself; as a backend that somebody writes would be."""
    made = bytes_only(texts, vocab_size)
    parts = [pre_tokenizers.Digits(individual_digits=True), made.tokenizer.pre_tokenizer]
    made.tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    return made


def narrow_network(config, common):
    """Llama blocks whose inner layer is no wider than the outer one."""
    return LlamaForCausalLM(
        LlamaConfig(
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            hidden_size=config.hidden_size,
            intermediate_size=config.hidden_size,
            max_position_embeddings=config.context,
            **common,
        )
    )


@pytest.fixture
def backends(monkeypatch):
    kind = TokenizerKind(
        "digits apart", "each digit is a token", f"{HERE}:digits_apart", single_bytes, text_bytes
    )
    monkeypatch.setitem(TOKENIZERS, "digits", kind)
    family = Family("Narrow", "thin inside", f"{HERE}:narrow_network", head_step=16)
    monkeypatch.setitem(FAMILIES, "narrow", family)


@pytest.mark.slow
@pytest.mark.checklist(145, 388, 389)
def test_a_new_tokenizer_and_a_new_network_are_on_the_form_and_train(
    backends, theo, client_of, version, tmp_path
):
    client = client_of(theo)
    page = client.get(reverse("run-new")).text
    assert "digits apart: each digit is a token" in page
    assert "Narrow: thin inside" in page
    client.post(reverse("run-new"), filled(version, tokenizer="digits", family="narrow"))
    spec = Run.objects.get().spec
    assert (spec["data"]["tokenizer"], spec["model"]["family"]) == ("digits", "narrow")
    wrong = filled(version, family="narrow", heads=16, kv_heads=16)
    assert "must be a multiple of 16" in client.post(reverse("run-new"), wrong).text
    tiny = PRESETS["tiny"].spec()
    model = replace(tiny.model, family="narrow", layers=1, heads=2, kv_heads=2, hidden_size=32)
    train = replace(
        tiny.train, minutes=None, steps=8, eval_batches=2, threads=1, precision="fp32", patience=0
    )
    asked = replace(tiny, model=model, train=train, data=DataConfig(tokenizer="digits"))
    data = TokenSource(TALKS[:20], TALKS[20:24], fingerprint="toy")
    result = train_run(asked, data, tmp_path / "w", Diary(tmp_path / "c"), lambda: None)
    network, template = open_model(result.folder)
    assert network.config.intermediate_size == 32
    assert template.decode(template.text_ids("Order 1234 👋")) == "Order 1234 👋"
    assert len(template.text_ids("1234")) == 4


@pytest.mark.checklist(388, 389)
def test_without_the_lines_neither_is_offered(theo, client_of, version):
    page = client_of(theo).get(reverse("run-new")).text
    assert "digits apart" not in page
    assert "Narrow: thin inside" not in page
    refused = client_of(theo).post(reverse("run-new"), filled(version, tokenizer="digits"))
    assert refused.status_code == 422
