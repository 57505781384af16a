"""How good a model is on text it has not seen, in figures and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training_app.lm.answer_test import AnswerFigures
from training_app.lm.bands import BANDS, FLATTERING, GPT2_BYTES_PER_TOKEN, LossCurve
from training_app.lm.contract import Sample
from training_app.lm.examples import Examples
from training_app.lm.facts import says_the_same
from training_app.lm.fast import FastLoss
from training_app.lm.loop import to_batch
from training_app.lm.packing import Packed, Windows, fixed_windows, gather_fixed
from training_app.lm.spreading import spread


@dataclass(frozen=True, slots=True)
class Figures:
    """Validation figures; losses are means over counted tokens, in nats.

    `perplexity` is e to the loss (Jelinek et al. 1977); `bits_per_byte` is the summed loss in bits
    over the bytes of text that the counted tokens stand for, so vocabularies compare.
    """

    tokens: int
    bytes: int
    loss: float
    answer_loss: float | None
    perplexity: float
    bits_per_byte: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self)

    def watched(self, loss_on: str) -> float:
        """Return the loss of what the run learns from: of the answers, where only they count."""
        of_answers = self.answer_loss if loss_on == "answers" else None
        return self.loss if of_answers is None else of_answers

    def gpt2_perplexity(self, loss_on: str = "all") -> float:
        """Return the perplexity for tokens as large as GPT-2's: 2 to the bits of such a token.

        Of answers alone it takes as many bytes in a token as all of the text has.
        """
        share = self.watched(loss_on) / self.loss if self.loss else 1.0
        return float(2 ** min(64.0, self.bits_per_byte * share * GPT2_BYTES_PER_TOKEN))


@dataclass(frozen=True, slots=True)
class ValidationSplit:
    """A split to evaluate on: its fixed windows, and the bytes that each token stands for.

    `windows` are (start, length) in tokens, `token_bytes` is (vocab_size,).
    """

    packed: Packed
    windows: Sequence[tuple[int, int]]
    token_bytes: NDArray[Any]
    context: int
    batch: int
    is_of_examples: bool = False  # each window is a whole example that begins at position 0

    def gathered(self, windows: Sequence[tuple[int, int]]) -> Windows:
        """Return windows as one batch, (windows, context); examples are as wide as the longest."""
        widest = max(length for _, length in windows) if self.is_of_examples else self.context
        return gather_fixed(self.packed, list(windows), widest)

    def batches(self) -> list[list[tuple[int, int]]]:
        """Return the windows in batches of one size; the last may be shorter."""
        windows = list(self.windows)
        return [windows[i : i + self.batch] for i in range(0, len(windows), self.batch)]


def validation(
    packed: Packed, token_bytes: NDArray[Any], *, context: int, batch: int, batches: int = 0
) -> ValidationSplit:
    """Return the split with all its windows, or with `batches` evenly spread batches of them.

    `token_bytes` is (vocab_size,), `context` is in tokens, `batch` in windows.
    """
    windows = fixed_windows(packed, context)
    windows = spread(windows, batches * batch or len(windows))
    return ValidationSplit(packed, windows, token_bytes, context, batch)


def validation_examples(packed: Packed, token_bytes: NDArray[Any], *, most: int) -> ValidationSplit:
    """Return at most so many evenly spread examples, those of like length beside each other.

    `token_bytes` is (vocab_size,).
    """
    found = Examples.of(packed)
    pairs = zip((found.begins + 1).tolist(), (found.lengths - 1).tolist(), strict=True)
    windows = sorted(spread(list(pairs), most), key=lambda window: window[1])
    return ValidationSplit(packed, windows, token_bytes, 0, EXAMPLES_A_BATCH, is_of_examples=True)


EXAMPLES_A_BATCH = 4  # evaluated at once; chosen by hand


TextLoss = tuple[int, float, int]  # number of the text in its split, nats, bytes
MOST_TEXTS = 400  # of which losses are kept; chosen by hand, an interval needs no more


class TextLosses:
    """Gathers what each text of a split cost, so that two models can be compared text by text."""

    def __init__(self, split: ValidationSplit) -> None:
        self._split = split
        self._starts = np.asarray(split.packed.starts)  # (texts,)
        self._sums = np.zeros((len(self._starts), 3))  # nats, bytes, tokens

    def add(self, windows: Sequence[tuple[int, int]], losses: NDArray[Any]) -> None:
        """Take the losses of windows, (windows, context); places beyond a length do not count."""
        for (start, length), row in zip(windows, losses, strict=True):
            places = np.arange(start, start + length)
            texts = np.searchsorted(self._starts, places, side="right") - 1
            sizes = self._split.token_bytes[self._split.packed.tokens[places]]
            values = np.stack([row[:length], sizes, np.ones(length)], axis=1)
            np.add.at(self._sums, texts, values)

    def whole(self) -> list[TextLoss]:
        """Return the texts of which every token was seen: of many every n-th, always the same."""
        lengths = np.append(self._starts[1:], self._split.packed.facts.tokens) - self._starts
        every = -(-len(lengths) // MOST_TEXTS)
        return [
            (number, round(float(self._sums[number, 0]), 4), int(self._sums[number, 1]))
            for number in range(0, len(lengths), every)
            if self._sums[number, 2] == lengths[number]
        ]


@torch.no_grad()
def evaluate(
    fast: FastLoss,
    split: ValidationSplit,
    *,
    bf16: bool = False,
    texts: TextLosses | None = None,
) -> Figures:
    """Return the figures of a network on this split; its random state is left alone.

    `texts` is told the loss of every token.
    """
    device = next(fast.parameters()).device
    was_training = fast.training
    fast.eval()
    sums = torch.zeros(4, dtype=torch.float64)  # loss, tokens, answer loss, answer tokens
    byte_count = 0
    for windows in split.batches():
        batch = split.gathered(windows)
        parts, losses = _sums(fast, batch, device, bf16=bf16)
        sums += parts
        if texts is not None:
            texts.add(windows, losses.cpu().numpy())
        byte_count += int((split.token_bytes[batch.targets] * batch.counted).sum())
    fast.train(was_training)
    return _figures(sums.tolist(), byte_count)


def _sums(
    fast: FastLoss, windows: Windows, device: torch.device, *, bf16: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return loss, tokens, answer loss and answer tokens, (4,), and the losses, (batch, steps)."""
    batch = to_batch(windows, device, answers_only=False)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        losses = fast.token_losses(batch.ids, batch.targets)
    losses = losses.double() * batch.weights
    answers = torch.from_numpy(windows.answers).to(device) * batch.weights
    parts = (losses.sum(), batch.weights.sum(), (losses * answers).sum(), answers.sum())
    return torch.stack([part.double().cpu() for part in parts]), losses


