"""The sentences with which serving refuses or fails."""

from __future__ import annotations


class ServingError(Exception):
    """The base of everything that serving says in a sentence to the team."""


class BrokenModelError(ServingError):
    """A model folder cannot be loaded or its session failed while running."""


class BusyError(ServingError):
    """The queue is full; nothing was accepted, so the caller may send the message again."""


class PromptTooLongError(ServingError):
    """The newest message alone does not fit into the model's context."""
