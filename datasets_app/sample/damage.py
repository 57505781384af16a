"""Faults planted on purpose, each of the kind that one rule must find."""

from __future__ import annotations

import random
from collections.abc import Callable

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.sample.facts import PRODUCTS, STORES

_NOTHING = ("", "   ", "\u200b", "...", "!!", "\n\n", "—")
_SCRAPS = ("it is", "well you", "so the", "you can", "hm so", "then we", "the page")
_KEYS = ("asdf", "qwer", "zxcv", "poiu", "lkjh", "hjkl", "uiop", "dfgh", "fghj", "wert", "mnbv")
_LOOPS = (
    "please check your mail",
    "we are happy to help you",
    "the parcel is on its way",
    "you can find it in your account",
    "thank you for your patience",
)


def _without_answer(rng: random.Random, talk: Conversation) -> Conversation:
    return _with_answer(talk, rng.choice(_NOTHING))


def _scrap(rng: random.Random, _talk: Conversation) -> Conversation:
    product = rng.choice(PRODUCTS).name
    ask = rng.choice(("Please tell me more about the {}", "I would love to hear about the {}"))
    return _pair(f"{ask.format(product)}, {_situation(rng)}.", rng.choice(_SCRAPS))


def _loop(rng: random.Random, talk: Conversation) -> Conversation:
    phrase = rng.choice(_LOOPS)
    return _with_answer(talk, (f"{phrase} " * rng.randint(4, 8)).strip() + ".")


def _mash(rng: random.Random, talk: Conversation) -> Conversation:
    if rng.random() < 0.3:
        return _with_answer(talk, "".join(rng.choices("#%&$*@!?~^0", k=rng.randint(60, 90))) + "x")
    return _with_answer(talk, " ".join(rng.choices(_KEYS, k=rng.randint(4, 9))))


def _parrot(rng: random.Random, _talk: Conversation) -> Conversation:
    product, store = rng.choice(PRODUCTS), rng.choice(STORES)
    asks = (
        f"Please explain how I can return the {product.name} that I bought in {store.city}",
        f"I would like to know how to clean the {product.name} after a long trip near {store.city}",
        f"Please describe the way to your store in {store.city}, I need the {product.name}",
    )
    ask = f"{rng.choice(asks)}, {_situation(rng)}"
    return _pair(f"{ask}.", rng.choice((f"{ask}.", ask.rpartition(",")[0] + ".")))


def _cut_off(rng: random.Random, talk: Conversation) -> Conversation:
    words = talk.turns[-1].text.rstrip(".!?").split()
    kept = words[: max(4, len(words) - rng.randint(2, 4))]
    kept[-1] = kept[-1].rstrip(".,;:!?")
    return _with_answer(talk, " ".join([*kept, *rng.choice((("and", "the"), ("because", "our")))]))


def _disordered(rng: random.Random, talk: Conversation) -> Conversation:
    first, second, *rest = talk.turns
    if rng.random() < 0.5:
        return Conversation((*talk.turns, Turn(USER, f"Wait, {_situation(rng)}.")))
    return Conversation((first, Turn(USER, f"Hello? {_situation(rng)}"), second, *rest))


DAMAGES: dict[str, Callable[[random.Random, Conversation], Conversation]] = {
    "empty": _without_answer,
    "too_short": _scrap,
    "repetitive": _loop,
    "gibberish": _mash,
    "echo": _parrot,
    "truncated": _cut_off,
    "structure": _disordered,
}


def _situation(rng: random.Random) -> str:
    return rng.choice(
        (
            f"I am new to hiking and {rng.randint(20, 79)} years old",
            f"we leave in {rng.randint(3, 40)} days",
            f"my group has {rng.randint(3, 30)} people",
            f"I have already walked {rng.randint(5, 60)} miles",
        )
    )


def _with_answer(talk: Conversation, answer: str) -> Conversation:
    return Conversation((*talk.turns[:-1], Turn(ASSISTANT, answer)))


def _pair(ask: str, answer: str) -> Conversation:
    return Conversation((Turn(USER, ask), Turn(ASSISTANT, answer)))
