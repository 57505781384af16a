"""What a model's folder holds, read without torch and without running anything of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from training_app.lm.config import (
    MOST_CONTEXT,
    ConfigError,
    ModelConfig,
    TrainingError,
    shown,
)

MANIFEST = "otto.json"
_NEEDED = ("config.json", "tokenizer.json")
_MOST_CONFIG_BYTES = 1 << 20


class FolderError(TrainingError):
    """A model folder that lacks something, or whose files are not as they were written."""


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the folder but the manifest, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: file_sha256(path) for name, path in named.items() if name != MANIFEST}


def refuse_unsafe(folder: Path) -> None:
    """Raise FolderError where a file is missing, or where the weights are a pickle only."""
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise FolderError(f"The model folder {folder.name} lacks {', '.join(missing)}.")
    if any(folder.glob("*.safetensors")):
        return
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        raise FolderError(
            "The weights are a pickle (.bin or .pt), which can run foreign code when it is read."
            " Save the model as model.safetensors and add the folder again."
        )
    raise FolderError(f"The model folder {folder.name} has no model.safetensors.")


def shape_of(folder: Path) -> ModelConfig:
    """Return the network's sizes as its configuration names them.

    Raises FolderError where it is unreadable, of another family, or of sizes that a run cannot
    have.
    """
    values = _configuration(folder)
    kind = values.get("model_type")
    names = _NAMES.get(str(kind))
    if names is None:
        raise FolderError(
            f"The model {folder.name} is of the kind “{kind}”."
            f" OTTO continues models of the kinds {' and '.join(_NAMES)}."
        )
    values.setdefault("num_key_value_heads", values.get("num_attention_heads"))
    sizes = {ours: _whole(values, theirs, folder) for ours, theirs in names.items()}
    sizes["context"] = min(sizes["context"], MOST_CONTEXT)
    tie_word_embeddings = bool(values.get("tie_word_embeddings", kind == "gpt2"))
    try:
        return ModelConfig.from_json(
            {"family": str(kind), "tie_word_embeddings": tie_word_embeddings, **sizes}
        )
    except ConfigError as error:
        raise FolderError(f"The model {folder.name} cannot be continued here. {error}") from error


def _whole(values: dict[str, Any], name: str, folder: Path) -> int:
    """Return a size; JSON also carries Infinity, NaN, fractions and words, which are none."""
    value: object = values.get(name)
    if value is None:
        raise FolderError(f"The config.json of {folder.name} does not say “{name}”.")
    if isinstance(value, bool) or not isinstance(value, int):
        raise FolderError(
            f"The config.json of {folder.name} gives “{name}” as {shown(value)};"
            " it must be a whole number."
        )
    return value


def _configuration(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        if path.stat().st_size > _MOST_CONFIG_BYTES:
            raise FolderError(f"The config.json of {folder.name} is larger than 1 MB.")
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FolderError(f"The config.json of {folder.name} cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise FolderError(f"The config.json of {folder.name} is no JSON object.")
    return values


_NAMES: dict[str, dict[str, str]] = {
    "gpt2": {
        "layers": "n_layer",
        "heads": "n_head",
        "kv_heads": "n_head",
        "hidden_size": "n_embd",
        "context": "n_positions",
        "vocab_size": "vocab_size",
    },
    "llama": {
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "kv_heads": "num_key_value_heads",
        "hidden_size": "hidden_size",
        "context": "max_position_embeddings",
        "vocab_size": "vocab_size",
    },
}
