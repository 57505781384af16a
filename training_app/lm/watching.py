"""What to say of a run while it goes and of its perplexity at the end; pure, needs no torch.

All limits are chosen by hand; the bands of perplexity are those of `bands`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from datasets_app.corpus.rules.numbers import measure
from datasets_app.corpus.rules.policy import standard
from training_app.lm.bands import BANDS, GPT2_BYTES_PER_TOKEN, LossCurve

HIGH_LOSS = 8.0  # nats per token: what an untrained network has
GOOD_LOSS = (2.0, 4.0)  # where a run from nothing ends that went well
SUSPECT_LOSS, SUSPECT_PASSES = 2.0, 3.0  # above it after so many passes the data are suspect
_SETTLED = 100  # updates, before which a loss says little
_NEWEST = 10  # points whose middle is the loss of now
_NO_LANGUAGE = frozenset({"gibberish", "repetitive"})
Curve = Sequence[tuple[int, float]]  # (step, nats per token), in order


@dataclass(frozen=True, slots=True)
class PerplexityBand:
    """What a perplexity is called, with the span that it lies in."""

    tone: Literal["good", "warn", "bad"]
    name: str
    span: str
    sentence: str


_TONES: tuple[tuple[Literal["good", "warn", "bad"], str], ...] = (
    ("warn", "below 10: very good, or known by heart"),
    ("good", "10 to 100 is good"),
    ("warn", "100 to 1,000 is fair"),
    ("bad", "above 1,000 is poor"),
)


def perplexity_of(bits_per_byte: float) -> float:
    """Return the perplexity for tokens as large as GPT-2's, so that vocabularies compare."""
    return float(2 ** min(64.0, bits_per_byte * GPT2_BYTES_PER_TOKEN))


def share_of(watched: float | None, loss: float | None) -> float:
    """Return what part of the loss on everything the loss that is watched has."""
    return watched / loss if watched and loss else 1.0


def perplexity_band(bits_per_byte: float) -> PerplexityBand:
    """Return the band of a figure that any vocabulary may have."""
    reached = perplexity_of(bits_per_byte)
    place = next(n for n, (limit, _, _) in enumerate(BANDS) if reached < limit or limit == math.inf)
    return PerplexityBand(*_tone(place), BANDS[place][2])


def _tone(place: int) -> tuple[Literal["good", "warn", "bad"], str, str]:
    tone, span = _TONES[place]
    return tone, BANDS[place][1], span


def course_warnings(train: Curve, validation: LossCurve, *, passes: float) -> Iterator[str]:
    """Yield what a person should think about now, from the newest training losses.

    `passes` says how often the run has been through its data.
    """
    newest = [loss for _, loss in train[-_NEWEST:] if math.isfinite(loss)]
    if newest and train[-1][0] >= _SETTLED and median(newest) > HIGH_LOSS:
        yield (
            f"The loss is {median(newest):.1f} after {train[-1][0]:,} updates, and above"
            f" {HIGH_LOSS:g} it has learned nothing yet: a good run falls from about 10 to"
            f" {GOOD_LOSS[0]:g} to {GOOD_LOSS[1]:g}. Look at the learning rate, and at some rows."
        )
    if newest and passes >= SUSPECT_PASSES and SUSPECT_LOSS < median(newest) <= HIGH_LOSS:
        yield (
            f"The loss is still {median(newest):.2f} after {passes:.0f} passes over the data. That"
            " often means poor data: look at the review list of the dataset."
        )
    remark = validation.remark()
    if remark and not validation.is_overfitting:
        yield remark


def overfit_warning(train: Curve, validation: LossCurve) -> str:
    """Return what to say where validation rises while training falls, or nothing.

    `train` begins where validation was best, or later.
    """
    if not validation.is_overfitting or len(train) < 2:
        return ""
    losses = [loss for _, loss in train if math.isfinite(loss)]
    half = max(1, len(losses) // 2)
    if not losses or median(losses[half:] or losses) >= median(losses[:half]):
        return ""
    best_step, best = validation.best
    return (
        f"It overfits since update {best_step:,}: the training loss still falls, the validation"
        f" loss rose from {best:.3f} to {validation.losses[-1][1]:.3f}. The best state is kept."
        " Stopping now loses nothing: “Stop and keep” makes a model of that state."
    )


def is_gibberish(reply: str) -> bool:
    """Return whether a reply is no language, or says one thing over and over."""
    text = measure(reply)
    if text.is_empty:
        return False
    checks = standard().checks.of_answer
    return any(rule.name in _NO_LANGUAGE and look(text, limits) for rule, look, limits in checks)
