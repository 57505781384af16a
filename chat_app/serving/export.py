"""Makes the serving files of a model folder; onnx and numpy only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from chat_app.serving.graph import build_graph, save_graph
from chat_app.serving.graph_files import Precision, graph_path
from training_app.lm.served_shape import UnservableError, read_config


def _tensors(folder: Path) -> dict[str, NDArray[Any]]:
    """Return the weights of a folder by name, each in the shape and type that it was saved in.

    Raises UnservableError where the file is not what its header says.
    """
    try:
        found: dict[str, NDArray[Any]] = load_file(folder / "model.safetensors")
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        raise UnservableError(f"The model's weights cannot be read: {error}.") from error
    return found


def write_graph(folder: Path, precision: Precision) -> Path:
    """Build the serving graph of a Hugging Face folder and return its path once it is on the disk.

    Raises UnservableError where the configuration or the weights cannot be read or served.
    """
    model = build_graph(read_config(folder), _tensors(folder), precision)
    path = graph_path(folder, precision)
    path.parent.mkdir(exist_ok=True)
    save_graph(model, path)
    for written in path.parent.glob(f"{path.name}*"):
        with written.open("rb") as file:
            os.fsync(file.fileno())
    return path


def remove_graph(folder: Path, precision: Precision) -> None:
    """Remove the serving graph of this precision, and what lies beside it."""
    path = graph_path(folder, precision)
    for written in path.parent.glob(f"{path.name}*"):
        written.unlink()
