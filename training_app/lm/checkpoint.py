"""The whole state of a run as safetensors and JSON: what is read back gives the same bits."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from training_app.lm.config import TrainingError
from training_app.lm.layout import file_sha256

SCHEMA = 1
_FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


class CheckpointError(TrainingError):
    """A checkpoint that is broken, or of a kind that this build does not know."""


@dataclass(slots=True)
class ResumeState:
    """Where a run stands; `step` is also the sampler's position."""

    step: int = 0
    best_loss: float | None = None
    best_step: int = 0
    misses: int = 0
    far: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list)  # of every evaluation so far
    tokenizer_sha256: str = ""  # weights mean nothing to any other tokenizer


def write_checkpoint(
    folder: Path, model: nn.Module, optimizer: Optimizer, progress: ResumeState
) -> None:
    """Fill the folder with the state; its manifest, with every file's SHA-256, comes last.

    The bytes that `read_checkpoint` reads are those of weights, optimizer and random generators, in
    the types they train in: what goes on from them goes on with the same bits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_weights(model), folder / _FILES[0], metadata={"format": "pt"})
    save_file(_optimizer_tensors(model, optimizer), folder / _FILES[1])
    state = {"progress": asdict(progress), "random": _random_state()}
    (folder / _FILES[2]).write_text(json.dumps(state), encoding="utf-8")
    manifest = {
        "schema": SCHEMA,
        "step": progress.step,
        "files": {name: file_sha256(folder / name) for name in _FILES},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def read_checkpoint(
    folder: Path, model: nn.Module, optimizer: Optimizer | None = None
) -> ResumeState:
    """Put the checkpoint's state into model, optimizer and random generators.

    Every hash is verified before anything is changed. Raises CheckpointError where the files are
    not as they were written or of another network's optimizer, TrainingError where the network has
    other sizes.
    """
    verify_checkpoint(folder)
    weights, moments = _tensors(folder / _FILES[0]), _tensors(folder / _FILES[1])
    try:
        state = json.loads((folder / _FILES[2]).read_text(encoding="utf-8"))
        values = dict(state["progress"])
        values["losses"] = [(int(step), float(loss)) for step, loss in values["losses"]]
        progress = ResumeState(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder / _FILES[2], error) from error
    known = {path.partition("/")[2] for path in moments}
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    if optimizer is not None and progress.step and known != weights.keys() - frozen:
        raise CheckpointError(f"The checkpoint {folder.name} is of another network's optimizer.")
    _load_weights(model, weights, folder)
    if optimizer is not None:
        _load_optimizer(model, optimizer, moments)
        _restore_random(state["random"])
    return progress


def _tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file; one whose header lies about its content is refused."""
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return tensors


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    name = f"{path.parent.name}/{path.name}"
    return CheckpointError(f"The checkpoint's file {name} cannot be read: {error}.")


def checkpoint_weights(folder: Path) -> tuple[int, dict[str, Tensor]]:
    """Return step and weights, by name, of a verified checkpoint.

    Each is as the network has it, such as (vocab_size, hidden_size) for the embedding. Raises
    CheckpointError where the files are not as they were written.
    """
    return verify_checkpoint(folder), _tensors(folder / _FILES[0])


def verify_checkpoint(folder: Path) -> int:
    """Return the step of a checkpoint whose files are all as they were written.

    Raises CheckpointError where one is missing, changed or unreadable, or the schema is another.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["schema"] != SCHEMA:
            raise CheckpointError(
                f"The checkpoint {folder.name} has the schema {manifest['schema']};"
                f" this build reads {SCHEMA}."
            )
        broken = [n for n, sha in manifest["files"].items() if file_sha256(folder / n) != sha]
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"The checkpoint {folder.name} is not complete: {error}.") from error
    if broken or set(manifest["files"]) != set(_FILES):
        raise CheckpointError(f"The checkpoint {folder.name} is damaged: {', '.join(broken)}.")
    return int(manifest["step"])


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the weights by name; one that is shared is kept under its first name."""
    return {name: weight.detach().contiguous() for name, weight in model.named_parameters()}


def _load_weights(model: nn.Module, tensors: dict[str, Tensor], folder: Path) -> None:
    shapes = {name: weight.shape for name, weight in model.named_parameters()}
    if shapes != {name: tensor.shape for name, tensor in tensors.items()}:
        raise TrainingError(
            f"The checkpoint {folder.name} is of a network with other sizes."
            " Go on from it with the settings that it was made with."
        )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(tensors[name])


def _optimizer_tensors(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, weight in model.named_parameters():
        for key, value in optimizer.state[weight].items():
            tensors[f"{key}/{name}"] = value.detach().contiguous()
    return tensors


def _load_optimizer(model: nn.Module, optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    weights = dict(model.named_parameters())
    for path, value in tensors.items():
        key, name = path.split("/", 1)
        weight = weights[name]
        # a fused step counter lives beside its weight, whatever device the file came from
        optimizer.state[weight][key] = value.to(weight.device)


def _random_state() -> dict[str, Any]:
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    state: dict[str, Any] = {
        "torch": torch.get_rng_state().tolist(),
        "numpy": [name, np.asarray(keys).tolist(), position, has_gauss, gauss],
        "python": random.getstate(),
    }
    if torch.cuda.is_available():
        state["cuda"] = [part.tolist() for part in torch.cuda.get_rng_state_all()]
    return state


def _restore_random(state: dict[str, Any]) -> None:
    torch.set_rng_state(torch.tensor(state["torch"], dtype=torch.uint8))
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), position, has_gauss, gauss))
    version, words, gauss_next = state["python"]
    random.setstate((version, tuple(words), gauss_next))
    if "cuda" in state and torch.cuda.is_available():
        parts = [torch.tensor(part, dtype=torch.uint8) for part in state["cuda"]]
        torch.cuda.set_rng_state_all(parts)
