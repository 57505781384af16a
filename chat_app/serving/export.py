"""Makes the serving files of a model folder; onnx and numpy only."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors.numpy import load_file

from chat_app.serving.graph import build_graph, save_graph
from chat_app.serving.graph_files import Precision, graph_path


def write_graph(folder: Path, precision: Precision) -> Path:
    """Build the serving graph of a Hugging Face folder and return its path once it is whole."""
    config = json.loads((folder / "config.json").read_text())
    model = build_graph(config, load_file(folder / "model.safetensors"), precision)
    path = graph_path(folder, precision)
    path.parent.mkdir(exist_ok=True)
    save_graph(model, path)
    for written in path.parent.glob(f"{path.name}*"):
        with written.open("rb") as file:
            os.fsync(file.fileno())
    return path
