"""Reads and writes safetensors a tensor at a time, so that memory holds one and not all."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from training_app.lm.bases.errors import BaseError

WEIGHTS = "model.safetensors"
_STORED = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a model as it will be written; `read` is asked for its numbers once."""

    name: str
    shape: tuple[int, ...]
    read: Callable[[], Array]

    @property
    def count(self) -> int:
        """Return how many numbers it has."""
        return int(np.prod(self.shape, dtype=np.int64))


def write_weights(folder: Path, tensors: Sequence[Tensor]) -> int:
    """Write the tensors, matrices (out, in), as fp32 in safetensors; return how many numbers.

    Raises BaseError for infinity and for what is no number.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in tensors:
        start, end = end, end + 4 * tensor.count
        offsets = [start, end]
        header[tensor.name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers begin at a multiple of eight bytes
    with (folder / WEIGHTS).open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            numbers = np.ascontiguousarray(tensor.read(), dtype="<f4").reshape(tensor.shape)
            if not np.isfinite(numbers).all():
                raise BaseError(
                    f"The model's weight {tensor.name} holds values that are no numbers."
                )
            file.write(numbers.data)
    return sum(tensor.count for tensor in tensors)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file, matrices (out, in); each is read as fp32 when asked for.

    Raises BaseError where the file is damaged, or holds numbers that weights are not made of.
    """
    try:
        with safe_open(path, framework="np") as file:  # checks every offset against the file
            names = list(file.keys())
    except (SafetensorError, OSError) as error:
        raise BaseError(f"{path.name} cannot be read: {error}.") from error
    with path.open("rb") as opened:
        length = struct.unpack("<Q", opened.read(8))[0]
        header = json.loads(opened.read(length))
    return {name: _stored(path, 8 + length, name, header[name]) for name in names}


def read_folder(folder: Path) -> dict[str, Tensor]:
    """Return what the files of a folder hold together, matrices (out, in). Raises BaseError."""
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        for name, tensor in read_weights(path).items():
            if name in found:
                raise BaseError(f"The weight {name} is there twice: {path.name} has it again.")
            found[name] = tensor
    return found


def _stored(path: Path, begin: int, name: str, entry: dict[str, Any]) -> Tensor:
    kind, shape = entry["dtype"], tuple(entry["shape"])

    def read() -> Array:
        if kind not in _STORED:
            known = ", ".join(_STORED)
            raise BaseError(f"{path.name} keeps {name} as {kind}; OTTO reads {known}.")
        place = begin + entry["data_offsets"][0]
        count = int(np.prod(shape, dtype=np.int64))
        numbers = np.fromfile(path, _STORED[kind], count, offset=place).reshape(shape)
        if kind == "BF16":  # the upper half of an fp32
            return (numbers.astype(np.uint32) << 16).view(np.float32)
        return numbers.astype(np.float32)

    return Tensor(name, shape, read)
