"""GGUF files: the network and tokenizer that they hold, and what is refused about them."""

from __future__ import annotations

import json

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.integrations.ggml import GGUFLlamaConverter

from tests.training_app.lm.bases.toys import (
    TEXTS,
    gguf_tensors,
    toy_bpe,
    toy_network,
    write_gguf,
    write_toy_gguf,
)
from training_app.lm.bases import language_folder
from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.gguf_file import GgufFile
from training_app.lm.bases.gguf_tokenizer import ControlTokens, tokenizer_of
from training_app.lm.config import TrainingError
from training_app.lm.layout import shape_of

CHAT = [{"role": "user", "content": "Where is parcel 37?"}]


@pytest.fixture(scope="module")
def tokenizer():
    return toy_bpe()


@pytest.fixture(scope="module")
def network(tokenizer):
    return toy_network(tokenizer.get_vocab_size())


def converted(source, tmp_path):
    target = tmp_path / "made"
    target.mkdir()
    return target, language_folder.write_gguf(source, target)


def logits(network, ids):
    with torch.no_grad():
        return network(torch.tensor([ids])).logits


def test_a_gguf_file_becomes_the_network_that_was_written(tmp_path, network, tokenizer):
    folder, facts = converted(write_gguf(tmp_path / "a.gguf", network, tokenizer), tmp_path)
    opened = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()
    ids = tokenizer.encode(TEXTS[0]).ids
    assert torch.equal(logits(opened, ids), logits(network, ids))
    assert facts["parameters"] == sum(weight.numel() for weight in network.parameters())
    assert facts["context"] == 128
    assert facts["said"] == {"licence": "apache-2.0"}
    assert shape_of(folder).kv_heads == 2


def test_transformers_own_reader_of_gguf_gives_the_same_weights(tmp_path, network, tokenizer):
    source = write_gguf(tmp_path / "a.gguf", network, tokenizer)
    folder, _ = converted(source, tmp_path)
    ours = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).state_dict()
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=source.name).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_head_of_its_own_and_qwens_biases_are_kept(tmp_path, tokenizer):
    entries = tokenizer.get_vocab_size()
    network = toy_network(entries, attention_bias=True, tie_word_embeddings=False)
    for layer in network.model.layers:
        layer.self_attn.o_proj.bias.data.zero_()  # Qwen has none
    tensors = gguf_tensors(network, is_turned=False)
    source = write_gguf(tmp_path / "q.gguf", network, tokenizer, kind="qwen2", tensors=tensors)
    folder, _ = converted(source, tmp_path)
    opened = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()
    ids = tokenizer.encode(TEXTS[1]).ids
    assert torch.equal(logits(opened, ids), logits(network, ids))


def test_quantised_tensors_are_taken_out_of_their_quantisation(tmp_path, network, tokenizer):
    tensors = gguf_tensors(network)
    path = tmp_path / "q8.gguf"
    write_gguf(path, network, tokenizer, tensors=tensors)
    kind = gguf.GGMLQuantizationType.Q8_0
    name = "blk.0.ffn_up.weight"
    expected = gguf.quants.dequantize(gguf.quants.quantize(tensors[name], kind), kind)
    file = GgufFile.open(path)
    tensor = file.tensors[name]
    packed = tensor._replace(data=gguf.quants.quantize(tensors[name], kind), tensor_type=kind)
    file.tensors[name] = packed
    assert np.array_equal(file.take(name, expected.shape), expected)


def test_its_tokenizer_gives_the_original_ids(tmp_path, network, tokenizer):
    folder, _ = converted(write_gguf(tmp_path / "a.gguf", network, tokenizer), tmp_path)
    opened = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for text in [*TEXTS, "12345 it's   <|im_start|>\n\n", "ünïcödé 👋"]:
        assert opened(text, add_special_tokens=False).input_ids == tokenizer.encode(text).ids
        assert opened.decode(opened(text).input_ids) == text
    assert opened.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True) == (
        "<|im_start|>user\nWhere is parcel 37?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert tokenizer.token_to_id("<|im_end|>") == opened.eos_token_id
    ends = json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    assert ends == [0, 2]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"embedding_length": 128, "attention.head_count": 8}, "token_embd.weight” is"),
        ({"block_count": 3}, "no tensor “blk.2.attn_norm.weight”"),
        ({"attention.head_count_kv": 4}, "blk.0.attn_v.weight” is"),
        ({"attention.head_count": 3}, "does not fit together"),
        ({"feed_forward_length": 4_000_000_000}, "blk.0.ffn_gate.weight” is"),
        ({"attention.head_count": 0}, "gives “llama.attention.head_count” as 0"),
        ({"context_length": 0}, "gives “llama.context_length” as 0"),
        ({"rope.dimension_count": 8}, "does not fit together"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, network, tokenizer, changes, sentence):
    source = write_gguf(tmp_path / "a.gguf", network, tokenizer, **changes)
    with pytest.raises(BaseError, match=sentence):
        converted(source, tmp_path)


