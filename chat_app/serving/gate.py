"""What int8 costs a model, measured on validation text on the machine that will serve it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chat_app.serving.errors import ServingError
from chat_app.serving.graph_files import Precision, graph_path
from chat_app.serving.session import Session

Array = NDArray[Any]
Exchange = tuple[Sequence[int], Sequence[int]]  # a prompt and the reply to it, as ids

# Chosen by hand.
ROWS = 8  # replies compared at once
LONGEST = 64  # tokens of a reply that are compared
CHUNK = 128  # tokens of a prompt read at once
# What int8 may cost: see decision 15.
LARGEST_LOSS = 0.01  # of perplexity, as a share
LEAST_AGREEMENT = 0.98  # share of tokens
_LARGEST_EXPONENT = math.log(sys.float_info.max)


@dataclass(frozen=True, slots=True)
class Gate:
    """How row-int8 compares with fp32 on the same replies.

    A perplexity is e to the mean loss in nats per token (Jelinek et al. 1977).
    """

    replies: int
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

    def sentence(self) -> str:
        """Say in a sentence how both compare."""
        return (
            f"On {self.tokens} tokens of {self.replies} validation replies 8-bit weights choose the"
            f" same token as full precision in {self.agreement:.1%}, and perplexity changes by"
            f" {self.perplexity_change:+.1%}; wanted are {LEAST_AGREEMENT:.0%} or more, and"
            f" {LARGEST_LOSS:+.0%} or less."
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    loss: float  # of all tokens together, in nats
    best: Array  # (tokens,), what the model itself would choose


def weigh_int8(folder: Path, exchanges: Sequence[Exchange], *, threads: int = 1) -> Gate:
    """Compare both serving files of a model folder on replies to prompts.

    Exchanges with a prompt of fewer than two tokens or without a reply are left out. Raises
    ServingError where none remains, BrokenModelError where a file cannot be loaded or run.
    """
    cut = [(list(prompt), list(reply)[:LONGEST]) for prompt, reply in exchanges]
    usable = sorted(
        (one for one in cut if len(one[0]) > 1 and one[1]),
        key=lambda one: len(one[1]),
        reverse=True,
    )
    if not usable:
        raise ServingError(
            "There is no validation reply to compare the serving files on."
            " Add conversations to the validation split."
        )
    exact = _judged(folder, "fp32", usable, threads)
    small = _judged(folder, "row-int8", usable, threads)
    tokens = len(exact.best)
    return Gate(
        replies=len(usable),
        tokens=tokens,
        perplexity_fp32=_perplexity(exact.loss / tokens),
        perplexity_int8=_perplexity(small.loss / tokens),
        agreement=float(np.mean(exact.best == small.best)),
    )


def _perplexity(loss: float) -> float:
    """Return e to the loss; one that no float holds is infinite, and keeps the gate shut."""
    return math.exp(loss) if not loss > _LARGEST_EXPONENT else math.inf


def _judged(
    folder: Path, precision: Precision, exchanges: Sequence[Exchange], threads: int
) -> _Judged:
    """Read every exchange; one session at a time is open, since both may be large."""
    session = Session(graph_path(folder, precision), slots=ROWS, threads=threads)
    loss, best = 0.0, []
    for start in range(0, len(exchanges), ROWS):
        group = exchanges[start : start + ROWS]  # the longest first: rows end from the back
        for logits, wanted in _scores(session, group):
            loss += float(_losses(logits, wanted).sum())
            best.append(logits.argmax(-1))
    return _Judged(loss, np.concatenate(best))


def _scores(session: Session, exchanges: Sequence[Exchange]) -> Iterator[tuple[Array, list[int]]]:
    """Yield the scores of every token of the replies, (rows, vocab_size), with the tokens."""
    for row, (prompt, reply) in enumerate(exchanges):
        yield session.read_prompt(row, prompt, CHUNK).logits, [reply[0]]
    lengths = [len(prompt) for prompt, _ in exchanges]
    for place in range(1, len(exchanges[0][1])):
        open_replies = [reply for _, reply in exchanges if len(reply) > place]
        past = [length + place - 1 for length in lengths[: len(open_replies)]]
        before = [reply[place - 1] for reply in open_replies]
        scores = session.decode((0, len(open_replies)), before, past)
        yield scores.logits, [reply[place] for reply in open_replies]


def _losses(logits: Array, wanted: Sequence[int]) -> Array:
    scores = logits.astype(np.float64)
    top = scores.max(-1, keepdims=True)
    total = np.log(np.exp(scores - top).sum(-1)) + top[:, 0]
    losses: Array = total - scores[np.arange(len(wanted)), list(wanted)]
    return losses
