"""The judge that needs no model: what a pair says is looked up in the text that it came from.

It sees what can be counted: words, numbers, names, ends of sentences, where an answer stands. It
does not understand: a right answer in quite other words loses points, and a wrong one in the words
of the source, with two parts of one sentence exchanged, keeps them. `docs/BENCHMARKS.md` says how
well it separates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from datasets_app.corpus.judging import completeness, consistency, support
from datasets_app.corpus.judging.material import Material, Part
from datasets_app.corpus.judging.passages import read
from datasets_app.corpus.judging.scores import PARTS, Scores

NAME = "offline"
VERSION = 1
KNOWN_FROM = 0.6  # of a question's words
NOTHING_TO_COMPARE = "There is no passage that this answer could be compared with."
NO_ANSWER = "The row has no question with an answer."
_PARTS: dict[str, Callable[[Material], Part]] = {
    "accuracy": support.accuracy,
    "completeness": completeness.completeness,
    "consistency": consistency.consistency,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge says: scores, or None with the reason; a sentence of evidence for each."""

    scores: Scores | None
    evidence: dict[str, str]
    issues: list[str] = field(default_factory=list)
    recommendations: list[str] = field(default_factory=list)
    why_not: str = ""
    raw: str = ""  # what a model replied


def speaks_of(text: str, question: str) -> bool:
    """Tell whether a text says so much of a question that an answer may be compared with it."""
    asked = read(question).stems
    return len(asked & read(text).stems) >= KNOWN_FROM * len(asked) if asked else False


def judge(material: Material) -> Judged:
    """Return scores with their evidence; without a text to compare with there are none."""
    if not material.answer.strip() or not material.question.strip():
        return Judged(None, {}, why_not=NO_ANSWER)
    has_text = bool(material.chunk.strip())
    told = {name: _PARTS[name](material) for name in PARTS if has_text or name != "accuracy"}
    evidence = {name: part.evidence for name, part in told.items()}
    issues = [issue for part in told.values() for issue in part.issues]
    advice = list(dict.fromkeys(one for part in told.values() for one in part.advice))
    if not has_text:
        return Judged(None, evidence, issues, advice, NOTHING_TO_COMPARE)
    scores = Scores(**{name: round(part.score, 2) for name, part in told.items()})
    return Judged(scores, evidence, issues, advice)
