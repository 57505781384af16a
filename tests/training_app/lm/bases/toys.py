"""Toy models in the forms in which people bring them: GGUF files, encoders, packages."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

CONTROLS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEXTS = [
    "Where is my parcel number 37?",
    "It left our warehouse today, it's on its way.",
    "Can I return a lamp that I've used for 2 weeks?",
    "Yes: within 30 days, in its box; we pay the postage.",
]
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def toy_bpe(vocab_size: int = 320) -> Tokenizer:
    """Return a byte-level tokenizer as SmolLM2 has one: digits stand alone."""
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=CONTROLS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 20, trainer)
    return tokenizer


def toy_network(entries: int, **changes) -> LlamaForCausalLM:
    """Return a llama network with grouped keys and random weights."""
    torch.manual_seed(7)
    sizes = {
        "vocab_size": entries,
        "hidden_size": 64,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
        "rope_theta": 100_000.0,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
    }
    network = LlamaForCausalLM(LlamaConfig(**sizes | changes)).eval()
    for name, weight in network.named_parameters():
        if "norm" in name or name.endswith("bias"):
            weight.data = torch.randn_like(weight) * 0.1 + 1
    return network


def turned(rows: np.ndarray, heads: int) -> np.ndarray:
    """Return q or k as llama.cpp keeps it: the two halves of each head interleaved."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return np.swapaxes(halves, 1, 2).reshape(rows.shape)


NAMES = {
    "input_layernorm.weight": "attn_norm.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
    **{f"self_attn.{one}_proj.weight": f"attn_{one}.weight" for one in "qkv"},
    **{f"self_attn.{one}_proj.bias": f"attn_{one}.bias" for one in "qkv"},
}


def gguf_tensors(network: LlamaForCausalLM, *, is_turned: bool = True) -> dict[str, np.ndarray]:
    """Return the network's weights under llama.cpp's names, turned as it turns llama's."""
    config, found = network.config, {}
    heads = {"q": config.num_attention_heads, "k": config.num_key_value_heads}
    for name, weight in network.state_dict().items():
        numbers = weight.numpy()
        _, _, rest = name.partition("layers.")
        if not rest:
            known = {"model.embed_tokens.weight": "token_embd", "model.norm.weight": "output_norm"}
            if name in known or not config.tie_word_embeddings:
                found[f"{known.get(name, 'output')}.weight"] = numbers
            continue
        layer, _, part = rest.partition(".")
        if part == "self_attn.o_proj.bias":
            continue
        which = part.removeprefix("self_attn.")[0]
        if is_turned and part.startswith("self_attn.") and which in heads:
            numbers = turned(numbers, heads[which])
        found[f"blk.{layer}.{NAMES[part]}"] = numbers
    return found


def write_gguf(path: Path, network, tokenizer, *, kind="llama", tensors=None, **changes) -> Path:
    """Write the network as a GGUF file; `changes` lie in the header, `tensors` in the weights."""
    config = network.config
    writer = gguf.GGUFWriter(path, kind)
    values = {
        "block_count": config.num_hidden_layers,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
    }
    for name, value in (values | changes).items():
        writer.add_uint32(f"{kind}.{name}", value)
    writer.add_float32(f"{kind}.rope.freq_base", config.rope_theta)
    writer.add_float32(f"{kind}.attention.layer_norm_rms_epsilon", config.rms_norm_eps)
    writer.add_string("general.license", "apache-2.0")
    add_bpe(writer, tokenizer)
    for name, numbers in (tensors or gguf_tensors(network)).items():
        writer.add_tensor(name, np.ascontiguousarray(numbers))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_bpe(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    tokens = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in CONTROLS else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in model["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHATML)


def write_toy_gguf(path: Path, **changes) -> Path:
    tokenizer = toy_bpe()
    return write_gguf(path, toy_network(tokenizer.get_vocab_size()), tokenizer, **changes)


def toy_wordpiece() -> Tokenizer:
    """Return a tokenizer as BERT has one, without capitals."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=names, show_progress=False)
    tokenizer.train_from_iterator(TEXTS * 20, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def write_encoder(folder: Path, **changes) -> BertModel:
    """Write an encoder in Hugging Face's layout and return its network."""
    torch.manual_seed(3)
    tokenizer = toy_wordpiece()
    sizes = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 96,
        "max_position_embeddings": 40,
    }
    network = BertModel(BertConfig(**sizes | changes)).eval()
    for weight in network.parameters():
        weight.data = weight.data * 3 + 0.02 * torch.randn_like(weight)
    network.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return network
