"""What may, must or can be done: “You must …”, “Employees may …”."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.pairs.grammar import MODALS, asked, clause, is_self_contained, subject_of
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Found, Pattern
from datasets_app.corpus.pairs.told import told

ASKED_AS = {"cannot": "can", "must not": "may", "should not": "should"}
NO_VERB = frozenset("be see note find want think imagine expect notice look refer say hear".split())


def find(page: Page) -> Iterator[Found]:
    """Yield a question for each sentence that says what may or must be done."""
    for one in told(page):
        question = _question(page, one.words, one.low)
        if question:
            yield Found(question, one.sentence.start, one.sentence.end)


def _question(page: Page, words: list[str], low: list[str]) -> str | None:
    at = next((at for at, word in enumerate(low[:9]) if word in MODALS), None)
    if not at or MODALS[low[at]] in {"might", "could", "would", "will"}:
        return None
    modal = MODALS[low[at]]
    is_no = low[at] != modal or low[at + 1 : at + 2] == ["not"]
    if is_no and modal == "must":
        modal = "may"
    who = "I" if low[:at] == ["you"] else subject_of(page, words[:at])
    rest = clause(words[at + 2 if low[at + 1 : at + 2] == ["not"] else at + 1 :])
    is_you = who == "I"
    if who is None or not 3 <= len(rest) <= 13 or not is_self_contained(rest):
        return None
    verb = rest[0].lower()
    if (is_you and verb in NO_VERB) or not verb.isalpha() or verb.endswith("ly"):
        return None
    if modal == "must":
        return asked("Do I have to", rest) if is_you else None
    return asked(f"{modal} {who}", rest)


PATTERN = Pattern(
    name="permissions",
    label="What may or must be done",
    sentence="“You may …”, “Employees can …”: asks whether one may or has to.",
    example=("You may work from home on two days.", "May I work from home on two days?"),
    find=find,
)
