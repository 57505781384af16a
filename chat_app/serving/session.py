"""A loaded serving graph: appends tokens to rows of the pool and returns their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from chat_app.serving.errors import BrokenModelError
from chat_app.serving.kv_cache import KVCache, shared_value

Array = NDArray[Any]
RUNTIME_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model thinks of each row's next token; valid until the next step of the session."""

    logits: Array  # (rows, vocab_size)
    top_values: Array  # (rows, K), best first, equal values lowest id first
    top_ids: Array  # (rows, K)


@dataclass(frozen=True, slots=True)
class _Call:
    """Inputs, outputs and their binding; the arrays are the session's own memory."""

    binding: Any
    ids: Array  # (rows, steps)
    ends: Array  # (rows,) length after the call, minus one
    longest: Array  # ()
    last: Array  # (rows, 1, 1)
    positions: Array  # (rows, steps)
    scores: Scores


class Session:
    """Runs one graph on its own pool; used by one thread at a time.

    Every prompt position is computed beside others and every answer position in a call of its own;
    then logits are the same bits whatever the chunks, the batch and the neighbours. Raises
    ValueError for more threads than the model has heads, BrokenModelError where the graph cannot be
    loaded.
    """

    def __init__(
        self,
        graph: Path | bytes,
        *,
        slots: int = 16,
        max_len: int | None = None,
        threads: int = 1,
        spin: bool = False,  # beside other work it halves the speed: see docs/BENCHMARKS.md
    ) -> None:
        session = _open(graph, threads=threads, spin=spin)
        facts = session.get_modelmeta().custom_metadata_map
        if threads > int(facts["heads"]):  # a long past would be split: other last bits alone
            raise ValueError(f"{threads} threads are more than the model's {facts['heads']} heads")
        self._session, self.threads, self.precision = session, threads, facts["precision"]
        self.context = min(max_len or int(facts["max_positions"]), int(facts["max_positions"]))
        inputs = {taken.name: taken.shape for taken in session.get_inputs()}
        self._takes_positions = "pos" in inputs
        past = [name for name in inputs if name.startswith("past.")]
        _, kv_heads, _, head_dim = inputs[past[0]]
        self._layers = [name.removeprefix("past.") for name in past]
        self.tile = 2 * head_dim  # tokens that the kernel computes together: see decision 6
        self.cache = KVCache(self._layers, (slots, kv_heads, self.context, head_dim))
        sizes = {given.name: given.shape[1] for given in session.get_outputs()}
        self.vocab, self._top_count = sizes["logits"], sizes["topk_v"]
        self._calls: dict[tuple[int, int], _Call] = {}

    def decode(self, rows: tuple[int, int], tokens: Sequence[int], past: Sequence[int]) -> Scores:
        """Append one token to each of rows[0]..rows[1]-1, which hold `past` tokens before.

        `tokens` and `past` are (rows[1] - rows[0],); the scores are
        (rows[1] - rows[0], vocab_size). Raises BrokenModelError where onnxruntime fails.
        """
        call = self._calls.get(rows)
        if call is None:
            call = self._calls[rows] = self._prepare(rows, steps=1)
        call.ids[:, 0] = tokens
        call.ends[:] = past
        call.longest[()] = max(past) + 1
        call.positions[:, 0] = past
        return self._run(call)

    def prefill(self, row: int, tokens: Sequence[int], past: int) -> Scores:
        """Append several prompt tokens to one row; the scores are those after the last.

        `tokens` is (steps,), `past` is how many tokens the row holds before; the scores are
        (1, vocab_size). Raises BrokenModelError where onnxruntime fails.
        """
        steps = len(tokens)
        call = self._prepare((row, row + 1), steps)
        call.ids[0] = tokens
        call.ends[:] = past + steps - 1
        call.longest[()] = past + steps
        call.last[:] = steps - 1
        call.positions[0] = np.arange(past, past + steps)
        return self._run(call)

    def read_prompt(self, row: int, prompt: Sequence[int], chunk: int) -> Scores:
        """Read a whole prompt in chunks; the scores do not depend on the size of the chunks.

        `prompt` is (length,), not empty, `chunk` at least 4 tokens; the scores are (1, vocab_size).
        Raises BrokenModelError where onnxruntime fails.
        """
        bounds = self.bounds(len(prompt), chunk)
        for start, end in bounds[:-1]:
            self.prefill(row, prompt[start:end], start)
        start, end = bounds[-1]
        return self.prefill(row, prompt[start:end], start)

    def bounds(self, length: int, chunk: int) -> list[tuple[int, int]]:
        """Return where a prompt of this length is cut to be read about `chunk` tokens at a time."""
        return chunk_bounds(length, chunk, self.tile)

    def _run(self, call: _Call) -> Scores:
        try:
            self._session.run_with_iobinding(call.binding)
        except RUNTIME_ERRORS as error:
            raise BrokenModelError(f"The model stopped while answering: {error}") from error
        return call.scores

    def _prepare(self, rows: tuple[int, int], steps: int) -> _Call:
        count = rows[1] - rows[0]
        call = _Call(
            binding=self._session.io_binding(),
            ids=np.zeros((count, steps), np.int64),
            ends=np.zeros(count, np.int32),
            longest=np.zeros((), np.int32),
            last=np.zeros((count, 1, 1), np.int64),
            positions=np.zeros((count, steps), np.int64),
            scores=Scores(
                logits=np.zeros((count, self.vocab), np.float32),
                top_values=np.zeros((count, self._top_count), np.float32),
                top_ids=np.zeros((count, self._top_count), np.int64),
            ),
        )
        self._bind(call, rows)
        return call

    def _bind(self, call: _Call, rows: tuple[int, int]) -> None:
        inputs = {
            "input_ids": call.ids,
            "seqlens_k": call.ends,
            "total_len": call.longest,
            "last_idx": call.last,
        }
        if self._takes_positions:
            inputs["pos"] = call.positions
        scores = call.scores
        outputs = {"logits": scores.logits, "topk_v": scores.top_values, "topk_i": scores.top_ids}
        for name, values in inputs.items():
            call.binding.bind_ortvalue_input(name, shared_value(values))
        for name, values in outputs.items():
            call.binding.bind_ortvalue_output(name, shared_value(values))
        for name, view in self.cache.views(*rows).items():
            call.binding.bind_ortvalue_input(f"past.{name}", view)
            call.binding.bind_ortvalue_output(f"present.{name}", view)  # the same memory: in place


def chunk_bounds(length: int, chunk: int, tile: int) -> list[tuple[int, int]]:
    """Cut a prompt so that no token is alone in a call or in a tile of the attention kernel.

    Return (start, end) pairs in tokens. A lone token is computed in another way and gets other last
    bits; then the logits would depend on where the cuts fall. `chunk` is at least 4.
    """
    size = chunk - chunk % tile if chunk > tile else chunk
    has_lone_token = length % min(size, tile) == 1 and length > 1
    body = length - 2 if has_lone_token else length
    cuts = [*range(0, body, size), body]
    return list(pairwise([*cuts, length] if has_lone_token else cuts))


def _open(graph: Path | bytes, *, threads: int, spin: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors arrive as exceptions; the log would repeat them
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    options.add_session_config_entry("session.force_spinning_stop", "1")  # between two calls
    source = graph if isinstance(graph, bytes) else str(graph)
    try:
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except RUNTIME_ERRORS as error:
        raise BrokenModelError(f"The model's serving file cannot be loaded: {error}") from error
