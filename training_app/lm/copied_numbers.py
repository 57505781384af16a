"""Numbers that an answer may only copy: each run of digits must stand in what its prompt shows.

A small model writes the figures that it saw most, whatever stands in front of it: in 143 replies to
the bundled sample's questions it named one to three order numbers that nobody had given it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import digits

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

_RUN = re.compile(r"[0-9]+")
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # how some tokenizers name a byte that they have no sign for

Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DigitTokens:
    """The tokens of a tokenizer that write ASCII digits, and what they write."""

    texts: dict[int, str]
    control: frozenset[int]  # the tokens that write nothing

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> DigitTokens:
        """Return those of a tokenizer. Digits of other scripts are not looked after."""
        control = frozenset(tokenizer.get_added_tokens_decoder())
        vocab = tokenizer.get_vocab().items()
        return cls(
            {
                number: text
                for text, number in vocab
                if number not in control and _RUN.search(text) and not _BYTE.fullmatch(text)
            },
            control,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """Which ids may come next: none of `blocked` (n,), and of `only` (m,) alone where it is set."""

    blocked: Ids
    only: Ids | None = None

    def masked(self, scores: Scores, best: Ids) -> Scores:
        """Return scores (vocab_size,) in which no other can win.

        They are the same ones where none of the `best` ids (k,) has to go.
        """
        if self.only is not None:
            masked = np.full_like(scores, -np.inf)
            masked[self.only] = scores[self.only]
            return masked
        if not np.isin(best, self.blocked).any():
            return scores
        masked = scores.copy()
        masked[self.blocked] = -np.inf
        return masked


class CopiedNumbers:
    """Follows one answer and says which tokens would write a number that is not shown."""

    def __init__(self, tokens: DigitTokens, shown: str) -> None:
        self._tokens, self._control = tokens.texts, tokens.control
        self._runs = set(_RUN.findall(shown))
        self._begins = {run[:end] for run in self._runs for end in range(1, len(run) + 1)}
        self._open = ""  # the run that the answer ends with so far
        self._choices: dict[str, Choice] = {}

    def next(self) -> Choice:
        """Return which tokens may come next."""
        if self._open not in self._choices:
            self._choices[self._open] = self._choice()
        return self._choices[self._open]

    def take(self, token: int) -> None:
        """Add a token to the answer, whatever it is."""
        if token in self._control:
            return
        text = self._tokens.get(token, " ")
        end = text[len(text.rstrip(digits)) :]
        self._open = self._open + text if end == text else end

    def _choice(self) -> Choice:
        fits = {token: self._is_shown(text) for token, text in self._tokens.items()}
        if self._open in self._begins and self._open not in self._runs:  # it must go on
            going_on = [token for token, text in self._tokens.items() if _RUN.match(text)]
            return Choice(_ids([]), _ids([token for token in going_on if fits[token]]))
        return Choice(_ids([token for token, is_shown in fits.items() if not is_shown]))

    def _is_shown(self, text: str) -> bool:
        """Return whether all runs that a token would end are shown, and the last can become one."""
        written = f"{self._open if _RUN.match(text) else ''}{text}"
        *ended, last = _RUN.finditer(written)
        if last.end() < len(written):
            ended, last_run = [*ended, last], ""
        else:
            last_run = last.group()
        runs = {run.group() for run in ended}
        return runs <= self._runs and (not last_run or last_run in self._begins)


def _ids(tokens: Sequence[int]) -> Ids:
    return np.array(tokens, np.int64)
