"""The sentences with which serving refuses or fails."""

from __future__ import annotations

from typing import ClassVar


class ServingError(Exception):
    """The base of everything that serving says in a sentence to the team.

    `code` is for programs: it stands in the row of an answer that failed by it.
    """

    code: ClassVar[str] = ""


class BrokenModelError(ServingError):
    """A model folder cannot be loaded or its session failed while running."""

    code = "broken_model"


class BusyError(ServingError):
    """The queue is full; nothing was accepted, so the caller may send the message again."""

    code = "busy"


class PromptTooLongError(ServingError):
    """The newest message alone does not fit into the model's context."""

    code = "prompt_too_long"


class UnreadablePromptError(ServingError):
    """The model cannot take what was asked, however often it is asked again."""

    code = "unreadable_prompt"
