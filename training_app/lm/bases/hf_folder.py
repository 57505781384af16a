"""A language model's folder as OTTO uses it, made of a folder in Hugging Face's layout."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from training_app.lm.bases.encoder_shape import read_json
from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.language_folder import checked_shape, refuse_too_large, write_settings
from training_app.lm.bases.network_shapes import network_shapes
from training_app.lm.bases.weights_file import Tensor, read_folder, write_weights
from training_app.lm.config import shown
from training_app.lm.layout import refuse_unsafe

KINDS = ("llama", "mistral", "qwen2", "gpt2")
_COPIED = ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json")
_FOREIGN = ("auto_map", "quantization_config")  # code of other people; weights packed in their way
_MASKS = (".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq")  # no weights, though stored
_OLDER = re.compile(r"(h\.|wte|wpe|ln_f)")


def write_hf(source: Path, target: Path) -> dict[str, Any]:
    """Fill `target` with the model in `source`, its weights as fp32; return its facts.

    Mistral and Qwen 2 become the llama networks that they are. Code that lies beside the weights is
    left behind. Raises BaseError, or FolderError, where the model is of a kind that is not read,
    keeps its weights in a pickle, or says one thing in config.json and another in its weights.
    """
    refuse_unsafe(source)
    config = _as_known(read_json(source / "config.json"))
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    checked_shape(target)
    tensors = list(_tensors(_stored(source), config))
    count = sum(tensor.count for tensor in tensors)
    refuse_too_large(count)
    _copy_tokenizer(source, target, config)
    write_weights(target, tensors)
    return {
        "family": config["model_type"],
        "parameters": count,
        "context": int(config.get("max_position_embeddings") or config["n_positions"]),
        "vocab_size": int(config["vocab_size"]),
    }


def _as_known(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration as one of the two families; what changes nothing is renamed."""
    kind = str(config.get("model_type"))
    if kind not in KINDS:
        raise BaseError(
            f"The model is of the kind {shown(kind)}. OTTO takes in models of the kinds"
            f" {', '.join(KINDS)}, and the sentence encoders bert, roberta, xlm-roberta."
        )
    if "quantization_config" in config:
        raise BaseError("The model's weights are quantised. Bring it in full or half precision.")
    kept = {name: value for name, value in config.items() if name not in _FOREIGN}
    kept["torch_dtype"] = "float32"
    if kind == "gpt2":
        return {**kept, "architectures": ["GPT2LMHeadModel"]}
    if config.get("hidden_act", "silu") != "silu" or config.get("mlp_bias"):
        raise BaseError("The model's inner layers are of a form that OTTO does not read.")
    window = kept.pop("sliding_window", None)
    if kind == "qwen2" and not kept.pop("use_sliding_window", False):
        window = None
    if isinstance(window, int) and window > 0:  # all that the network sees
        kept["max_position_embeddings"] = min(window, kept.get("max_position_embeddings", window))
    if kind == "qwen2":
        kept["attention_bias"] = True
    return {**kept, "model_type": "llama", "architectures": ["LlamaForCausalLM"]}


def _stored(source: Path) -> dict[str, Tensor]:
    """Return the weights; names in GPT-2's older form are made whole."""
    whole = {
        f"transformer.{name}" if _OLDER.match(name) else name: tensor
        for name, tensor in read_folder(source).items()
    }
    return {name: tensor for name, tensor in whole.items() if not name.endswith(_MASKS)}


def _tensors(stored: dict[str, Tensor], config: Mapping[str, Any]) -> Iterator[Tensor]:
    shapes = network_shapes(config)
    for name, shape in shapes.items():
        tensor = stored.pop(name, None)
        if tensor is None and name.endswith("o_proj.bias"):  # Qwen has the other three only
            yield Tensor(name, shape, partial(np.zeros, shape, np.float32))
        elif tensor is None:
            raise BaseError(f"The model's weights lack {name}, which its config.json needs.")
        elif tensor.shape != shape:
            raise BaseError(
                f"The model's weight {name} is {tensor.shape}; by its config.json it must be"
                f" {shape}."
            )
        else:
            yield Tensor(name, shape, tensor.read)
    stored.pop("lm_head.weight", None)  # stored though it is the embedding
    if stored:
        raise BaseError(f"The model has a part that OTTO does not know: {min(stored)}.")


def _copy_tokenizer(source: Path, target: Path, config: Mapping[str, Any]) -> None:
    try:
        tokenizer = Tokenizer.from_str((source / "tokenizer.json").read_text("utf-8"))
    except Exception as error:  # the library raises bare ones for a file that it cannot read
        raise BaseError(f"The model's tokenizer.json cannot be read: {error}.") from error
    if max(tokenizer.get_vocab().values(), default=0) >= int(config["vocab_size"]):
        raise BaseError("The model's tokenizer has more entries than its weights.")
    tokenizer.save(str(target / "tokenizer.json"))
    for name in _COPIED:
        if (source / name).is_file():
            values = read_json(source / name)
            values.pop("auto_map", None)
            text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
            (target / name).write_text(text, encoding="utf-8")
    if not (target / "tokenizer_config.json").is_file():
        write_settings(target, context=int(config.get("max_position_embeddings", 1024)))
    template = source / "chat_template.jinja"
    if template.is_file():
        shutil.copyfile(template, target / template.name)
