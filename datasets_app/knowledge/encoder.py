"""Reads an encoder's folder: texts become vectors of length one, near where the meaning is near."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets_app.knowledge.errors import KnowledgeError

GRAPH, TOKENIZER, FACTS = "encoder.onnx", "tokenizer.json", "encoder.json"
MOST_TOKENS_AT_ONCE = 4_096
MOST_TEXTS_AT_ONCE = 128
CHARACTERS_A_TOKEN = 16  # what lies behind so many is not read: no word is that long

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder that is loaded; equal texts of one call get equal vectors."""

    name: str
    dims: int
    max_tokens: int
    sha256: str
    _tokenizer: Any
    _session: Any

    @classmethod
    def open(cls, folder: Path, *, threads: int = 1) -> Encoder:
        """Load the folder's graph; raises KnowledgeError where it is missing or broken."""
        import onnxruntime  # noqa: PLC0415 - the web process may import this module
        from tokenizers import Tokenizer  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors arrive as exceptions; the log would repeat them
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            facts = json.loads((folder / FACTS).read_text("utf-8"))
            tokenizer = Tokenizer.from_str((folder / TOKENIZER).read_text("utf-8"))
            session = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            )
            encoder = cls(
                name=str(facts["name"]),
                dims=int(facts["dims"]),
                max_tokens=int(facts["max_tokens"]),
                sha256=str(facts["sha256"]),
                _tokenizer=tokenizer,
                _session=session,
            )
        except Exception as error:  # the libraries raise types of their own, and bare Exceptions
            raise KnowledgeError(f"The encoder {folder.name} cannot be loaded: {error}") from error
        tokenizer.enable_truncation(encoder.max_tokens)
        tokenizer.no_padding()
        return encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a row (n, dims) for each text; what is longer than `max_tokens` is cut."""
        most = self.max_tokens * CHARACTERS_A_TOKEN
        clean = [text[:most].encode("utf-8", "replace").decode("utf-8") for text in texts]
        ids = [one.ids for one in self._tokenizer.encode_batch(clean)]
        vectors = np.empty((len(texts), self.dims), np.float32)
        for batch in _batches([len(one) for one in ids]):
            vectors[batch] = self._run([ids[place] for place in batch])
        return vectors

    def _run(self, ids: list[list[int]]) -> Vectors:
        widest = max(map(len, ids))
        tokens = np.zeros((len(ids), widest), np.int64)
        mask = np.zeros_like(tokens)
        for row, one in enumerate(ids):
            tokens[row, : len(one)] = one
            mask[row, : len(one)] = 1
        (vectors,) = self._session.run(["vectors"], {"input_ids": tokens, "attention_mask": mask})
        if vectors.shape != (len(ids), self.dims) or not np.isfinite(vectors).all():
            raise KnowledgeError(
                f"The encoder {self.name} gave no vectors of {self.dims} numbers. Add it again."
            )
        return np.asarray(vectors, np.float32)


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield places of texts of about one length, so that little is computed on padding."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (lengths[place], place)):
        tokens = lengths[place] * (len(batch) + 1)
        if batch and (tokens > MOST_TOKENS_AT_ONCE or len(batch) == MOST_TEXTS_AT_ONCE):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
