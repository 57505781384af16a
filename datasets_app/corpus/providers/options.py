"""Fields of a request that not every model takes: left out when a server refuses them."""

from __future__ import annotations

from typing import Any

REFUSED = 400  # what servers answer to a field that they do not know
OTHER_NAMES = {"max_tokens": "max_completion_tokens"}
SAID_OF = {  # words of a refusal, and the field that is meant
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "response_format": "response_format",
    "json_schema": "response_format",
    "schema": "response_format",
    "output_config": "output_config",
    "output_format": "output_config",
    "reasoning": "reasoning_effort",
    "thinking": "thinking",
}
FIRST = ("response_format", "output_config", "temperature", "reasoning_effort", "thinking")


def without_refused(options: dict[str, Any], said: str) -> dict[str, Any] | None:
    """Return the options without the field that a refusal names, else the likeliest; None: no more.

    A field that goes by another name elsewhere takes that name.
    """
    low = said.lower()
    named = [field for words, field in SAID_OF.items() if words in low and field in options]
    field = next(iter([*named, *(one for one in FIRST if one in options)]), None)
    if field is None:
        return None
    left = {name: value for name, value in options.items() if name != field}
    if field in OTHER_NAMES:
        left[OTHER_NAMES[field]] = options[field]
    return left
