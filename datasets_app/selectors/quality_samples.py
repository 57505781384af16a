"""Two small sets of conversations, a good and a bad one, judged as every dataset is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from datasets_app.corpus.conversation import Conversation
from datasets_app.corpus.quality import QualityCounts, advice, tally, verdict
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard
from datasets_app.corpus.rules.registry import label_of
from datasets_app.sample.conversations import bad_sample, good_sample


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A question with its answer, and what the rules say: a label and a sentence each."""

    question: str
    answer: str
    findings: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """A set of pairs with its score, as a dataset's page shows it."""

    title: str
    percent: int
    band: str
    words: str
    advice: list[str]
    pairs: list[JudgedPair]


@cache
def judged_samples() -> tuple[JudgedSample, ...]:
    """Return the good set and the bad one; no query."""
    return (_judged("Good data", good_sample()), _judged("Bad data", bad_sample()))


def _judged(title: str, talks: list[Conversation]) -> JudgedSample:
    found = [judge(talk, standard()).findings for talk in talks]
    counts: QualityCounts = tally(found)
    band = verdict(counts)
    return JudgedSample(
        title=title,
        percent=int(counts.quality_score * 100),
        band=band.name,
        words=band.words,
        advice=[item.sentence for item in advice(counts)],
        pairs=[
            JudgedPair(
                question=talk.turns[0].text,
                answer=talk.turns[1].text,
                findings=[(label_of(one.rule), one.note) for one in findings],
            )
            for talk, findings in zip(talks, found, strict=True)
        ],
    )
