"""The formats in which people take a model away."""

from __future__ import annotations

from dataclasses import dataclass

from training_app.lm.registry import Choice

THE_FOLDER = ""  # the place of a format that needs nothing built


@dataclass(frozen=True, slots=True)
class ExportFormat(Choice):
    """A format; the function takes the model's folder, an empty folder, and prompts of token ids.

    It fills the empty folder, compares it with torch on the prompts, and returns a ParityReport; a
    file that disagrees raises a TrainingError and is never offered. Where there are `opsets`, the
    function takes the chosen one as its keyword `opset`. The name of a download ends in
    `suffix`; the hash of `main_file` stands for the whole.
    """

    suffix: str = ""
    main_file: str = ""
    opsets: tuple[int, ...] = ()  # of a graph: the first one unless another is chosen

    @property
    def is_built(self) -> bool:
        """Return whether a job makes it; else the model's folder is that format as it lies."""
        return self.place != THE_FOLDER


FORMATS = {
    "huggingface": ExportFormat(
        "Hugging Face folder",
        "The model as it lies here: transformers opens it, and PyTorch itself computes with it.",
        THE_FOLDER,
        main_file="model.safetensors",
    ),
    "onnx": ExportFormat(
        "ONNX for other tools",
        "A folder that optimum, onnxruntime and their friends open: graph, tokenizer and"
        " configuration. It is offered only after its numbers agree with PyTorch.",
        "training_app.lm.exports.onnx:export_onnx",
        suffix="-onnx",
        main_file="model.onnx",
        opsets=(14, 15, 16, 17, 18),
    ),
}
