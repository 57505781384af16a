"""Tells program code from prose."""

from __future__ import annotations

import re

_CALL_OR_ASSIGNMENT = re.compile(r"\w\(|\w\]? ?[-+*/|&^%:!<>=]?= ?[\w(\[{\"'-]")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


def is_code(text: str) -> bool:
    """Tell whether a text is fenced, or has balanced brackets and calls or assignments."""
    return "```" in text or (_CALL_OR_ASSIGNMENT.search(text) is not None and _is_balanced(text))


def without_fences(text: str) -> str:
    """Return the text with blanks instead of what stands between fences; offsets stay."""
    return _FENCED.sub(lambda fence: " " * len(fence.group()), text)


def _is_balanced(text: str) -> bool:
    open_brackets: list[str] = []
    for character in text:
        if character in "([{":
            open_brackets.append(character)
        elif character in _PAIRS and (
            not open_brackets or open_brackets.pop() != _PAIRS[character]
        ):
            return False
    return not open_brackets
