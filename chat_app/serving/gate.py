"""What int8 costs a model, measured on validation text on the machine that will serve it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chat_app.serving.errors import ServingError
from chat_app.serving.graph_files import graph_path
from chat_app.serving.session import Session

Array = NDArray[Any]

ROWS = 8  # texts compared at once; chosen by hand
FIRST = 2  # tokens read before the first is judged: the fewest that are read beside another
# What int8 may cost, both chosen by hand.
LARGEST_LOSS = 0.01  # of perplexity, as a share
LEAST_AGREEMENT = 0.98  # share of tokens
_LARGEST_EXPONENT = math.log(sys.float_info.max)


@dataclass(frozen=True, slots=True)
class Gate:
    """How row-int8 compares with fp32 on the same text.

    A perplexity is e to the mean loss in nats per token (Jelinek et al. 1977).
    """

    tokens: int
    perplexity_fp32: float
    perplexity_int8: float
    agreement: float  # share of tokens for which both would choose the same

    @property
    def perplexity_change(self) -> float:
        """Return by which share the perplexity rises: 0.01 is one per cent."""
        return self.perplexity_int8 / self.perplexity_fp32 - 1

    @property
    def is_open(self) -> bool:
        """Say whether the int8 file may serve."""
        return self.perplexity_change <= LARGEST_LOSS and self.agreement >= LEAST_AGREEMENT


def weigh_int8(folder: Path, texts: Sequence[Sequence[int]], *, threads: int = 1) -> Gate:
    """Compare both serving files of a model folder on texts, each a list of token ids.

    Texts of fewer than three tokens are left out; each is cut to the context. Raises ServingError
    where none remains, BrokenModelError where a file cannot be loaded or run.
    """
    exact = Session(graph_path(folder, "fp32"), slots=ROWS, threads=threads)
    small = Session(graph_path(folder, "row-int8"), slots=ROWS, threads=threads)
    usable = sorted((list(text)[: exact.context] for text in texts), key=len, reverse=True)
    usable = [text for text in usable if len(text) > FIRST]
    if not usable:
        raise ServingError(
            "There is no text of three tokens or more to compare the serving files on."
            " Add longer conversations to the validation split."
        )
    losses, agreed = np.zeros(2), 0
    for start in range(0, len(usable), ROWS):
        group = usable[start : start + ROWS]  # the longest first: rows end from the back
        exact_losses, exact_best = _judge(exact, group)
        small_losses, small_best = _judge(small, group)
        losses += exact_losses.sum(), small_losses.sum()
        agreed += int(np.count_nonzero(exact_best == small_best))
    tokens = sum(len(text) - FIRST for text in usable)
    exact_loss, small_loss = losses / tokens
    return Gate(tokens, _perplexity(exact_loss), _perplexity(small_loss), agreed / tokens)


def _perplexity(loss: float) -> float:
    """Return e to the loss; one that no float holds is infinite, and keeps the gate shut."""
    return math.exp(loss) if not loss > _LARGEST_EXPONENT else math.inf


def _judge(session: Session, texts: Sequence[Sequence[int]]) -> tuple[Array, Array]:
    """Return the loss of every token after the first two, in nats, and the model's own choices.

    Both are (tokens,), in the same order.
    """
    losses, best = [], []
    for row, text in enumerate(texts):
        logits = session.prefill(row, text[:FIRST], 0).logits
        losses.append(_losses(logits, [text[FIRST]]))
        best.append(logits.argmax(-1))
    for place in range(FIRST, len(texts[0]) - 1):
        rows = sum(len(text) > place + 1 for text in texts)
        tokens = [text[place] for text in texts[:rows]]
        logits = session.decode((0, rows), tokens, [place] * rows).logits
        losses.append(_losses(logits, [text[place + 1] for text in texts[:rows]]))
        best.append(logits.argmax(-1))
    return np.concatenate(losses), np.concatenate(best)


def _losses(logits: Array, wanted: Sequence[int]) -> Array:
    scores = logits.astype(np.float64)
    top = scores.max(-1, keepdims=True)
    total = np.log(np.exp(scores - top).sum(-1)) + top[:, 0]
    losses: Array = total - scores[np.arange(len(wanted)), list(wanted)]
    return losses
