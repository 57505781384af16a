"""Whom to turn to: “X is responsible for …”, “Contact … for …”."""

from __future__ import annotations

from datasets_app.corpus.pairs.grammar import (
    BE,
    asked,
    clause,
    is_self_contained,
    is_vague,
    subject_of,
)
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

CONTACT = frozenset("contact email ask call message notify".split())
CHARGE = ("responsible for", "in charge of", "eligible for", "eligible to", "entitled to")


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says whom something is for or from."""
    return _charge(page, one.words, one.low) or _contact(one.words, one.low)


def _charge(page: Page, words: list[str], low: list[str]) -> str | None:
    at = next((at for at, word in enumerate(low[:9]) if word in BE), 0)
    text = " ".join(low[at + 1 : at + 4])
    found = next((one for one in CHARGE if text.startswith(one)), None)
    if not at or found is None or subject_of(page, words[:at]) is None:
        return None
    rest = clause(words[at + 1 + len(found.split()) :])
    is_clear = 1 <= len(rest) <= 12 and is_self_contained(rest)
    copula = "was" if low[at] in {"was", "were"} else "is"
    return asked(f"Who {copula} {found}", rest) if is_clear else None


def _contact(words: list[str], low: list[str]) -> str | None:
    is_reach = low[:3] == ["reach", "out", "to"]
    if not is_reach and low[0] not in CONTACT:
        return None
    about = next((n for n, word in enumerate(low) if n > 1 and word in {"for", "about", "if"}), 0)
    if not about or about > 16:
        return None
    rest = clause(words[about + 1 :])
    if not 2 <= len(rest) <= 12 or not is_self_contained(rest) or is_vague(rest):
        return None
    if low[about] == "if":
        return asked("Who should I contact if", rest) if rest[0].lower() == "you" else None
    return asked(f"Who should I contact {low[about]}", rest)


PATTERN = Pattern(
    name="people",
    label="Who",
    sentence="“X is responsible for …”, “Contact X for …”: asks who that is.",
    example=("The desk is responsible for keys.", "Who is responsible for keys?"),
    find=by_sentence(_ask),
)
