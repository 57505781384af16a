"""How good a model is on text it has not seen, in figures and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray

from training_app.lm.answer_test import AnswerFigures
from training_app.lm.contract import Sample
from training_app.lm.examples import Examples
from training_app.lm.facts import says_the_same
from training_app.lm.fast import FastLoss
from training_app.lm.loop import to_batch
from training_app.lm.packing import Packed, Windows, fixed_windows, gather_fixed
from training_app.lm.spreading import spread

# The band is taken for tokens of this size, so vocabularies compare. Chosen by hand as about what a
# token of GPT-2's holds of English text; not measured on any data here.
GPT2_BYTES_PER_TOKEN = 4.5


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


@torch.no_grad()
def evaluate(fast: FastLoss, split: ValidationSplit, *, bf16: bool = False) -> Figures:
    """Return the figures of a network on this split; its random state is left alone."""
    device = next(fast.parameters()).device
    was_training = fast.training
    fast.eval()
    sums = torch.zeros(4, dtype=torch.float64)  # loss, tokens, answer loss, answer tokens
    byte_count = 0
    for windows in split.batches():
        batch = split.gathered(windows)
        sums += _sums(fast, batch, device, bf16=bf16)
        byte_count += int((split.token_bytes[batch.targets] * batch.counted).sum())
    fast.train(was_training)
    return _figures(sums.tolist(), byte_count)


def _sums(fast: FastLoss, windows: Windows, device: torch.device, *, bf16: bool) -> torch.Tensor:
    batch = to_batch(windows, device, answers_only=False)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        losses = fast.token_losses(batch.ids, batch.targets)
    losses = losses.double() * batch.weights
    answers = torch.from_numpy(windows.answers).to(device) * batch.weights
    parts = (losses.sum(), batch.weights.sum(), (losses * answers).sum(), answers.sum())
    return torch.stack([part.double().cpu() for part in parts])


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


FLATTERING = 0.2  # leaked share from which figures say little about new text; chosen by hand
# Perplexities per GPT-2-sized token, chosen by hand: ten times worse is the next word.
BANDS: tuple[tuple[float, str, str], ...] = (
    (
        10,
        "very low",
        "The text surprises it hardly ever: it is very regular, or known by heart.",
    ),
    (100, "low", "It writes in the style of your data."),
    (1000, "fair", "It is readable, with mistakes. More minutes or more data will help."),
    (math.inf, "high", "It writes mostly gibberish. Train longer or give it more data."),
)


def band(figures: Figures, loss_on: str = "all") -> str:
    """Return the name of the band, taken on perplexity per GPT-2-sized token."""
    return next(name for limit, name, _ in BANDS if figures.gpt2_perplexity(loss_on) < limit)


@dataclass(frozen=True, slots=True)
class LossCurve:
    """How the validation loss went: (step, nats per token) of every evaluation, in order.

    Step 0 is before training. It is the loss that is watched: with `loss_on` answers, theirs.
    """

    losses: Sequence[tuple[int, float]]
    loss_on: str = "all"

    def remark(self) -> str:
        """Return what the curve says beyond its last value, or nothing."""
        if len(self.losses) < 3:  # this and the shares below are chosen by hand
            return ""
        best_step, best = min(self.losses, key=lambda pair: pair[1])
        last_step, last = self.losses[-1]
        if last > best * 1.02 and not best_step:
            return "It got worse than what it began with: lower the learning rate."
        if last > best * 1.02 and last_step > best_step:
            return f"It overfits since update {best_step}; the best state is kept."
        if self.losses[0][1] - best < 0.05 * self.losses[0][1]:
            return "The loss stayed flat: it learned almost nothing."
        return ""


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
