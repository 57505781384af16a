"""How something is done: “To do X, …”, “You can do X by …”."""

from __future__ import annotations

from datasets_app.corpus.pairs.grammar import MODALS, asked, clause, is_self_contained
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

NO_VERB = frozenset("the a an your our be date this that some which whom these all me him".split())
TOOLS = frozenset(
    "use visit complete fill submit open email run click install go log sign call contact".split()
)
NOT_TO = frozenset(
    "access go link links up according due respond relevant related next how option "
    "ready possible want wants need needs able".split()
)
BY = frozenset("by using via through".split())


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says how something is done."""
    return _purpose(one.words, one.low) or _means(one.words, one.low) or _tool(one.words, one.low)


def _purpose(words: list[str], low: list[str]) -> str | None:
    if low[:2] == ["in", "order"]:
        words, low = words[2:], low[2:]
    if low[0] != "to" or len(low) < 6 or low[1] in NO_VERB or not low[1].isalpha():
        return None
    comma = next((at for at, word in enumerate(words) if word.endswith(",")), None)
    if comma is None or not 3 <= comma <= 14 or len(words) - comma < 4:
        return None
    doing = [*words[1:comma], words[comma].rstrip(",")]
    return asked("How do I", doing) if is_self_contained(doing) else None


def _tool(words: list[str], low: list[str]) -> str | None:
    """Ask how to do what something is used, visited or filled in for."""
    first = 2 if low[0] == "you" and low[1:2] and low[1] in {"can", "may", "should"} else 0
    if low[first] not in TOOLS:
        return None
    at = next((n for n, word in enumerate(low) if n > first + 1 and word == "to"), 0)
    doing = clause(words[at + 1 :])
    is_verb = at and low[at + 1 : at + 2] and words[at + 1].islower() and low[at + 1] not in NO_VERB
    if not is_verb or at > first + 12 or not 2 <= len(doing) <= 12 or low[at - 1] in NOT_TO:
        return None
    return asked("How do I", doing) if is_self_contained(doing) else None


def _means(words: list[str], low: list[str]) -> str | None:
    if low[0] != "you" or low[1:2] == [] or MODALS.get(low[1]) not in {"can", "may", "should"}:
        return None
    at = next((at for at, word in enumerate(low) if at > 3 and word in BY), None)
    if at is None or at > 14 or (low[at] == "by" and not low[at + 1 : at + 2][0:1]):
        return None
    if low[at] == "by" and not low[at + 1].endswith("ing"):
        return None
    doing = clause(words[2:at])
    if doing[:3] == ["be", "able", "to"]:
        doing = doing[3:]
    is_whole = len(doing) >= 2 and len(doing) >= at - 6 and "not" not in low[2:at]
    modal = "can" if low[1] != "should" else "should"
    return asked(f"How {modal} I", doing) if is_whole and is_self_contained(doing) else None


PATTERN = Pattern(
    name="ways",
    label="How something is done",
    sentence="“To do X, …”, “You can do X by …”, “Use … to do X”: asks how to do X.",
    example=("To ask for leave, fill in the form.", "How do I ask for leave?"),
    find=by_sentence(_ask),
)
