"""What an asker may choose, how much context a prompt may take, how long an answer may become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from chat_app.serving.errors import PromptTooLongError

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Setting(Generic[N]):
    """What holds unless an asker chooses, and between which bounds a page lets them choose."""

    usual: N
    low: N
    high: N


# Chosen by hand.
TEMPERATURE = Setting(0.7, 0.0, 2.0)  # 0: always the best token
TOP_K = Setting(0, 0, 10_000)  # 0: off
TOP_P = Setting(0.9, 0.01, 1.0)
NEW_TOKENS = Setting(200, 1, 2_000)  # an answer ends where the model ends it, or here


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
