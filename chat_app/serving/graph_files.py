"""Where a model folder keeps its serving graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Precision = Literal["fp32", "row-int8"]

SERVING = "serving"  # a folder beside the weights; not for other tools
GRAPH_FILES: dict[Precision, str] = {
    "fp32": f"{SERVING}/model.onnx",
    "row-int8": f"{SERVING}/model.int8.onnx",
}


def graph_path(folder: Path, precision: Precision) -> Path:
    """Return the path of the graph of this precision."""
    return folder / GRAPH_FILES[precision]
