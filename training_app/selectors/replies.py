"""A model's tested answers as pages show them: the reply, the real answer, what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from training_app.lm.facts import judge
from training_app.lm.spreading import spread
from training_app.models import EvalSample, Evaluation

FEW = 5
_LOOKS = {
    "right": ("good", "right"),
    "contradicts": ("bad", "contradicts"),
    "wrong": ("warn", "misses the facts"),
    "abstains": ("off", "does not know"),
}
_OFF_TOPIC = {"abstains": ("good", "says that it does not know")}


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
    return _outcome(sample) == "right"


def _outcome(sample: EvalSample) -> str:
    known = sample.outcome
    return known or judge(sample.reply, sample.reference, question=sample.prompt).outcome


def _shown(sample: EvalSample) -> ShownReply:
    outcome = _outcome(sample)
    if sample.kind == "off_topic":
        return ShownReply(sample, *_OFF_TOPIC.get(outcome, ("bad", "invents an answer")))
    return ShownReply(sample, *_LOOKS[outcome])
