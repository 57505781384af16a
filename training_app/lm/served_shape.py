"""What a Hugging Face configuration says about a model, or why it cannot be served.

It is asked before a base is put on the shelf and before anything is trained on it, so it stands
here; `chat_app/serving/` builds graphs by it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from training_app.lm.config import TrainingError

Family = Literal["gpt2", "llama"]

# Three names of one function: GELU by tanh (Hendrycks & Gimpel 2016, section 2).
TANH_GELU = {"gelu_new", "gelu_fast", "gelu_pytorch_tanh"}
LARGEST_SIZE = 1_000_000  # ten times what any model of these families has
STATIC_ROPE = {"default", "linear", "llama3"}  # these change only the tables


class UnservableError(TrainingError):
    """The model cannot be turned into a serving graph; the sentence says why."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes of one model; making one checks that the attention kernel accepts them.

    Raises UnservableError where a size is none, or is one that the kernel does not take.
    """

    family: Family
    hidden_size: int
    heads: int
    kv_heads: int
    head_dim: int
    layers: int
    vocab: int
    max_positions: int
    norm_epsilon: float
    rope_base: float = 10_000.0
    rope_scaling: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._refuse_odd_sizes()
        if self.heads % self.kv_heads:
            raise UnservableError(
                f"{self.heads} attention heads cannot share {self.kv_heads} key/value heads evenly."
            )
        multiple = 8 if self.is_gpt2 else 16  # of the attention kernel; twice as much with RoPE
        if self.head_dim % multiple:
            raise UnservableError(
                f"Each attention head is {self.head_dim} wide; "
                f"serving needs a multiple of {multiple}. Choose another width or head count."
            )

    def _refuse_odd_sizes(self) -> None:
        """Refuse what JSON allows and no model has: Infinity, NaN, halves, words, far too much."""
        names = ("hidden_size", "heads", "kv_heads", "head_dim", "layers", "vocab", "max_positions")
        for name in names:
            size = getattr(self, name)
            if type(size) is not int or not 0 < size <= LARGEST_SIZE:
                words = name.replace("_", " ")
                raise UnservableError(
                    f"The model's config.json gives {size!r} as its {words}; "
                    f"it must be a whole number from 1 to {LARGEST_SIZE:,}."
                )
        for name in ("norm_epsilon", "rope_base"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 < value < math.inf:
                raise UnservableError(f"The model's config.json gives {value!r} as its {name}.")

    @property
    def is_gpt2(self) -> bool:
        """Return whether it is GPT-2: learned positions, biases, layer norm.

        Llama has RoPE (Su et al. 2021), RMSNorm (Zhang & Sennrich 2019) and SwiGLU (Shazeer 2020).
        """
        return self.family == "gpt2"

    @property
    def packed_width(self) -> int:
        """Return the width of q, k and v side by side, in numbers per token."""
        return (self.heads + 2 * self.kv_heads) * self.head_dim


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """Read a config.json. Raises UnservableError, with a sentence, for what cannot be served."""
    architecture = (config.get("architectures") or ["a model without a named architecture"])[0]
    reader = READERS.get(str(architecture))
    if reader is None:
        known = " and ".join(READERS)
        raise UnservableError(f"{architecture} cannot be served; {known} can.")
    try:
        return reader(config)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        sentence = f"The model's config.json does not say how large it is: {error}."
        raise UnservableError(sentence) from error


def read_config(folder: Path) -> dict[str, Any]:
    """Return a folder's config.json. Raises UnservableError where it is no readable JSON object."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnservableError(f"The model's config.json cannot be read: {error}.") from error
    if not isinstance(config, dict):
        raise UnservableError("The model's config.json is no JSON object.")
    return config


def _gpt2_shape(config: Mapping[str, Any]) -> ModelShape:
    activation = config.get("activation_function", "gelu_new")
    _refuse(activation not in TANH_GELU, f"the activation function {activation}")
    _refuse(config.get("scale_attn_by_inverse_layer_idx"), "attention scaled by the layer's number")
    _refuse(not config.get("scale_attn_weights", True), "attention without scaling")
    _refuse(config.get("add_cross_attention"), "cross attention")
    width, heads = config["n_embd"], config["n_head"]
    return ModelShape(
        family="gpt2",
        hidden_size=width,
        heads=heads,
        kv_heads=heads,
        head_dim=width // heads,
        layers=config["n_layer"],
        vocab=config["vocab_size"],
        max_positions=config["n_positions"],
        norm_epsilon=config.get("layer_norm_epsilon", 1e-5),
    )


def _llama_shape(config: Mapping[str, Any]) -> ModelShape:
    activation = config.get("hidden_act", "silu")
    _refuse(activation != "silu", f"the activation function {activation}")
    _refuse(config.get("sliding_window"), "a sliding attention window")
    scaling = config.get("rope_scaling") or {}
    kind = str(scaling.get("rope_type") or scaling.get("type") or "default")
    _refuse(kind not in STATIC_ROPE, f"rotary positions of the kind {kind}")
    width, heads = config["hidden_size"], config["num_attention_heads"]
    return ModelShape(
        family="llama",
        hidden_size=width,
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=config.get("head_dim") or width // heads,
        layers=config["num_hidden_layers"],
        vocab=config["vocab_size"],
        max_positions=config["max_position_embeddings"],
        norm_epsilon=config.get("rms_norm_eps", 1e-6),
        rope_base=config.get("rope_theta", 10_000.0),
        rope_scaling=dict(scaling) | {"rope_type": kind},
    )


def _refuse(condition: Any, what: str) -> None:
    if condition:
        raise UnservableError(f"The model uses {what}, which OTTO cannot serve.")


READERS = {"GPT2LMHeadModel": _gpt2_shape, "LlamaForCausalLM": _llama_shape}


def why_unservable(folder: Path) -> str:
    """Return why the model in this folder cannot be served, in a sentence; empty where it can."""
    try:
        shape_of(read_config(folder))
    except UnservableError as error:
        return str(error)
    return ""
