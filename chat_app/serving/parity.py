"""Checks that a serving graph answers as torch does; only jobs import this module."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM

from chat_app.serving.graph_files import Precision, graph_path
from chat_app.serving.session import Session

Array = NDArray[Any]
Prompt = Sequence[int]

LARGEST_ERROR = 1e-4  # relative to the largest logit: the bar of decision 5
# How much is compared, all chosen by hand.
GREEDY_TOKENS = 64  # of each answer, unless fewer are asked for
BATCH = 8  # answers written together
CHUNKS = (4, 7, 16, 33, 64, 128)  # tokens read at once: from the fewest allowed, even and odd


@dataclass(frozen=True, slots=True)
class ParityReport:
    """How a serving graph compares with torch in fp32 on some prompts."""

    prompts: int
    tokens: int  # greedy tokens compared, all prompts together
    largest_error: float  # of a logit, relative to the largest logit of its position
    greedy_equal: bool
    chunked_equal: bool  # a prompt read in chunks gives the bits of one read at once
    batch_equal: bool  # an answer written beside others has the bits of one alone

    @property
    def passes(self) -> bool:
        """Say whether an fp32 graph may be offered."""
        return self.largest_error <= LARGEST_ERROR and self.greedy_equal and self.is_repeatable

    @property
    def is_repeatable(self) -> bool:
        """Say whether answers do not depend on chunks and neighbours; row-int8 must keep this."""
        return self.chunked_equal and self.batch_equal

    def sentence(self) -> str:
        """Say in one sentence what was found."""
        if self.passes:
            return (
                f"{self.prompts} prompts: the largest difference to PyTorch is "
                f"{self.largest_error:.1e} of the largest score, {self.tokens} tokens are the same."
            )
        broken = [
            (self.largest_error > LARGEST_ERROR, f"scores differ by {self.largest_error:.1e}"),
            (not self.greedy_equal, "other tokens were chosen"),
            (not self.chunked_equal, "reading in chunks changed the result"),
            (not self.batch_equal, "writing beside others changed the result"),
        ]
        faults = ", ".join(words for is_broken, words in broken if is_broken)
        return f"The serving file does not answer as PyTorch does: {faults}."


def check_parity(
    folder: Path,
    precision: Precision,
    prompts: Sequence[Prompt],
    *,
    threads: int = 1,
    most: int = GREEDY_TOKENS,
) -> ParityReport:
    """Compare the serving graph of a model folder with torch in fp32 on these prompts.

    There is at least one prompt, none empty; each is a list of token ids and is cut to half of the
    context; `most` tokens of each answer are compared. Raises BrokenModelError where the
    graph cannot be loaded or run.
    """
    session = Session(graph_path(folder, precision), slots=BATCH, threads=threads)
    truth = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prompts = [list(prompt)[: session.context // 2] for prompt in prompts]
    groups = [prompts[start : start + BATCH] for start in range(0, len(prompts), BATCH)]
    findings = [_compare(session, truth, group, most) for group in groups]
    return ParityReport(
        prompts=len(prompts),
        tokens=sum(finding.tokens for finding in findings),
        largest_error=max(finding.largest_error for finding in findings),
        greedy_equal=all(finding.greedy_equal for finding in findings),
        chunked_equal=all(finding.chunked_equal for finding in findings),
        batch_equal=all(finding.batch_equal for finding in findings),
    )


def _compare(session: Session, truth: Any, prompts: list[Prompt], most: int) -> ParityReport:
    steps = min(most, session.context - max(map(len, prompts)))
    together, logits = _write(session, prompts, steps, CHUNKS[1])
    alone = [_write(session, [prompt], steps, max(CHUNKS)) for prompt in prompts]
    answers = [list(answer) for answer in together]
    wanted = [
        _torch_logits(truth, prompt, answer)
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    best = [scores.argmax(-1).tolist() for scores in wanted]
    return ParityReport(
        prompts=len(prompts),
        tokens=steps * len(prompts),
        largest_error=max(
            _relative_error(logits[row], scores) for row, scores in enumerate(wanted)
        ),
        greedy_equal=answers == best,
        chunked_equal=all(_reads_alike(session, prompt) for prompt in prompts),
        batch_equal=all(
            np.array_equal(logits[row], alone[row][1][0]) for row in range(len(prompts))
        ),
    )


def _write(session: Session, prompts: list[Prompt], steps: int, chunk: int) -> tuple[Array, Array]:
    """Answer greedily; return the tokens, (rows, steps), and logits, (rows, steps, vocab_size)."""
    rows = len(prompts)
    logits = np.empty((rows, steps, session.vocab), np.float32)
    for row, prompt in enumerate(prompts):
        logits[row, 0] = session.read_prompt(row, prompt, chunk).logits[0]
    lengths = [len(prompt) for prompt in prompts]
    for step in range(1, steps):
        tokens = logits[:, step - 1].argmax(-1).tolist()
        past = [length + step - 1 for length in lengths]
        logits[:, step] = session.decode((0, rows), tokens, past).logits
    return logits.argmax(-1), logits


def _torch_logits(truth: Any, prompt: Prompt, answer: Prompt) -> Array:
    """Return torch's logits for each token of the answer: (steps, vocab_size)."""
    ids = torch.tensor([[*prompt, *answer[:-1]]])
    with torch.inference_mode():
        logits: Array = truth(ids).logits[0, len(prompt) - 1 :].numpy()
    return logits


def _relative_error(ours: Array, theirs: Array) -> float:
    return float((np.abs(ours - theirs).max(-1) / np.abs(theirs).max(-1)).max())


def _reads_alike(session: Session, prompt: Prompt) -> bool:
    whole = session.read_prompt(0, prompt, session.context).logits.copy()
    return all(
        np.array_equal(session.read_prompt(0, prompt, chunk).logits, whole) for chunk in CHUNKS
    )


def calibrate(graph: Path, *, threads: int = 1, seconds: float = 0.3) -> dict[str, float]:
    """Measure tokens per second on this machine: written by 1, 4, 8 rows together, and read.

    The figures are `decode_1`, `decode_4`, `decode_8`, at half of the context, and `prefill`; each
    is of the median of calls that take `seconds` seconds or more together. Raises BrokenModelError
    where the graph fails.
    """
    session = Session(graph, slots=BATCH, threads=threads)
    length = session.context // 2
    figures = {}
    for rows in (1, 4, 8):
        step = partial(session.decode, (0, rows), [0] * rows, [length] * rows)
        span = _median_seconds(step, seconds)
        figures[f"decode_{rows}"] = rows / span
    prompt = [0] * min(128, length)
    span = _median_seconds(partial(session.prefill, 0, prompt, 0), seconds)
    return figures | {"prefill": len(prompt) / span}


def _median_seconds(action: Callable[[], object], seconds: float) -> float:
    action()
    spans: list[float] = []
    while sum(spans) < seconds or len(spans) < 5:
        started_at = time.perf_counter()
        action()
        spans.append(time.perf_counter() - started_at)
    return statistics.median(spans)
