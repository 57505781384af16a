"""Which weights a network of a known family has, each with its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = tuple[int, ...]


def network_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Return the size of every weight by name, as config.json says; it was checked before."""
    return _gpt2(config) if config["model_type"] == "gpt2" else _llama(config)


def _llama(config: Mapping[str, Any]) -> dict[str, Shape]:
    width, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    heads = int(config["num_attention_heads"])
    head_dim = int(config.get("head_dim") or width // heads)
    queries = heads * head_dim
    keys = int(config.get("num_key_value_heads") or heads) * head_dim
    table = (int(config["vocab_size"]), width)
    found: dict[str, Shape] = {"model.embed_tokens.weight": table}
    for layer in range(int(config["num_hidden_layers"])):
        name = f"model.layers.{layer}"
        attention = {"q": (queries, width), "k": (keys, width), "v": (keys, width)}
        attention["o"] = (width, queries)
        found[f"{name}.input_layernorm.weight"] = (width,)
        found[f"{name}.post_attention_layernorm.weight"] = (width,)
        for part, shape in attention.items():
            found[f"{name}.self_attn.{part}_proj.weight"] = shape
            if config.get("attention_bias"):
                found[f"{name}.self_attn.{part}_proj.bias"] = shape[:1]
        found[f"{name}.mlp.gate_proj.weight"] = (inner, width)
        found[f"{name}.mlp.up_proj.weight"] = (inner, width)
        found[f"{name}.mlp.down_proj.weight"] = (width, inner)
    found["model.norm.weight"] = (width,)
    return found if config.get("tie_word_embeddings") else {**found, "lm_head.weight": table}


def _gpt2(config: Mapping[str, Any]) -> dict[str, Shape]:
    width = int(config["n_embd"])
    inner = int(config.get("n_inner") or 4 * width)
    found: dict[str, Shape] = {
        "transformer.wte.weight": (int(config["vocab_size"]), width),
        "transformer.wpe.weight": (int(config["n_positions"]), width),
    }
    for layer in range(int(config["n_layer"])):
        name = f"transformer.h.{layer}"
        for part in ("ln_1", "ln_2"):
            found |= {f"{name}.{part}.weight": (width,), f"{name}.{part}.bias": (width,)}
        linear = {"attn.c_attn": (width, 3 * width), "attn.c_proj": (width, width)}
        linear |= {"mlp.c_fc": (width, inner), "mlp.c_proj": (inner, width)}
        for part, shape in linear.items():  # (in, out), unlike llama's
            found |= {f"{name}.{part}.weight": shape, f"{name}.{part}.bias": shape[1:]}
    found |= {"transformer.ln_f.weight": (width,), "transformer.ln_f.bias": (width,)}
    table = found["transformer.wte.weight"]
    return found if config.get("tie_word_embeddings", True) else {**found, "lm_head.weight": table}
