"""The ONNX for other tools computes what torch computes, or is refused."""

from __future__ import annotations

import shutil

import onnx
import pytest
import torch
from optimum.onnxruntime import ORTModelForCausalLM
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from datasets_app.corpus.conversation import USER, Turn
from training_app.lm.config import ModelConfig
from training_app.lm.exports.onnx import check_parity, export_onnx
from training_app.lm.exports.parity import ParityError
from training_app.lm.folder import open_model, verify_model, write_model
from training_app.lm.layout import FolderError
from training_app.lm.model import build_model
from training_app.lm.template import Template

ASKED = ["Where is my parcel number 3?", "ok"]
SHAPES = {
    "llama": ModelConfig(layers=2, heads=2, kv_heads=1, hidden_size=32, context=64),
    "gpt2": ModelConfig("gpt2", layers=2, heads=2, kv_heads=2, hidden_size=16, context=64),
}


@pytest.fixture(params=SHAPES)
def folder(request, template, tmp_path):
    torch.manual_seed(3)
    model = build_model(SHAPES[request.param], template, seed=1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
    write_model(tmp_path / "model", model, template, {"is_chat": True})
    return tmp_path / "model"


@pytest.mark.checklist(188)
def test_the_folder_opens_in_transformers_as_it_is(folder, template, talks):
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    text = talks[0].turns[0].text
    assert tokenizer(text)["input_ids"] == template.text_ids(text)
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert set(model.generation_config.eos_token_id) == template.stop_ids


def test_the_call_that_everybody_writes_gives_the_models_own_answer(folder, template):
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    said = answers(model, tokenizer)
    assert said == [own_answer(folder, text) for text in ASKED]


def answers(model, tokenizer):
    """What `generate(**tokenizer(text))` says, which must not depend on anything unsaid."""
    given = (tokenizer(text, return_tensors="pt") for text in ASKED)
    written = [model.generate(**one, max_new_tokens=6, do_sample=False) for one in given]
    return [ids[0].tolist() for ids in written]


def own_answer(folder, text):
    """The same by the bare network, one token after the other."""
    network, template = open_model(folder)
    ids = template.text_ids(text)
    for _ in range(6):
        with torch.no_grad():
            ids.append(int(network(torch.tensor([ids])).logits[0, -1].argmax()))
        if ids[-1] in template.stop_ids:
            break
    return ids


def test_a_changed_file_is_noticed(folder):
    assert verify_model(folder)["is_chat"] is True
    (folder / "config.json").write_text("{}")
    with pytest.raises(FolderError, match=r"config\.json"):
        verify_model(folder)


def test_weights_as_a_pickle_are_refused_with_the_reason(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(FolderError, match="foreign code"):
        open_model(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # optimum traces the older way
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.filterwarnings("ignore:Exporting aten:UserWarning")
@pytest.mark.checklist(197, 199, 200)
def test_the_export_agrees_with_torch_and_a_wrong_one_is_refused(folder, tmp_path, talks):
    template = Template.open(folder)
    prompts = [template.prompt(talk.turns[:1]).ids for talk in talks[:3]]
    parity = export_onnx(folder, tmp_path / "portable", prompts, opset=17)
    graph = onnx.load(tmp_path / "portable/model.onnx", load_external_data=False)
    assert {one.domain: one.version for one in graph.opset_import}[""] == 17
    assert parity.largest_error <= 1e-4
    assert parity.greedy_tokens == 48
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "portable", local_files_only=True)
    session = ORTModelForCausalLM.from_pretrained(tmp_path / "portable", local_files_only=True)
    assert answers(session, tokenizer) == [own_answer(folder, text) for text in ASKED]
    turns = [Turn(USER, "What does <|end|> mean? <|system|>")]
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
    assert ids == template.prompt(turns).ids
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    weights = load_file(other / "model.safetensors")
    name = next(name for name, weight in weights.items() if weight.dim() == 2)
    weights[name][:, 0] += 0.05
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ParityError, match="not offered"):
        check_parity(other, tmp_path / "portable", prompts)
