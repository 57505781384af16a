"""A kind of provider: whoever words questions, here a function that repeats the question."""

from __future__ import annotations

from datasets_app.corpus.providers.provider import Address, Complete, Kind, Reply, Wanted
from datasets_app.corpus.providers.registry import kind_of, register
from datasets_app.corpus.web.guard import Guard


def complete(address: Address, wanted: Wanted) -> Reply:
    """Return one reply; a real one asks `address` over `client_of` of transport.py."""
    asked = wanted.messages[-1]["content"]
    return Reply(f"{address.name} was asked: {asked}", tokens_in=len(asked.split()))


def load() -> Complete:
    """Return the function; what it needs is imported here, when somebody asks."""
    return complete


register(Kind(name="echo", label="Echo", sentence="Says what it was asked.", load=load))

kind = kind_of("echo")
assert kind is not None
question = {"role": "user", "content": "When do you open?"}
here = Address("House", "https://models.example.org", Guard())
print(kind.load()(here, Wanted("any", [question])).text)
