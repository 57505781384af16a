"""A correction as its author sees it: what it changes, and what the rules say of it."""

from __future__ import annotations

from dataclasses import dataclass

from chat_app.models import Message
from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.difference import Part, word_difference
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard
from datasets_app.corpus.rules.registry import label_of

OBJECTS = "Not saved."
LONGEST = 20_000  # characters that are compared


@dataclass(frozen=True, slots=True)
class Objection:
    """What one rule says of an answer."""

    label: str
    note: str

    @property
    def sentence(self) -> str:
        return f"{self.label}: {self.note}."


@dataclass(frozen=True, slots=True)
class Look:
    """A better answer beside the one that it would stand for."""

    parts: tuple[Part, ...]
    objections: list[Objection]  # of these each one refuses it
    doubts: list[Objection]  # with these a curator decides

    @property
    def differs(self) -> bool:
        return any(part.kind != "same" for part in self.parts)


def looked_at(answer: Message, text: str) -> Look:
    """Return what a better answer changes, and what the rules of a new dataset say of it."""
    objections, doubts = objections_to(answer, text)
    return Look(word_difference(answer.text[:LONGEST], text[:LONGEST]), objections, doubts)


def objections_to(answer: Message, text: str) -> tuple[list[Objection], list[Objection]]:
    """Return for what rules refuse a better answer, and for what they doubt it."""
    question = answer.parent.text if answer.parent else ""
    talk = Conversation((Turn(USER, question), Turn(ASSISTANT, text)))
    found = [one for one in judge(talk, standard()).findings if one.turn == 1]
    said: dict[str, list[Objection]] = {"E": [], "R": [], "I": []}
    for one in found:
        said[one.severity].append(Objection(label_of(one.rule), one.note))
    return said["E"], said["R"]
