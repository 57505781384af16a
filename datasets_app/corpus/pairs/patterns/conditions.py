"""What to do in a case: “If you …, do …”."""

from __future__ import annotations

from datasets_app.corpus.pairs.grammar import DANGLING, MODALS, asked, is_self_contained, is_vague
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

STARTS = frozenset(("if", "when", "before", "after"))
MAY = frozenset(("can", "may"))
ADVICE = frozenset("should must need can may have will".split())
NO_ORDER = DANGLING | frozenset(
    "the a an your you any laravel php python people there and in on by for with at from".split()
)


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says what to do in a case."""
    return _question(one.words, one.low)


def _question(words: list[str], low: list[str]) -> str | None:
    if low[0] not in STARTS or len(low) < 8:
        return None
    is_you = low[1] in {"you", "you’re", "you're", "you’ve", "you've", "your"}
    is_doing = low[0] != "if" and low[1].endswith("ing")
    comma = next((at for at, word in enumerate(words) if word.endswith(",")), None)
    if not (is_you or is_doing) or comma is None or not 3 <= comma <= 15:
        return None
    case = [low[0], *words[1:comma], words[comma].rstrip(",")]
    then = low[comma + 1 :]
    then = then[1:] if then[:1] in (["then"], ["please"]) else then
    if len(then) < 3 or not is_self_contained(case) or is_vague(case):
        return None
    start = _start(then)
    return asked(start, case) if start else None


def _start(then: list[str]) -> str | None:
    """Return how one asks for what comes then: advice, a choice, or what happens."""
    if then[0] in {"you’ll", "you'll"} or then[:2] == ["you", "will"]:
        return "What happens"
    if then[0] == "you":
        modal = MODALS.get(then[1], "")
        is_must = modal in {"should", "must"} or then[1:3] in (["need", "to"], ["have", "to"])
        return "What should I do" if is_must else "What can I do" if modal in MAY else None
    is_order = then[0].isalpha() and then[0] not in NO_ORDER and not then[0].endswith("s")
    return "What should I do" if is_order and then[1] not in ADVICE else None


PATTERN = Pattern(
    name="conditions",
    label="What to do in a case",
    sentence="“If you …, do …”: asks what to do in that case.",
    example=(
        "If you lose your card, call the desk at once.",
        "What should I do if I lose my card?",
    ),
    find=by_sentence(_ask),
)
