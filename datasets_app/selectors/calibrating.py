"""What the pages read to judge the judge: pairs to label blind, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.judging.calibration import FEWEST, GOOD_FROM, LEAST_KAPPA
from datasets_app.corpus.judging.report import ReadReport
from datasets_app.corpus.repeats.said import stored_exchange
from datasets_app.models import ConversationRevision, Pair, ScoreLabel, Scoring
from datasets_app.selectors.grounds import Texts, grounds_of
from datasets_app.selectors.scorings import overview_of

THIRDS = ("bad", "middling", "good")


@dataclass(frozen=True, slots=True)
class Progress:
    """How many pairs were drawn, and how many have a label."""

    total: int
    labelled: int


@dataclass(frozen=True, slots=True)
class BlindPair:
    """A pair to label; nothing of the judge stands here."""

    place: int
    question: str
    answer: str
    source: str


def progress_of(scoring: Scoring) -> Progress:
    told = scoring.labels.aggregate(all=Count("pk"), done=Count("label"))
    return Progress(told["all"], told["done"])


def next_label(scoring: Scoring) -> BlindPair | None:
    """Return the next pair without a label that still says what it said when it was drawn."""
    waiting = scoring.labels.filter(label=None, conversation__revision=F("revision"))
    row = waiting.select_related("conversation").order_by("place").first()
    if row is None:
        return None
    question, answer = stored_exchange(from_json(_turns(row)))
    [ground] = grounds_of([row.conversation], Texts())
    return BlindPair(row.place, question, answer, ground.text)


def _turns(row: ScoreLabel) -> Any:
    if row.revision == row.conversation.revision:
        return row.conversation.turns
    return ConversationRevision.objects.get(
        conversation=row.conversation_id, revision=row.revision
    ).turns


@dataclass(frozen=True, slots=True)
class Result:
    """What labels and scores say of the judge."""

    labelled: int
    kappa: float | None
    leniency: float
    best_cut: float
    lost: int
    table: list[tuple[str, list[int]]]  # of each band of the person, how often each of the judge

    @property
    def is_enough(self) -> bool:
        return self.labelled >= FEWEST

    @property
    def agrees(self) -> bool:
        return self.kappa is not None and self.kappa >= LEAST_KAPPA

    @property
    def fewest(self) -> int:
        return FEWEST

    @property
    def good_from(self) -> float:
        return GOOD_FROM

    @property
    def thirds(self) -> tuple[str, ...]:
        return THIRDS


def result_of(scoring: Scoring) -> Result | None:
    """Return what came of the labels; None where there are none."""
    told = scoring.calibration
    if not told:
        return None
    table = [
        (mine, [int(told["table"].get(f"{mine} {theirs}", 0)) for theirs in THIRDS])
        for mine in THIRDS
    ]
    names = ("labelled", "kappa", "leniency", "best_cut", "lost")
    return Result(**{name: told[name] for name in names}, table=table)


def warnings_of(scoring: Scoring) -> list[str]:
    """Return what makes the scores doubtful: too many pass, or who wrote the pairs judges them."""
    found = []
    if overview_of(scoring).summary.is_suspicious:
        found.append(
            "More than 95 % pass. Either the pairs are very good, or this judge separates little: "
            "label some of them yourself to see which."
        )
    if scoring.model and scoring.provider and _wrote_pairs(scoring):
        found.append(
            f"{scoring.provider}:{scoring.model} wrote pairs of this dataset and judges them. A "
            "model likes its own words; let another one judge."
        )
    return found


def _wrote_pairs(scoring: Scoring) -> bool:
    """Tell whether the judge wrote some of the pairs, as their records say."""
    pairs = Pair.objects.filter(conversation__dataset=scoring.dataset)
    made = pairs.filter(
        item__generation__provider__name=scoring.provider, item__generation__model=scoring.model
    )
    told = scoring.dataset.conversations.filter(meta__llm_model=scoring.model)
    return made.exists() or told.exists()


def brought_words(report: ReadReport) -> str:
    """Return what is said once a report was brought."""
    told = f"{len(report.pairs):,} pairs were read."
    if report.changed:
        told += f" {report.changed:,} had a status that contradicts their score; it was computed."
    if report.problems:
        told += f" {len(report.problems):,} remarks: {' '.join(report.problems[:3])}"
    return told
