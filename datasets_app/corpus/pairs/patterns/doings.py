"""What something does: “X provides …”, “X requires …”."""

from __future__ import annotations

from datasets_app.corpus.pairs.grammar import subject_of
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

DOES = {
    "provides": "provide",
    "supports": "support",
    "offers": "offer",
    "requires": "require",
    "covers": "cover",
    "describes": "describe",
    "contains": "contain",
    "returns": "return",
    "includes": "include",
    "manages": "manage",
    "handles": "handle",
    "produces": "produce",
    "accepts": "accept",
    "defines": "define",
    "determines": "determine",
    "means": "mean",
    "adds": "add",
    "generates": "generate",
    "creates": "create",
    "oversees": "oversee",
    "prohibits": "prohibit",
    "specifies": "specify",
    "explains": "explain",
    "uses": "use",
}
DO = {"provide", "support", "offer", "require", "cover", "include", "contain", "manage", "accept"}
ENABLES = {"allows": "allow", "enables": "enable", "lets": "let", "helps": "help"}


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says what something does."""
    return _question(page, one.words, one.low)


def _question(page: Page, words: list[str], low: list[str]) -> str | None:
    known = DOES.keys() | DO | ENABLES.keys()
    at = next((at for at, word in enumerate(low[:9]) if word in known), 0)
    if not at or len(low) - at < 4 or words[at] != low[at]:
        return None
    subject = subject_of(page, words[:at])
    if subject is None or at < 2 or subject.endswith(("to", "s")) != (low[at] in DO):
        return None
    if low[at] in ENABLES:
        is_you = low[at + 1 : at + 2] == ["you"]
        return f"What does {subject} {ENABLES[low[at]]} me do?" if _lets(low[at], is_you) else None
    if low[at] in DO:
        return f"What do {subject} {low[at]}?"
    return f"What does {subject} {DOES[low[at]]}?"


def _lets(word: str, is_you: bool) -> bool:  # noqa: FBT001
    return is_you and word in {"lets", "helps"}


PATTERN = Pattern(
    name="doings",
    label="What something does",
    sentence="“X provides …”, “X requires …”: asks what that is.",
    example=("The plan covers dental care for children.", "What does the plan cover?"),
    find=by_sentence(_ask),
)
