"""The next token: transformers' warpers in transformers' order, one draw per token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chat_app.serving.errors import BrokenModelError, ServingError
from chat_app.serving.limits import (
    FREQUENCY_PENALTY,
    MIN_P,
    PRESENCE_PENALTY,
    REPETITION_PENALTY,
    SAMPLING,
    TEMPERATURE,
    TOP_K,
    TOP_P,
)
from training_app.lm.copied_numbers import CopiedNumbers

Array = NDArray[Any]

SEED_LIMIT = 2**53  # JSON keeps whole numbers exact below this
GREEDY_BELOW = 1e-4  # dividing by less would overflow


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen; the defaults are the chat's. Raises ServingError outside their bounds.

    top_k: Fan et al. 2018; top_p: nucleus sampling, Holtzman et al. 2020, section 3.1; min_p:
    Nguyen et al. 2024; repetition_penalty: Keskar et al. 2019 (CTRL), section 4.1, with a score
    below 0 multiplied instead of divided, as transformers does; frequency and presence penalty:
    OpenAI's API. Applied in the order of transformers, the penalties before the temperature.
    """

    temperature: float = TEMPERATURE.usual
    top_k: int = TOP_K.usual
    top_p: float = TOP_P.usual
    min_p: float = MIN_P.usual
    repetition_penalty: float = REPETITION_PENALTY.usual
    frequency_penalty: float = FREQUENCY_PENALTY.usual
    presence_penalty: float = PRESENCE_PENALTY.usual
    logit_bias: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, setting in SAMPLING.items():
            value = getattr(self, name)
            if not setting.low <= value <= setting.high:
                raise ServingError(
                    f"{name} must lie between {setting.low:g} and {setting.high:g}; it was {value}."
                )

    @property
    def changes_scores(self) -> bool:
        """Say whether earlier tokens or a bias move single scores."""
        penalties = (self.frequency_penalty, self.presence_penalty)
        return bool(self.logit_bias) or any(penalties) or self.repetition_penalty != 1


class Sampler:
    """Chooses the tokens of one answer; the same seed and scores give the same tokens.

    Draws come from PCG64 (O'Neill 2014), one for each token.
    """

    def __init__(
        self,
        params: Sampling,
        seed: int,
        prompt_ids: list[int],
        numbers: CopiedNumbers | None = None,
    ) -> None:
        """Draw by `params` from `seed`; with `numbers` no other ones than those are written."""
        self._params, self._numbers = params, numbers
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._prompt_ids = np.unique(np.asarray(prompt_ids, np.int64))
        self._answer: Counter[int] = Counter()

    def choose(self, logits: Array, top_values: Array, top_ids: Array) -> int:
        """Return the id of the next token of one row and remember it.

        `logits` is (vocab_size,), `top_values` and `top_ids` are its best, (K,), the best first.
        Raises BrokenModelError where the scores are not numbers.
        """
        ids, probabilities = self.candidates(logits, top_values, top_ids)
        draw = self._random.random()  # one per token, also where nothing is left to choose
        if len(ids) == 1:
            return self._remember(int(ids[0]))
        sums = np.cumsum(probabilities)
        place = int(np.searchsorted(sums, draw * sums[-1], side="right"))
        return self._remember(int(ids[min(place, len(ids) - 1)]))

    def accept(self, token: int) -> None:
        """Take a given token in place of a drawn one; the draws after it stay the same."""
        self._random.random()
        self._remember(token)

    def candidates(self, logits: Array, top_values: Array, top_ids: Array) -> tuple[Array, Array]:
        """Return the tokens that may come next, best first, and their probabilities, both (n,).

        Takes what `choose` takes; the probabilities sum to 1. Raises BrokenModelError as `choose`
        does.
        """
        params = self._params
        moved = self._penalised(logits) if params.changes_scores else logits
        if self._numbers is not None:
            moved = self._numbers.next().masked(moved, top_ids)
        if moved is not logits:
            logits = moved
            top_ids = np.argpartition(-logits, len(top_ids) - 1)[: len(top_ids)]
            top_values = np.sort(logits[top_ids])[::-1]
        best = logits.max()  # no number as soon as one score is none
        if not np.isfinite(best):
            raise BrokenModelError("The model's scores are not numbers; its weights are damaged.")
        if params.temperature < GREEDY_BELOW:
            return np.array([int(logits.argmax())]), np.ones(1)
        ranking = _Ranking(logits, best, params)
        if ranking.is_within(top_values):
            return ranking.filter(np.sort(top_ids))
        return ranking.filter(np.arange(len(logits)))

    def _remember(self, token: int) -> int:
        self._answer[token] += 1
        if self._numbers is not None:
            self._numbers.take(token)
        return token

    def _penalised(self, logits: Array) -> Array:
        params = self._params
        moved = logits.copy()
        for token, bias in params.logit_bias.items():
            moved[token] += bias
        answer = np.fromiter(self._answer, np.int64, len(self._answer))
        seen = np.union1d(self._prompt_ids, answer)
        scores, penalty = moved[seen], np.float32(params.repetition_penalty)
        moved[seen] = np.where(scores < 0, scores * penalty, scores / penalty)
        counts = np.fromiter(self._answer.values(), np.float32, len(self._answer))
        moved[answer] -= params.frequency_penalty * counts + params.presence_penalty
        return moved


class _Ranking:
    """The probabilities of one row's tokens relative to its best token."""

    def __init__(self, logits: Array, best: np.floating[Any], params: Sampling) -> None:
        self._logits, self._best, self._params = logits, best, params

    def is_within(self, top_values: Array) -> bool:
        """Say whether the tokens ranked already hold everything that may be drawn."""
        params, last = self._params, top_values[-1]
        if len(top_values) == len(self._logits):
            return True
        if params.top_k:  # tokens equal to the last one may be outside
            return params.top_k < len(top_values) and bool(top_values[params.top_k - 1] > last)
        probabilities = self._probabilities(top_values)
        if probabilities[-1] < params.min_p:
            return True
        return bool(probabilities[top_values > last].sum() > params.top_p * self._total())

    def filter(self, ids: Array) -> tuple[Array, Array]:
        """Return what top-k, top-p and min-p leave of these tokens (ids ascending), best first.

        (n,) ids give (m,) ids and (m,) probabilities that sum to 1.
        """
        params = self._params
        probabilities = self._probabilities(self._logits[ids].astype(np.float64))
        order = np.argsort(-probabilities, kind="stable")  # equal probabilities: lowest id first
        ids, probabilities = ids[order], probabilities[order]
        if 0 < params.top_k < len(ids):
            weakest = probabilities[params.top_k - 1]
            count = int(np.count_nonzero(probabilities >= weakest))  # ties stay together
            ids, probabilities = ids[:count], probabilities[:count]
        if params.top_p < 1:
            total = probabilities.sum() if params.top_k else self._total()
            before = np.cumsum(probabilities) - probabilities
            count = max(1, int(np.count_nonzero(before < params.top_p * total)))
            ids, probabilities = ids[:count], probabilities[:count]
        kept = np.count_nonzero(probabilities >= params.min_p * probabilities[0])
        return ids[:kept], probabilities[:kept] / probabilities[:kept].sum()

    def _total(self) -> float:
        return float(self._probabilities(self._logits).sum())

    def _probabilities(self, values: Array) -> Array:
        probabilities: Array = np.exp((values - self._best) / np.float32(self._params.temperature))
        return probabilities
