"""A model from elsewhere reads the same ids in preparation, evaluation, chat and other tools."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from chat_app.serving.export import write_graph
from chat_app.serving.loaded import load_model
from chat_app.serving.requests import ModelKey, Request
from datasets_app.corpus.conversation import SYSTEM, Turn
from tests.training_app.lm.families import FAMILIES
from training_app.lm.assess import Learned, assess_model
from training_app.lm.contract import Start
from training_app.lm.driver import train_run
from training_app.lm.folder import open_model, verify_model
from training_app.lm.prepare import prepare
from training_app.lm.template import Template, with_system_prompt

pytestmark = pytest.mark.usefixtures("quick_trial")


def never():
    return None


@pytest.fixture(params=["chatml", "gemma"])
def base(request, talks, tmp_path):
    """A tiny llama with the tokenizer and the chat template of a family."""
    texts = [turn.text for talk in talks for turn in talk.turns]
    folder = FAMILIES[request.param].write(tmp_path / "base", texts * 3, size=400)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=Template.open(folder).entries + 37,  # padded, as models are
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_run_keeps_the_template_of_its_base(base, spec, data, talks, tmp_path, diary):
    before = {path.name: path.read_bytes() for path in base.iterdir()}
    size = json.loads(before["config.json"])["vocab_size"]
    spec = replace(
        spec,
        model=replace(spec.model, context=256),
        train=replace(spec.train, steps=4, eval_every=4, checkpoint_every=4),
        data=replace(spec.data, system_prompt="Be kind."),
    ).started("the base")
    result = train_run(spec, data, tmp_path / "work", diary, never, Start(base))
    assert not any("control tokens were added" in note for note in diary.notes)
    manifest = verify_model(result.folder)
    assert manifest["template"] == "jinja"
    model, template = open_model(result.folder)
    assert model.config.vocab_size == size
    assert template.source == Template.open(base).source
    assert manifest["stop_ids"] == sorted(template.stop_ids)
    assert model.generation_config.eos_token_id == sorted(template.stop_ids)
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before
    asked = [Turn(SYSTEM, "Be kind."), *talks[0].turns[:3]]
    wanted = Template.open(base).prompt(asked).ids
    assert template.prompt(asked).ids == wanted
    rest = tmp_path / "evaluation"
    rest.mkdir()
    found = assess_model(
        result.folder, data.validation, rest, learned=Learned(system_prompt="Be kind.")
    )
    assert found.figures.answer_loss is not None
    theirs = AutoTokenizer.from_pretrained(result.folder, local_files_only=True)
    if b"not supported" not in before["tokenizer_config.json"]:
        messages = [{"role": turn.role, "content": turn.text} for turn in asked]
        assert theirs.apply_chat_template(messages, add_generation_prompt=True) == wanted
    write_graph(result.folder, "fp32")
    key = ModelKey(result.folder)
    served = load_model(key, slots=2, threads=1)
    reading = served.prompt(Request("1", "mia", key, turns=asked))
    assert reading.prompt.ids == wanted
    assert served.template.stop_ids == template.stop_ids


def test_what_is_packed_is_what_the_template_gives(base, spec, data, diary, tmp_path):
    spec = spec.started("the base")
    spec = replace(spec, data=replace(spec.data, system_prompt="Be kind."))
    prepared = prepare(spec, data, tmp_path, diary, Start(base))
    template = Template.open(base)
    talks = [with_system_prompt(talk, "Be kind.") for talk in data.train]
    encoded = list(template.encode_all(talks))
    ids = [number for one in encoded for number in one.ids]
    marks = [mark for one in encoded for mark in one.answers]
    assert prepared.train.tokens.tolist() == ids
    assert prepared.train.answers.tolist() == marks
    again = prepare(spec, data, tmp_path, diary, Start(base))
    assert diary.phases.count("packing") == 1
    assert again.template.kind == "jinja"
    with (base / "tokenizer_config.json").open("a") as file:
        file.write("\n")
    prepare(spec, data, tmp_path, diary, Start(base))  # another template may mean other tokens
    assert diary.phases.count("packing") == 2


def test_a_base_without_chat_template_gets_chatml_where_its_tokens_are_there(
    base, spec, data, diary, tmp_path
):
    path = base / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    del settings["chat_template"]
    path.write_text(json.dumps(settings))
    prepared = prepare(spec.started("the base"), data, tmp_path, diary, Start(base))
    (note,) = [note for note in diary.notes if "control tokens" in note]
    if settings["eos_token"] == "<|im_end|>":  # noqa: S105 no password
        assert "ChatML is taken" in note
        assert prepared.template.kind == "jinja"
        text = prepared.template.tokenizer.decode(prepared.train.tokens[:40].tolist(), False)
        assert text.startswith("<|im_start|>user\nWhere is my parcel number 0?<|im_end|>\n<|im_st")
    else:
        assert "5 control tokens were added" in note
        assert prepared.template.kind == "otto"
