"""How much of the context a prompt may take and how long an answer may become."""

from __future__ import annotations

from dataclasses import dataclass

from chat_app.serving.errors import PromptTooLongError

DEFAULT_NEW_TOKENS = 200  # an answer ends where the model ends it, or here; chosen by hand


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """The shares of one model's context, in tokens."""

    context: int
    new_tokens: int = DEFAULT_NEW_TOKENS

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
