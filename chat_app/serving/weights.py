"""A Hugging Face state-dict as the matrices that the serving graph multiplies by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_app.lm.served_shape import ModelShape, UnservableError

Array = NDArray[Any]
Weights = dict[str, Array]  # matrices are (in, out), the head is (vocab_size, hidden_size)

BUFFERS = (".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq")  # not weights


class StateDict:
    """Hands out tensors as fp32 and knows which were never asked for."""

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        self._tensors = tensors
        self._untaken = {name for name in tensors if not name.endswith(BUFFERS)}

    def take(self, name: str) -> Array:
        """Return one tensor as fp32, in the shape it was saved in: (out, in) for llama's matrices.

        Raises UnservableError where the model has no tensor of this name.
        """
        if name not in self._tensors:
            raise UnservableError(f"The model's weights have no tensor called {name}.")
        self._untaken.discard(name)
        return np.asarray(self._tensors[name], np.float32)

    def has(self, name: str) -> bool:
        """Return whether there is a tensor of this name."""
        return name in self._tensors

    def refuse_untaken(self) -> None:
        """Raise UnservableError for a model with parts that the graph would silently leave out."""
        if self._untaken:
            name = min(self._untaken)
            raise UnservableError(f"The model has a part that OTTO cannot serve: {name}.")


def arrange_weights(shape: ModelShape, tensors: Mapping[str, Array]) -> Weights:
    """Return every matrix under the graph's own names, as fp32; q, k and v packed side by side.

    Matrices become (in, out), norms and biases stay (out,), the embedding and the head
    (vocab_size, hidden_size). Raises UnservableError where a tensor is missing or unknown, and
    where embedding, head or q, k and v are of another size than the configuration says.
    """
    source = StateDict(tensors)
    weights = _gpt2_weights(shape, source) if shape.is_gpt2 else _llama_weights(shape, source)
    head = "lm_head.weight"
    weights["head"] = source.take(head) if source.has(head) else weights["tokens"]
    source.refuse_untaken()
    _check_sizes(shape, weights)
    return weights


def _gpt2_weights(shape: ModelShape, source: StateDict) -> Weights:
    weights = {
        "tokens": source.take("transformer.wte.weight"),
        "positions": source.take("transformer.wpe.weight"),
    }
    weights |= _with_bias(source, "final_norm", "transformer.ln_f")
    names = {
        "attention_norm": "ln_1",
        "qkv": "attn.c_attn",
        "attention_out": "attn.c_proj",
        "mlp_norm": "ln_2",
        "mlp_up": "mlp.c_fc",
        "mlp_down": "mlp.c_proj",
    }
    for layer in range(shape.layers):
        for ours, theirs in names.items():
            weights |= _with_bias(source, f"{layer}.{ours}", f"transformer.h.{layer}.{theirs}")
    return weights


def _with_bias(source: StateDict, ours: str, theirs: str) -> Weights:
    return {ours: source.take(f"{theirs}.weight"), f"{ours}.bias": source.take(f"{theirs}.bias")}


def _llama_weights(shape: ModelShape, source: StateDict) -> Weights:
    weights = {
        "tokens": source.take("model.embed_tokens.weight"),
        "final_norm": source.take("model.norm.weight"),
    }
    matrices = {
        "qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
        "attention_out": ["self_attn.o_proj"],
        "mlp_gate": ["mlp.gate_proj"],
        "mlp_up": ["mlp.up_proj"],
        "mlp_down": ["mlp.down_proj"],
    }
    for layer in range(shape.layers):
        prefix = f"model.layers.{layer}"
        weights[f"{layer}.attention_norm"] = source.take(f"{prefix}.input_layernorm.weight")
        weights[f"{layer}.mlp_norm"] = source.take(f"{prefix}.post_attention_layernorm.weight")
        for ours, theirs in matrices.items():
            parts = [f"{prefix}.{name}" for name in theirs]
            weights |= _joined(source, f"{layer}.{ours}", parts)
    return weights


def _joined(source: StateDict, ours: str, parts: list[str]) -> Weights:
    matrices = [source.take(f"{part}.weight").T for part in parts]  # (in, out)
    joined = {ours: np.concatenate(matrices, axis=1)}
    if source.has(f"{parts[0]}.bias"):
        joined[f"{ours}.bias"] = np.concatenate([source.take(f"{part}.bias") for part in parts])
    return joined


def _check_sizes(shape: ModelShape, weights: Weights) -> None:
    wanted = {"tokens": (shape.vocab, shape.hidden_size), "head": (shape.vocab, shape.hidden_size)}
    wanted |= {
        f"{layer}.qkv": (shape.hidden_size, shape.packed_width) for layer in range(shape.layers)
    }
    for name, size in wanted.items():
        if weights[name].shape != size:
            raise UnservableError(
                f"The weights called {name} are {weights[name].shape}, "
                f"the configuration asks for {size}."
            )


def rope_tables(shape: ModelShape) -> tuple[Array, Array]:
    """Return cos and sin, both (max_positions, head_dim / 2), rounded as torch rounds them.

    Position m turns pair i by m times base to the power of -2 i / head_dim (RoPE, Su et al. 2021,
    section 3.2.2); "linear" scaling divides every frequency by its factor (position interpolation,
    Chen et al. 2023), "llama3" only the low ones.
    """
    exponents = np.arange(0, shape.head_dim, 2, dtype=np.float32) / np.float32(shape.head_dim)
    frequencies = _scaled(1 / np.float32(shape.rope_base) ** exponents, shape.rope_scaling)
    positions = np.arange(shape.max_positions, dtype=np.float32)
    angles = np.outer(positions, frequencies.astype(np.float32))
    return np.cos(angles), np.sin(angles)


def _scaled(frequencies: Array, scaling: Mapping[str, Any]) -> Array:
    kind = scaling.get("rope_type", "default")
    if kind == "default":
        return frequencies
    slowed: Array = frequencies / np.float32(scaling["factor"])
    return slowed if kind == "linear" else _llama3_blend(frequencies, slowed, scaling)


def _llama3_blend(frequencies: Array, slowed: Array, scaling: Mapping[str, Any]) -> Array:
    """Slow long waves, keep short ones and blend between, as Llama 3 does."""
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = scaling["original_max_position_embeddings"] * frequencies / (2 * math.pi)
    share = np.clip((turns - low) / (high - low), 0, 1)
    blended: Array = (1 - share) * slowed + share * frequencies
    return blended
