"""Portable ONNX for other tools, compared with torch before anybody is offered it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from optimum.exporters.onnx import main_export

from training_app.lm.exports.parity import ParityError, ParityReport
from training_app.lm.folder import open_model, open_network

LARGEST_ERROR = 1e-4  # of the largest logit, fp32: as for serving, decision 5
_GREEDY_TOKENS = 16  # compared for each prompt; chosen by hand


def export_onnx(
    folder: Path, target: Path, prompts: Sequence[Sequence[int]], *, opset: int | None = None
) -> ParityReport:
    """Write the model as ONNX in Hugging Face layout to `target`; without `opset` by optimum's.

    Raises ParityError where it does not agree with torch, FolderError where `folder` is no model.
    """
    open_model(folder)
    main_export(
        str(folder),
        output=target,
        task="text-generation-with-past",
        opset=opset,
        do_validation=False,
        local_files_only=True,
    )
    return check_parity(folder, target, prompts)


def check_parity(folder: Path, target: Path, prompts: Sequence[Sequence[int]]) -> ParityReport:
    """Return how well the ONNX file agrees with torch on prompts of token ids.

    Raises ParityError where a logit differs by more than LARGEST_ERROR, or a greedy token at all.
    """
    model = open_network(folder)
    session = onnxruntime.InferenceSession(
        str(target / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    largest, compared = 0.0, 0
    for prompt in prompts:
        ids = list(prompt)
        for _ in range(_GREEDY_TOKENS):
            expected, got = _torch_logits(model, ids), _onnx_logits(session, model.config, ids)
            error = float(np.abs(expected - got).max() / np.abs(expected).max())
            largest = max(largest, error)
            if error > LARGEST_ERROR or expected[-1].argmax() != got[-1].argmax():
                raise ParityError(
                    f"The ONNX file differs from torch by {error:.1e} of the largest logit;"
                    f" at most {LARGEST_ERROR:.0e} is allowed. It is not offered."
                )
            ids.append(int(expected[-1].argmax()))
            compared += 1
    return ParityReport(len(prompts), largest, compared)


@torch.no_grad()
def _torch_logits(model: Any, ids: list[int]) -> NDArray[Any]:
    logits: NDArray[Any] = model(torch.tensor([ids])).logits[0].numpy()  # (T, V)
    return logits


def _onnx_logits(
    session: onnxruntime.InferenceSession, config: Any, ids: list[int]
) -> NDArray[Any]:
    length = len(ids)
    feeds: dict[str, NDArray[Any]] = {
        "input_ids": np.array([ids], dtype=np.int64),
        "attention_mask": np.ones((1, length), dtype=np.int64),
        "position_ids": np.arange(length, dtype=np.int64)[None],
    }
    heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    size = config.hidden_size // config.num_attention_heads
    inputs = [item.name for item in session.get_inputs()]
    empty = np.zeros((1, heads, 0, size), dtype=np.float32)
    feeds |= {name: empty for name in inputs if name.startswith("past_key_values")}
    outputs = session.run(["logits"], {name: feeds[name] for name in inputs})
    logits: NDArray[Any] = outputs[0][0]
    return logits
