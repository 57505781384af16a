"""What to do in a case: “If you …, do …”."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.pairs.grammar import DANGLING, MODALS, asked, is_self_contained, is_vague
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Found, Pattern
from datasets_app.corpus.pairs.told import told

STARTS = frozenset(("if", "when", "before", "after"))
ADVICE = frozenset("should must need can may have will".split())
NO_ORDER = DANGLING | frozenset(
    "the a an your you any laravel php python people there and in on by for with at from".split()
)


def find(page: Page) -> Iterator[Found]:
    """Yield a question for each sentence that says what to do in a case."""
    for one in told(page):
        question = _question(one.words, one.low)
        if question:
            yield Found(question, one.sentence.start, one.sentence.end)


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
    if then[:1] == ["then"] or then[:1] == ["please"]:
        then = then[1:]
    if len(then) < 3 or not is_self_contained(case) or is_vague(case):
        return None
    if then[0] in {"you", "you’ll", "you'll"}:
        modal = MODALS.get(then[1], "")
        if modal in {"should", "must"} or then[1:3] in (["need", "to"], ["have", "to"]):
            return asked("What should I do", case)
        if modal in {"can", "may"}:
            return asked("What can I do", case)
        return asked("What happens", case) if modal == "will" or "’ll" in then[0] else None
    is_order = then[0].isalpha() and then[0] not in NO_ORDER and not then[0].endswith("s")
    return asked("What should I do", case) if is_order and then[1] not in ADVICE else None


PATTERN = Pattern(
    name="conditions",
    label="What to do in a case",
    sentence="“If you …, do …”: asks what to do in that case.",
    example=("If you lose your card, call the desk at once.", "What should I do if I lose my card?"),
    find=find,
)
