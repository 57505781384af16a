"""Puts wordings and facts together: one customer, one product, one store, one talk."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.sample.facts import (
    AMOUNTS,
    CODES,
    COURIERS,
    DAYS,
    NAMES,
    SHOP,
    SIZES,
    Product,
    Shop,
)
from datasets_app.sample.goods import GOODS
from datasets_app.sample.house import CLOSINGS, HOUSE
from datasets_app.sample.intent import Intent
from datasets_app.sample.orders import ORDERS
from datasets_app.sample.service import SERVICE

INTENTS: tuple[Intent, ...] = (*GOODS, *ORDERS, *SERVICE, *HOUSE)

# Concerns with many facts come more often, so that each fact is heard several times.
_RICH = {
    *(intent.name for intent in GOODS[:7]),
    *("recommend", "warranty", "opening_hours", "store_location", "delivery_time", "delivery_cost"),
}
_INTENT_WEIGHTS = [3 if intent.name in _RICH else 1 for intent in INTENTS]
_SIDE_CONCERNS = (*GOODS, *SERVICE[:5], *HOUSE[:4])

_SLOT = re.compile(r"\{(\w+)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SPACES = re.compile(r" {2,}")
_EXCHANGES, _EXCHANGE_WEIGHTS = (1, 2, 3, 4), (45, 30, 17, 8)
_OPENERS = ("", "", "", "", "Hi, ", "Hello, ", "Good morning, ", "Excuse me, ", "Hi there, ")
_BRIDGES = ("", "", "And one more thing: ", "Also, ", "Another question: ")
_ENDINGS = ("", "", "", "", "", " Just ask if you need more.", " Anything else?")
_FEW = ("two", "three", "five", "eight", "eleven")

_NAMED_BY: dict[str, str] = {
    slot: thing
    for thing, slots in {
        "product": "product thing thing_one product_one colours price rent repair material "
        "material_cap care warranty weight fit use colour_thing",
        "store": "city street opens closes closed parking",
        "country": "country ship_days ship_fee",
        "order": "order",
        "colour": "colour",
        "size": "size",
        "code": "code",
        "amount": "amount",
        "other": "other",
    }.items()
    for slot in slots.split()
}

Facts = Mapping[str, str]


def facts(rng: random.Random, shop: Shop) -> dict[str, str]:
    """Return the slots of one conversation; all of them belong together."""
    product, store = rng.choice(shop.products), rng.choice(shop.stores)
    country = rng.choice(shop.countries)
    other = rng.choice([item for item in shop.products if item is not product])
    return {
        **product_facts(product),
        **_colour_facts(product, rng.choice(product.colours)),
        **_verbs(product),
        "other": other.name,
        "city": store.city,
        "street": store.street,
        "opens": store.opens,
        "closes": store.closes,
        "closed": store.closed,
        "parking": store.parking,
        "country": country.name,
        "ship_days": country.days,
        "ship_fee": country.fee,
        "name": rng.choice(NAMES),
        "day": rng.choice(DAYS),
        "code": rng.choice(CODES),
        "courier": rng.choice(COURIERS),
        "size": rng.choice(SIZES),
        "amount": rng.choice(AMOUNTS),
        "few": rng.choice(_FEW),
        "order": f"JP-{rng.randrange(100, 1000)}",
    }


def _colour_facts(product: Product, colour: str) -> dict[str, str]:
    article = "an" if colour[0] in "aeiou" else "a"
    coloured = f"{colour} {product.thing}"
    return {
        "colour": colour,
        "colour_thing": coloured if product.is_plural else f"{article} {coloured}",
    }


def product_facts(product: Product) -> dict[str, str]:
    """Return the slots of a product that are the same in every conversation."""
    one = f"pair of {product.thing}" if product.is_plural else product.thing
    return {
        "product": product.name,
        "thing": product.thing,
        "thing_one": one,
        "product_one": f"pair of {product.name}" if product.is_plural else product.name,
        "colours": f"{', '.join(product.colours[:-1])} and {product.colours[-1]}",
        "price": f"${product.price}",
        "rent": f"${9 + product.price // 10}",
        "repair": f"${10 + product.price // 8}",
        "material": product.material,
        "material_cap": product.material[0].upper() + product.material[1:],
        "care": product.care,
        "warranty": product.warranty,
        "weight": product.weight,
        "fit": product.fit,
        "use": product.use,
    }


def _verbs(product: Product) -> dict[str, str]:
    one, many = 0, 1
    form = many if product.is_plural else one
    pairs = {
        "is": ("is", "are"),
        "does": ("does", "do"),
        "has": ("has", "have"),
        "costs": ("costs", "cost"),
        "weighs": ("weighs", "weigh"),
        "comes": ("comes", "come"),
        "leaves": ("leaves", "leave"),
        "them": ("it", "them"),
        "they": ("it", "they"),
        "is_cap": ("Is", "Are"),
        "does_cap": ("Does", "Do"),
    }
    return {slot: forms[form] for slot, forms in pairs.items()}


def spin(rng: random.Random, wording: str, slots: Facts) -> str:
    """Return the wording with one word of every choice and the facts in their slots."""
    while "[" in wording:
        wording = _CHOICE.sub(lambda match: rng.choice(match.group(1).split("|")), wording)
    return _SPACES.sub(" ", wording.format_map(slots)).strip()


class _Talk:
    """One conversation in the making; it remembers what has been named in it."""

    def __init__(self, rng: random.Random, shop: Shop) -> None:
        self.rng, self.slots = rng, facts(rng, shop)
        self.turns: list[Turn] = []
        self._named: set[str] = set()

    def exchange(self, ask: str, answers: Sequence[str], *, before: Sequence[str]) -> None:
        """Add a question and an answer that speaks of nothing unnamed where one exists."""
        self._named |= named_in(ask)
        fitting = [answer for answer in answers if self.has_named(answer)] or answers
        answer = self.rng.choice(fitting)
        self._named |= named_in(answer)
        asked = _after(self.rng.choice(before), spin(self.rng, ask, self.slots))
        if self.rng.random() < 0.12:  # people on phones
            asked = asked.lower().rstrip("?.!")
        said = spin(self.rng, answer, self.slots) + self.rng.choice(_ENDINGS)
        self.turns += [Turn(USER, asked), Turn(ASSISTANT, said)]

    def has_named(self, wording: str) -> bool:
        """Tell whether everything that the wording speaks of has been named."""
        return named_in(wording) <= self._named

    def close(self) -> None:
        """Add thanks and a goodbye."""
        ask, answer = (spin(self.rng, wording, self.slots) for wording in self.rng.choice(CLOSINGS))
        self.turns += [Turn(USER, ask), Turn(ASSISTANT, answer)]


def good_talk(rng: random.Random, shop: Shop = SHOP) -> tuple[Conversation, Intent]:
    """Return a conversation of one to four exchanges about one concern."""
    talk, intent = _Talk(rng, shop), rng.choices(INTENTS, _INTENT_WEIGHTS)[0]
    wanted = rng.choices(_EXCHANGES, _EXCHANGE_WEIGHTS)[0]
    talk.exchange(rng.choice(intent.asks), intent.answers, before=_OPENERS)
    follow_ups = rng.sample(intent.more, len(intent.more))
    for left in range(wanted - 1, 0, -1):
        if follow_ups and talk.has_named(follow_ups[-1][1]):
            ask, answer = follow_ups.pop()
            talk.exchange(ask, [answer], before=("",))
        elif left == 1 and rng.random() < 0.6:
            talk.close()
        else:
            other = rng.choice(_SIDE_CONCERNS)
            talk.exchange(rng.choice(other.asks), other.answers, before=_BRIDGES)
    return Conversation(tuple(talk.turns)), intent


def named_in(wording: str) -> set[str]:
    """Return what a wording speaks of: a product, a store, a country, an order and so on."""
    return {_NAMED_BY[slot] for slot in _SLOT.findall(wording) if slot in _NAMED_BY}


def _after(opener: str, ask: str) -> str:
    """Return the question after an opener, its first word small unless it is a name or “I”."""
    if ask.startswith(("Hello", "Hi", "Hey", "Good")):
        return ask
    second = ask[1:2]
    if opener.endswith(", ") and second.islower() and not ask.startswith(tuple(COURIERS)):
        ask = ask[0].lower() + ask[1:]
    return opener + ask