def _figures(sums: list[float], byte_count: int) -> Figures:
    total, tokens, answer_total, answer_tokens = sums
    loss = total / max(1.0, tokens)
    return Figures(
        tokens=int(tokens),
        bytes=byte_count,
        loss=loss,
        answer_loss=answer_total / answer_tokens if answer_tokens else None,
        perplexity=math.exp(min(loss, 100.0)),
        bits_per_byte=total / math.log(2) / max(1, byte_count),
    )


def band(figures: Figures, loss_on: str = "all") -> str:
    """Return the name of the band, taken on perplexity per GPT-2-sized token."""
    return next(name for limit, name, _ in BANDS if figures.gpt2_perplexity(loss_on) < limit)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for or against the answers besides the loss."""

    samples: Sequence[Sample] = ()  # where no answers were tested
    leaked: float | None = None  # share of the validation text that training has word for word
    answers: AnswerFigures = field(default_factory=AnswerFigures)

    @property
    def close(self) -> int:
        """Return how many sample answers say what the real ones say."""
        return sum(says_the_same(reply, real, asked) for _, asked, reply, real in self.samples)

    def about_answers(self) -> str:
        """Return what the answer test found; else a sentence about the sample answers."""
        if self.answers.total or self.answers.trouble:
            return " ".join(filter(None, [self.answers.headline(), *self.answers.remarks()]))
        asked, close = len(self.samples), self.close
        if not asked:
            return ""
        if not close:
            return f"None of its {asked} sample answers says what the real one says."
        if close < asked:
            return f"{close} of its {asked} sample answers say what the real ones say."
        return f"All {asked} sample answers say what the real ones say."

    def about_leakage(self) -> str:
        """Return a sentence about what training has of the validation text, or nothing."""
        if self.leaked is None:
            return ""
        words = (
            f"Leakage check: {100 * self.leaked:.0f} % of the validation text stands word for word"
            " in the training text"
        )
        return (
            f"{words}, so these figures flatter it." if self.leaked >= FLATTERING else f"{words}."
        )


def verdict(figures: Figures, curve: LossCurve, evidence: Evidence | None = None) -> str:
    """Return the verdict in words: the answers first, since a low loss is no right answer."""
    evidence = evidence or Evidence()
    reached = figures.gpt2_perplexity(curve.loss_on)
    sentence = next(text for limit, _, text in BANDS if reached < limit)
    numbers = (
        f"Validation: {figures.bits_per_byte:.2f} bits per byte,"
        f" perplexity {figures.perplexity:,.1f}."
    )
    if figures.watched(curve.loss_on) != figures.loss:
        on_answers = math.exp(min(figures.watched(curve.loss_on), 100.0))
        numbers = f"{numbers[:-1]}; {on_answers:,.1f} on the answers, from which it learned."
    warning = "Do not rely on facts: small models are fluent and often wrong."
    parts = (evidence.about_answers(), sentence, curve.remark(), numbers)
    return " ".join(part for part in (*parts, evidence.about_leakage(), warning) if part)