def test_other_kinds_are_refused_by_name(tmp_path, network, tokenizer):
    source = write_gguf(tmp_path / "a.gguf", network, tokenizer, kind="mamba")
    with pytest.raises(BaseError, match=r"of the kind “mamba”.*llama, qwen2"):
        converted(source, tmp_path)


def test_positions_that_are_stretched_are_refused(tmp_path, network, tokenizer):
    tensors = gguf_tensors(network) | {"rope_freqs.weight": np.ones(8, np.float32)}
    source = write_gguf(tmp_path / "a.gguf", network, tokenizer, tensors=tensors)
    with pytest.raises(BaseError, match="stretches its positions"):
        converted(source, tmp_path)


def test_weights_that_are_no_numbers_are_refused(tmp_path, network, tokenizer):
    tensors = gguf_tensors(network)
    tensors["blk.1.ffn_down.weight"] = np.full_like(tensors["blk.1.ffn_down.weight"], np.nan)
    source = write_gguf(tmp_path / "a.gguf", network, tokenizer, tensors=tensors)
    with pytest.raises(BaseError, match="no number"):
        converted(source, tmp_path)


def test_a_model_too_large_for_the_machine_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(language_folder, "MOST_WEIGHTS", 1000)
    source = write_toy_gguf(tmp_path / "a.gguf")
    with pytest.raises(TrainingError, match="OTTO takes in up to 1,000"):
        converted(source, tmp_path)


def spm_file(tmp_path):
    """Write a SentencePiece vocabulary; its scores say which pieces join first."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{number:02X}>" for number in range(256))]
    letters = sorted({letter for text in TEXTS for letter in text.replace(" ", "▁")} | {"▁"})
    words = ["▁p", "ar", "▁par", "ce", "cel", "▁parcel", "is", "▁is", "▁m", "▁my"]
    writer = gguf.GGUFWriter(tmp_path / "spm.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*pieces, *letters, *words])
    writer.add_token_scores([0.0] * (len(pieces) + len(letters)) + [-1.0 - n for n in range(10)])
    writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * (len(letters) + len(words))])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "spm.gguf"


def test_sentence_pieces_become_the_tokenizer_that_transformers_makes(tmp_path):
    file = GgufFile.open(spm_file(tmp_path))
    named = {"tokens": "tokens", "scores": "scores", "token_type": "token_type"}
    given = {ours: file.values[f"tokenizer.ggml.{theirs}"] for ours, theirs in named.items()}
    ids = {"unk_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    theirs = GGUFLlamaConverter({**given, **ids, "tokenizer_type": "llama"}).converted()
    ours = tokenizer_of(file)
    for text in [*TEXTS, "my parcel is my parcel", "ü👋", " two  spaces "]:
        assert ours.encode(text).ids == theirs.encode(text, add_special_tokens=False).ids
        assert ours.decode(ours.encode(text).ids) == text


def test_an_entry_without_end_is_refused(tmp_path):
    file = GgufFile.open(spm_file(tmp_path))
    file.values["tokenizer.ggml.tokens"][-1] = "a" * 1_001
    with pytest.raises(BaseError, match="entry of 1,001 signs"):
        tokenizer_of(file)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("tokenizer.ggml.pre", "tekken", "parts words in the way"),
        ("tokenizer.ggml.model", "t5", "OTTO reads gpt2 and llama"),
        ("tokenizer.ggml.merges", ["a b c"], "which are not two"),
        ("tokenizer.ggml.eos_token_id", 99_999, "which is no entry"),
        ("tokenizer.ggml.token_type", [1], "vocabulary has"),
    ],
)
def test_a_tokenizer_that_is_not_known_is_refused(tmp_path, name, value, sentence):
    file = GgufFile.open(write_toy_gguf(tmp_path / "a.gguf"))
    file.values[name] = value
    read = ControlTokens.of if name.endswith("_id") else tokenizer_of
    with pytest.raises(BaseError, match=sentence):
        read(file)
