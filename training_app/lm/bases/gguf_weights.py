"""The tensors of a GGUF file as those of a llama network in Hugging Face's layout."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.gguf_file import GgufFile
from training_app.lm.bases.weights_file import Array, Tensor

KINDS = ("llama", "qwen2")  # Mistral's models call themselves llama; qwen2 adds biases
_ROPE_BASE, _EPSILON = 10_000.0, 1e-5  # what a header means that does not say it


def configuration(file: GgufFile) -> dict[str, Any]:
    """Return the config.json of the network. Raises BaseError for a kind that is not read."""
    kind = file.architecture
    if kind not in KINDS:
        raise BaseError(
            f"The model is of the kind “{kind}”. OTTO reads GGUF files of the kinds"
            f" {', '.join(KINDS)}."
        )
    _refuse_scaled_positions(file)
    width, heads = file.size("embedding_length"), file.size("attention.head_count")
    head_dim = file.size("rope.dimension_count", width // heads)
    if width % heads or head_dim * heads != width:
        raise BaseError(
            f"The GGUF file says {heads} heads of {head_dim} in a width of {width}; that does not"
            " fit together."
        )
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(file.wanted("tokenizer.ggml.tokens", list)),
        "hidden_size": width,
        "intermediate_size": file.size("feed_forward_length"),
        "num_hidden_layers": file.size("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": file.size("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "max_position_embeddings": _context(file),
        "rope_theta": _number(file, "rope.freq_base", _ROPE_BASE),
        "rms_norm_eps": _number(file, "attention.layer_norm_rms_epsilon", _EPSILON),
        "hidden_act": "silu",
        "attention_bias": "blk.0.attn_q.bias" in file.tensors,
        "mlp_bias": False,
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "torch_dtype": "float32",
    }


def _refuse_scaled_positions(file: GgufFile) -> None:
    scaling = file.values.get(file.of_architecture("rope.scaling.type"), "none")
    if scaling != "none" or "rope_freqs.weight" in file.tensors:
        raise BaseError(
            "The model stretches its positions (rope scaling), which OTTO does not read from GGUF."
            " Bring it as a Hugging Face folder."
        )


def _context(file: GgufFile) -> int:
    """Return how far the network looks back; within a sliding window that is all it sees."""
    context = file.size("context_length")
    return min(context, file.size("attention.sliding_window", context))


def _number(file: GgufFile, name: str, default: float) -> float:
    full = file.of_architecture(name)
    number = file.wanted(full, float) if full in file.values else default
    return float(f"{number:.6g}")  # written as fp32: 9.999999747e-06 was meant as 1e-05


def network_tensors(file: GgufFile, config: dict[str, Any]) -> list[Tensor]:
    """Return all weights of the network, matrices as (out, in), each of the size that it must have.

    Raises BaseError where one is missing, or of another size.
    """
    return list(_tensors(file, config))


def _tensors(file: GgufFile, config: dict[str, Any]) -> Iterator[Tensor]:
    width, table = config["hidden_size"], (config["vocab_size"], config["hidden_size"])
    yield _tensor(file, "token_embd.weight", "model.embed_tokens.weight", table)
    for layer in range(config["num_hidden_layers"]):
        yield from _block(file, config, layer)
    yield _tensor(file, "output_norm.weight", "model.norm.weight", (width,))
    if not config["tie_word_embeddings"]:
        yield _tensor(file, "output.weight", "lm_head.weight", table)


def _block(file: GgufFile, config: dict[str, Any], layer: int) -> Iterator[Tensor]:
    width, inner = config["hidden_size"], config["intermediate_size"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    theirs, ours = f"blk.{layer}", f"model.layers.{layer}"
    plain: dict[str, tuple[str, tuple[int, ...]]] = {
        "attn_norm.weight": ("input_layernorm.weight", (width,)),
        "ffn_norm.weight": ("post_attention_layernorm.weight", (width,)),
        "attn_v.weight": ("self_attn.v_proj.weight", (keys, width)),
        "attn_output.weight": ("self_attn.o_proj.weight", (width, width)),
        "ffn_gate.weight": ("mlp.gate_proj.weight", (inner, width)),
        "ffn_up.weight": ("mlp.up_proj.weight", (inner, width)),
        "ffn_down.weight": ("mlp.down_proj.weight", (width, inner)),
    }
    turned: dict[str, tuple[str, tuple[int, ...]]] = {
        "attn_q.weight": ("self_attn.q_proj.weight", (width, width)),
        "attn_k.weight": ("self_attn.k_proj.weight", (keys, width)),
    }
    if config["attention_bias"]:
        plain["attn_v.bias"] = ("self_attn.v_proj.bias", (keys,))
        turned["attn_q.bias"] = ("self_attn.q_proj.bias", (width,))
        turned["attn_k.bias"] = ("self_attn.k_proj.bias", (keys,))
        name = f"{ours}.self_attn.o_proj.bias"  # llama has one where it has the other three
        yield Tensor(name, (width,), partial(np.zeros, width, np.float32))
    for name, (known, shape) in plain.items():
        yield _tensor(file, f"{theirs}.{name}", f"{ours}.{known}", shape)
    for name, (known, shape) in turned.items():
        tensor = _tensor(file, f"{theirs}.{name}", f"{ours}.{known}", shape)
        yield tensor if file.architecture == "qwen2" else _unturned(tensor, config["head_dim"])


def _tensor(file: GgufFile, theirs: str, ours: str, shape: tuple[int, ...]) -> Tensor:
    file.check(theirs, shape)
    return Tensor(ours, shape, partial(file.take, theirs, shape))


def _unturned(tensor: Tensor, head_dim: int) -> Tensor:
    """Return q or k with each head's rows as Hugging Face orders them.

    llama.cpp turns pairs of neighbouring rows, Hugging Face the first half with the second.
    """

    def read() -> Array:
        rows = tensor.read()
        pairs = rows.reshape(-1, head_dim // 2, 2, *rows.shape[1:])
        return np.swapaxes(pairs, 1, 2).reshape(rows.shape)

    return Tensor(tensor.name, tensor.shape, read)
