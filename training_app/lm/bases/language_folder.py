"""A language model's folder as OTTO uses it, made of a GGUF file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.gguf_file import GgufFile
from training_app.lm.bases.gguf_tokenizer import ControlTokens, tokenizer_of
from training_app.lm.bases.gguf_weights import configuration, network_tensors
from training_app.lm.bases.weights_file import write_weights
from training_app.lm.config import ConfigError, ModelConfig
from training_app.lm.layout import shape_of

# what ends an answer in the families that OTTO reads, besides the token that the file names
_ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|end|>", "</s>")
MOST_WEIGHTS = 2_000_000_000  # fp32 in memory of an ordinary machine; chosen by hand


def write_gguf(source: Path, target: Path) -> dict[str, Any]:
    """Fill `target` with the model of a GGUF file as transformers opens it; return its facts.

    Weights are taken out of their quantisation. Raises BaseError where the file is of a kind that
    is not read, lacks something, or says one thing in its header and another in its tensors.
    """
    file = GgufFile.open(source)
    config = configuration(file)
    tensors = network_tensors(file, config)
    count = sum(tensor.count for tensor in tensors)
    refuse_too_large(count)
    tokenizer = tokenizer_of(file)
    controls = ControlTokens.of(file)
    _write_settings(target, config, tokenizer, controls)
    checked_shape(target)
    template = file.values.get("tokenizer.chat_template")
    if isinstance(template, str) and template:
        (target / "chat_template.jinja").write_text(template, encoding="utf-8")
    write_weights(target, tensors)
    return {
        "family": "llama",
        "parameters": count,
        "context": config["max_position_embeddings"],
        "vocab_size": config["vocab_size"],
        "said": _said(file),
    }


def _write_settings(
    target: Path, config: dict[str, Any], tokenizer: Tokenizer, controls: ControlTokens
) -> None:
    tokens = {"begin": controls.begin, "end": controls.end, "fill": controls.fill}
    ids = {part: token and tokenizer.token_to_id(token) for part, token in tokens.items()}
    known = (tokenizer.token_to_id(token) for token in _ENDS)
    ends = sorted({number for number in (ids["end"], *known) if number is not None})
    if not ends:
        raise BaseError("The GGUF file names no token that ends an answer.")
    named = {"bos_token_id": ids["begin"], "eos_token_id": ends, "pad_token_id": ids["fill"]}
    context = config["max_position_embeddings"]
    _write(target / "config.json", {**config, **named, "eos_token_id": ids["end"]})
    _write(target / "generation_config.json", {**named, "max_length": context})
    tokenizer.save(str(target / "tokenizer.json"))
    named_tokens = {"bos_token": controls.begin, "eos_token": controls.end}
    named_tokens["pad_token"] = controls.fill
    write_settings(target, context=context, **named_tokens)


def write_settings(target: Path, *, context: int, **tokens: str | None) -> None:
    """Write the file by which AutoTokenizer opens tokenizer.json as it is."""
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **tokens,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": context,
    }
    _write(target / "tokenizer_config.json", settings)


def refuse_too_large(count: int) -> None:
    """Raise BaseError for a model that would not fit into an ordinary machine's memory."""
    if count > MOST_WEIGHTS:
        raise BaseError(
            f"The model has {count:,} weights; OTTO takes in up to {MOST_WEIGHTS:,}, because they"
            " must fit into the memory of this machine. Take a smaller one."
        )


def checked_shape(target: Path) -> ModelConfig:
    """Return the shape of the network. Raises BaseError for one that OTTO cannot train and run."""
    try:
        return shape_of(target)
    except ConfigError as error:
        raise BaseError(str(error)) from error


def _said(file: GgufFile) -> dict[str, Any]:
    """Return what the file says about itself, as far as it is text."""
    names = {"name": "general.name", "licence": "general.license"}
    said: dict[str, Any] = {
        ours: value[:200]
        for ours, theirs in names.items()
        if isinstance(value := file.values.get(theirs), str)
    }
    languages = file.values.get("general.languages")
    if isinstance(languages, list):
        said["languages"] = [str(one)[:20] for one in languages[:50]]
    return said


def _write(path: Path, values: dict[str, Any]) -> None:
    kept = {name: value for name, value in values.items() if value is not None}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
