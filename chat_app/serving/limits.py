"""What an asker may choose, how much context a prompt may take, how long an answer may become.

The one list of defaults and bounds: page, API, command and engine read it, under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chat_app.serving.errors import PromptTooLongError, ServingError
from datasets_app.corpus.detection.encoding import clean_text

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Setting(Generic[N]):
    """What holds unless an asker chooses, and between which bounds they may choose."""

    usual: N
    low: N
    high: N


# Chosen by hand; OpenAI's API has the bounds of the temperature and of the two last penalties.
TEMPERATURE = Setting(0.7, 0.0, 2.0)  # 0: always the best token
TOP_K = Setting(0, 0, 10_000)  # 0: off
TOP_P = Setting(0.9, 0.0, 1.0)  # 1: off
MIN_P = Setting(0.0, 0.0, 1.0)  # 0: off
REPETITION_PENALTY = Setting(1.0, 0.1, 5.0)  # 1: off
FREQUENCY_PENALTY = Setting(0.0, -2.0, 2.0)  # 0: off
PRESENCE_PENALTY = Setting(0.0, -2.0, 2.0)  # 0: off
LOGIT_BIAS = Setting(0.0, -100.0, 100.0)  # of one token
NEW_TOKENS = Setting(200, 1, 2_000)  # an answer ends where the model ends it, or here
MOST_STOPS, LONGEST_STOP = 4, 200  # texts at which an answer ends, and characters of one
MOST_BIASES = 300
SAMPLING: dict[str, Setting[Any]] = {
    "temperature": TEMPERATURE,
    "top_k": TOP_K,
    "top_p": TOP_P,
    "min_p": MIN_P,
    "repetition_penalty": REPETITION_PENALTY,
    "frequency_penalty": FREQUENCY_PENALTY,
    "presence_penalty": PRESENCE_PENALTY,
}


def check_stop(texts: object) -> None:
    """Raise ServingError unless this is a list of texts at which an answer may end."""
    if not isinstance(texts, list | tuple) or len(texts) > MOST_STOPS:
        raise ServingError(f"stop is a text, or a list of up to {MOST_STOPS}.")
    for text in texts:
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_STOP:
            raise ServingError(f"A stop text has 1 to {LONGEST_STOP} characters.")
        if clean_text(text).text != text:
            raise ServingError("A stop text holds a sign that no text can have: NUL, or half one.")


def check_biases(biases: object) -> None:
    """Raise ServingError unless this maps token ids, written as in JSON, to what is added."""
    if not isinstance(biases, Mapping) or len(biases) > MOST_BIASES:
        raise ServingError(f"logit_bias is an object of up to {MOST_BIASES} token ids.")
    for token, bias in biases.items():
        if not (isinstance(token, str) and re.fullmatch("[0-9]{1,9}", token)):
            raise ServingError("The names in logit_bias are token ids.")
        if isinstance(bias, bool) or not isinstance(bias, int | float):
            raise ServingError("logit_bias must be a number.")
        if not LOGIT_BIAS.low <= bias <= LOGIT_BIAS.high:  # as it is of what is no number
            raise ServingError(
                f"logit_bias must lie between {LOGIT_BIAS.low:g} and {LOGIT_BIAS.high:g}."
            )


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """The shares of one model's context, in tokens."""

    context: int
    new_tokens: int = NEW_TOKENS.usual

    @property
    def prompt(self) -> int:
        """Return the most prompt tokens; a long answer may claim half of the context."""
        return self.context - min(self.new_tokens, self.context // 2)

    def answer(self, prompt_tokens: int, given_tokens: int = 0) -> int:
        """Return how many tokens may be drawn after this prompt and the given beginning.

        Raises PromptTooLongError where there is no room for one.
        """
        room = self.context - prompt_tokens - given_tokens
        if room < 1:
            raise PromptTooLongError(
                f"The text has {prompt_tokens + given_tokens} tokens, the model looks back over "
                f"{self.context}. Make it shorter or start a fresh chat."
            )
        return min(self.new_tokens, room)
