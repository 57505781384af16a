"""What a GGUF file says: named values and quantised tensors, read without believing any of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, ReaderTensor
from gguf.quants import dequantize

from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.weights_file import Array
from training_app.lm.config import shown

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A GGUF file: its values by name, its tensors by name."""

    values: dict[str, Any]
    tensors: dict[str, ReaderTensor]

    @classmethod
    def open(cls, path: Path) -> GgufFile:
        """Return what the file holds. Raises whatever the reader makes of one that is damaged."""
        reader = GGUFReader(path)
        values = {name: field.contents() for name, field in reader.fields.items()}
        return cls(values, {tensor.name: tensor for tensor in reader.tensors})

    @property
    def architecture(self) -> str:
        """Return the kind of the network, in llama.cpp's words."""
        return self.wanted("general.architecture", str)

    def of_architecture(self, name: str) -> str:
        """Return the full name of a value that stands under the name of the architecture."""
        return f"{self.architecture}.{name}"

    def wanted(self, name: str, kind: type[Value]) -> Value:
        """Return a value that must be there. Raises BaseError where it is missing, or another."""
        value = self.values.get(name)
        if value is None:
            raise BaseError(f"The GGUF file does not say “{name}”.")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BaseError(f"The GGUF file gives “{name}” as {shown(value)}.")
        return value

    def size(self, name: str, default: int | None = None) -> int:
        """Return a size of this architecture. Raises BaseError for one that is not above 0."""
        full = self.of_architecture(name)
        if default is not None and full not in self.values:
            return default
        number = self.wanted(full, int)
        if number <= 0:
            raise BaseError(f"The GGUF file gives “{full}” as {shown(number)}.")
        return number

    def take(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return a tensor's numbers as fp32, (out, in) as other tools write matrices."""
        tensor = self.tensors[name]
        numbers: Array = np.asarray(tensor.data)
        if tensor.tensor_type != GGMLQuantizationType.F32:
            numbers = dequantize(numbers, tensor.tensor_type)
        return numbers.astype(np.float32, copy=False).reshape(shape)

    def check(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise BaseError unless the tensor is there in the size that the header promises."""
        tensor = self.tensors.get(name)
        if tensor is None:
            raise BaseError(f"The GGUF file has no tensor “{name}”, which its header needs.")
        found = tuple(int(size) for size in reversed(tensor.shape))  # GGUF counts from inside
        if found != shape:
            raise BaseError(
                f"The GGUF file's tensor “{name}” is {found}, but by its header it must be {shape}."
            )
