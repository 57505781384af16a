"""A model's tested answers as pages show them: the reply, the real answer, what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from training_app.lm.facts import judge
from training_app.lm.spreading import spread
from training_app.models import EvalSample, Evaluation

FEW = 5


class Look(NamedTuple):
    """How an outcome is shown: a badge's state and its words."""

    state: str
    words: str


_LOOKS = {
    "right": Look("good", "right"),
    "contradicts": Look("bad", "contradicts"),
    "wrong": Look("warn", "misses the facts"),
    "abstains": Look("off", "does not know"),
}
_OFF_TOPIC = {"abstains": Look("good", "says that it does not know")}


@dataclass(frozen=True, slots=True)
class ShownReply:
    """A tested answer; `look` is a badge's state and `outcome` its words."""

    sample: EvalSample
    look: str
    outcome: str


def shown_replies(samples: Iterable[EvalSample]) -> list[ShownReply]:
    """Return the answers in their order; rows from before answers were judged are judged now."""
    return [_shown(sample) for sample in samples]


def few_replies(evaluation: Evaluation) -> list[ShownReply]:
    """Return five validation questions with their replies, spread evenly: right and wrong alike."""
    judged = evaluation.samples.filter(kind="validation").exclude(outcome="")
    return shown_replies(spread(list(judged.order_by("prompt_no")), FEW))


def is_right(sample: EvalSample) -> bool:
    """Tell whether a reply has the facts of the real answer."""
    return outcome_of(sample) == "right"


def outcome_of(sample: EvalSample) -> str:
    """Return what the reply is worth; where it was not judged then, it is judged now."""
    known = sample.outcome
    return known or judge(sample.reply, sample.reference, question=sample.prompt).outcome


def look_of(kind: str, outcome: str) -> Look:
    """Return how an outcome is shown; off topic, not to know is what is right."""
    if kind == "off_topic":
        return _OFF_TOPIC.get(outcome, Look("bad", "invents an answer"))
    return _LOOKS[outcome]


def _shown(sample: EvalSample) -> ShownReply:
    look = look_of(sample.kind, outcome_of(sample))
    return ShownReply(sample, look.state, look.words)
