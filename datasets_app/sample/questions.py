"""Questions for testing a model of the sample, each with what a right answer must hold.

Their wordings stand nowhere in the sample; the facts behind them do. `question_lists/` holds them:
`must` are the facts that have to be there (`a|b`: one of them is enough), `never` names kinds of
facts of the shop of which no other value may be said, `not` single words that may not be said, and
`may` what is excused from both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from datasets_app.corpus.conversation import ASSISTANT, USER, Turn
from datasets_app.sample.facts import CODES, DAYS, Country, Product, Store
from datasets_app.sample.second_shop import SHOPS
from datasets_app.sample.talk import product_facts

Kind = Literal["validation", "multi_turn", "changed", "off_topic"]

_FOLDER = Path(__file__).with_name("question_lists")
_WEEK = (*DAYS, "Sunday")
_MATERIALS = (
    *("nylon", "polyester", "cotton", "membrane", "fleece", "leather", "carbon", "cork", "steel"),
    *("brass", "merino", "alpaca", "aluminium", "foam", "mesh", "rubber", "vinyl-free"),
    *("softshell", "goose"),
)


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """A question with the turns before it; `must` is empty where no right answer exists."""

    turns: tuple[Turn, ...]
    kind: Kind
    intent: str = ""
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    answer: str = ""  # in the words of the house

    @property
    def question(self) -> str:
        """Return the last turn, which is what is asked."""
        return self.turns[-1].text


def validation_questions() -> list[SampleQuestion]:
    """Return the questions that the sample never asks in these words."""
    return _questions("validation")


def multi_turn_questions() -> list[SampleQuestion]:
    """Return questions that say nothing without the turns before them."""
    return _questions("multi_turn")


def changed_questions() -> list[SampleQuestion]:
    """Return questions whose answers are others in the second shop."""
    return _questions("changed")


def off_topic_questions() -> list[SampleQuestion]:
    """Return questions that nothing in the sample answers: a good model says that."""
    lines = (_FOLDER / "off_topic.txt").read_text("utf-8").splitlines()
    return [SampleQuestion((Turn(USER, line),), "off_topic") for line in lines]


def _questions(kind: Kind) -> list[SampleQuestion]:
    lines = (_FOLDER / f"{kind}.jsonl").read_text("utf-8").splitlines()
    return [_question(kind, json.loads(line)) for line in lines]


def _question(kind: Kind, row: dict[str, Any]) -> SampleQuestion:
    roles = (USER, ASSISTANT)
    turns = tuple(Turn(roles[n % 2], text) for n, text in enumerate(row["turns"]))
    right = [one for term in (*row["must"], *row.get("may", ())) for one in term.split("|")]
    others = (
        value
        for group in row.get("never", ())
        for value in _values(group)
        if not _is_said(value, [turns[-1].text, *right])
    )
    must_not = dict.fromkeys((*others, *row.get("not", ())))
    return SampleQuestion(
        turns, kind, row["intent"], tuple(row["must"]), tuple(must_not), row["answer"]
    )


def _is_said(value: str, texts: list[str]) -> bool:
    """Tell whether the value stands in one of the texts, or one of them in it."""
    return any(_stands_in(value, text) or _stands_in(text, value) for text in texts)


def _stands_in(term: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text, re.IGNORECASE))


def _values(kind: str) -> Iterator[str]:
    """Yield all values of a kind of fact in both shops."""
    if kind == "code":
        yield from CODES
    elif kind == "material":
        yield from _MATERIALS
    elif kind == "day":
        yield from _WEEK
    elif kind == "closing":
        for day in _WEEK:
            yield from (f"closed on {day}", f"but {day}", f"{day} is our day off")
    for shop in SHOPS:
        things: list[Product | Store | Country] = [*shop.products, *shop.stores, *shop.countries]
        for thing in things:
            yield from _values_of(thing).get(kind, ())


def _values_of(thing: Product | Store | Country) -> dict[str, Sequence[str]]:
    if isinstance(thing, Store):
        return {
            "city": (thing.city,),
            "street": (thing.street,),
            "hours": (thing.opens, thing.closes),
            "parking": (thing.parking.split(",")[0],),
        }
    if isinstance(thing, Country):
        return {"country": (thing.name,), "ship_days": (thing.days,), "ship_fee": (thing.fee,)}
    slots = product_facts(thing)
    alone = {slot: (slots[slot],) for slot in ("price", "rent", "repair", "warranty", "weight")}
    return {"colour": thing.colours, "product": (thing.thing,), **alone}
