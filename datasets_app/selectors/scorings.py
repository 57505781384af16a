"""What the pages of a dataset's scores read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Avg, Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Floor, Least
from django.http import QueryDict

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.judging.report import Heading, ScoredPair
from datasets_app.corpus.judging.scores import (
    CENTS,
    FAIL,
    NEEDS_REVIEW,
    PARTS,
    PASS,
    TOP,
    Bucket,
    Cuts,
    Scores,
    Summary,
    buckets,
    priority,
)
from datasets_app.corpus.repeats.said import stored_exchange
from datasets_app.models import (
    CHOSEN,
    Choice,
    Conversation,
    Dataset,
    Provider,
    Score,
    ScoreState,
    Scoring,
)
from datasets_app.selectors.grounds import READ
from datasets_app.selectors.row_filter import RowFilter

Rows = Sequence[Conversation]
PAGE = 25
READ_ROWS = 2_000
ZERO = Decimal()
MOST_SCORINGS = 50
ALL, PASSED, REVIEW, FAILED, UNSCORED, ISSUES = "", "pass", "review", "fail", "unscored", "issues"
SHOWN = {
    ALL: "all pairs",
    PASSED: "pass",
    REVIEW: "to review",
    FAILED: "fail",
    UNSCORED: "unscored",
    ISSUES: "issues, the worst first",
}


def rows_of(scoring: Scoring) -> QuerySet[Conversation]:
    """Return the pairs that the order is about; pieces of plain text are none."""
    chosen = RowFilter.from_query(QueryDict(scoring.query))
    return chosen.rows(scoring.dataset).filter(is_passage=False)


def rows_left(scoring: Scoring) -> QuerySet[Conversation]:
    """Return the pairs that nobody looked at yet, in order."""
    return rows_of(scoring).filter(pk__gt=scoring.cursor).order_by("pk").only(*READ)


def rows_again(scoring: Scoring) -> QuerySet[Conversation]:
    """Return the pairs that somebody wants judged again, or that say something else now, in order.

    Their scores stand until others take their place.
    """
    is_changed = ~Q(revision=F("conversation__revision"))
    wanted = scoring.scores.filter(Q(state=ScoreState.QUEUED) | is_changed).values("conversation")
    return Conversation.objects.filter(pk__in=wanted).order_by("pk").only(*READ)


def scorings_of(dataset: Dataset) -> list[Scoring]:
    """Return the scorings of a dataset, the newest first."""
    found = dataset.scorings.select_related("created_by").order_by("-created_at")
    return list(found[:MOST_SCORINGS])


def newest_of(dataset: Dataset) -> Scoring | None:
    found: Scoring | None = dataset.scorings.order_by("-created_at").first()
    return found


def judges() -> list[Provider]:
    """Return the providers whose models may judge."""
    return list(Provider.objects.filter(is_on=True).order_by("name"))


def cuts_of(scoring: Scoring) -> Cuts:
    return Cuts(scoring.passing, scoring.failing)


@dataclass(frozen=True, slots=True)
class Overview:
    """How a scoring came out."""

    summary: Summary
    buckets: list[Bucket]
    averages: dict[str, Decimal]

    @property
    def highest(self) -> int:
        """Return the count of the fullest bucket, 1 at least."""
        return max([1, *(one.count for one in self.buckets)])


def overview_of(scoring: Scoring) -> Overview:
    """Return counts by verdict and bucket, and averages of what was scored; one query each."""
    scored = scoring.scores.filter(state=ScoreState.SCORED)
    place = Least(Floor("overall"), Value(TOP - 1), output_field=IntegerField())
    told = dict(scored.values_list(place).annotate(n=Count("pk")).order_by())
    sums = scoring.scores.aggregate(
        **{name: Count("pk", filter=condition) for name, condition in _verdicts(scoring).items()},
        unscored=Count("pk", filter=~Q(state=ScoreState.SCORED)),
        mean_overall=Avg("overall"),
        **{f"mean_{name}": Avg(name) for name in PARTS},
    )
    averages = {
        name: Decimal(str(sums[f"mean_{name}"])).quantize(CENTS)
        for name in ("overall", *PARTS)
        if sums[f"mean_{name}"] is not None
    }
    summary = Summary({name: sums[name] for name in (PASS, NEEDS_REVIEW, FAIL)}, sums["unscored"])
    return Overview(summary, buckets([told.get(n, 0) for n in range(TOP)]), averages)


def _verdicts(scoring: Scoring) -> dict[str, Q]:
    """Return which scores have which verdict, as `Cuts.verdict` says it."""
    return {
        PASS: Q(overall__gte=scoring.passing),
        NEEDS_REVIEW: Q(overall__gte=scoring.failing, overall__lt=scoring.passing),
        FAIL: Q(overall__lt=scoring.failing),
    }


@dataclass(frozen=True, slots=True)
class ShownScore:
    """A score in a list, with what it is about."""

    score: Score
    question: str
    answer: str
    verdict: str
    priority: str
    is_outdated: bool  # the row says something else by now

    @property
    def parts(self) -> list[tuple[str, float | None, str]]:
        """Return each sub-score with its sentence."""
        evidence = self.score.evidence
        return [(name, getattr(self.score, name), evidence.get(name, "")) for name in PARTS]


@dataclass(frozen=True, slots=True)
class Look:
    """Which scores somebody looks at."""

    which: str = ALL
    bucket: int | None = None
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Look:
        which, bucket = query.get("which", ""), query.get("bucket", "")
        page = query.get("page", "")
        return cls(
            which if which in SHOWN else ALL,
            int(bucket) if bucket.isdecimal() and len(bucket) == 1 else None,
            int(page) if page.isdecimal() and 0 < len(page) < 8 else 1,
        )

    @property
    def query(self) -> str:
        """Return it as an address names it, without its page."""
        bucket = "" if self.bucket is None else f"&bucket={self.bucket}"
        return f"which={self.which}{bucket}"


def scores_of(scoring: Scoring, look: Look) -> Page[Score]:
    """Return a page of scores: the lowest first, of issues those that matter most."""
    rows = _looked_at(scoring, look).select_related("conversation")
    return Paginator(rows, PAGE).get_page(look.page)


def shown(scoring: Scoring, page: Page[Score]) -> list[ShownScore]:
    """Return the scores of a page with what they are about."""
    cuts = cuts_of(scoring)
    return [_shown(one, cuts) for one in page]


def _looked_at(scoring: Scoring, look: Look) -> QuerySet[Score]:
    verdicts = _verdicts(scoring)
    rows: QuerySet[Score] = scoring.scores.all()
    if look.which == UNSCORED:
        return rows.exclude(state=ScoreState.SCORED).order_by("pk")
    if look.bucket is not None:
        most = look.bucket + 1 if look.bucket < TOP - 1 else TOP + 1
        rows = rows.filter(overall__gte=look.bucket, overall__lt=most)
    if look.which == ISSUES:
        high, medium = _soon(verdicts)
        soon = Case(When(high, then=0), When(medium, then=1), default=2)
        rows = rows.filter(high | medium | (Q(overall__isnull=False) & ~Q(issues=[])))
        return rows.order_by(soon, "overall", "pk")
    name = {PASSED: PASS, REVIEW: NEEDS_REVIEW, FAILED: FAIL}.get(look.which)
    rows = rows.filter(verdicts[name]) if name else rows
    return rows.order_by(F("overall").asc(nulls_first=True), "pk")


def _soon(verdicts: dict[str, Q]) -> tuple[Q, Q]:
    """Return what is of high and of medium priority, as `priority` says it."""
    high = verdicts[FAIL] | Q(overall__lt=5)
    return high, verdicts[NEEDS_REVIEW] | Q(overall__lt=7)


def issue_counts(scoring: Scoring) -> dict[str, int]:
    """Return how many pairs are of each priority."""
    high, medium = _soon(_verdicts(scoring))
    is_low = Q(overall__isnull=False) & ~Q(issues=[]) & ~high & ~medium
    return scoring.scores.aggregate(
        high=Count("pk", filter=high),
        medium=Count("pk", filter=medium & ~high),
        low=Count("pk", filter=is_low),
    )


def _shown(score: Score, cuts: Cuts) -> ShownScore:
    row = score.conversation
    question, answer = stored_exchange(from_json(row.turns))
    verdict = cuts.verdict(score.overall) if score.overall is not None else ""
    soon = priority(score.overall, verdict, score.issues) if score.overall is not None else ""
    return ShownScore(score, question, answer, verdict, soon, row.revision != score.revision)


def kept_by(scoring: Scoring, threshold: Decimal) -> Q:
    """Return which conversations a threshold keeps: those that score so much, or more.

    Zero keeps all that the scoring is about, also what has no score.
    """
    mine = Q(scores__scoring=scoring)
    if not threshold:
        return mine
    return mine & Q(scores__overall__gte=threshold, scores__revision=F("revision"))


def _reaches(threshold: Decimal) -> Q:
    """Return the same of scores; what was changed since has none that counts."""
    is_present = Q(revision=F("conversation__revision"))
    return is_present & Q(overall__gte=threshold) if threshold else Q(pk__isnull=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """How many pairs a threshold keeps."""

    kept: int
    total: int
    set_aside: int  # scored, but not among the rows that a version takes

    @property
    def dropped(self) -> int:
        return self.total - self.kept


def kept_of(scoring: Scoring, threshold: Decimal, choice: str) -> Kept:
    """Return how many of the pairs a version of this threshold and choice would hold."""
    chosen = Q(conversation__status__in=CHOSEN[choice])
    told = scoring.scores.aggregate(
        kept=Count("pk", filter=chosen & _reaches(threshold)),
        total=Count("pk", filter=chosen),
        all=Count("pk"),
    )
    return Kept(told["kept"], told["total"], told["all"] - told["total"])


def dropped_of(scoring: Scoring, threshold: Decimal, page: int) -> Page[Score]:
    """Return a page of what a threshold drops, the highest scores first."""
    rows = scoring.scores.exclude(pk__in=scoring.scores.filter(_reaches(threshold)).values("pk"))
    ordered = rows.order_by(F("overall").desc(nulls_last=True), "pk")
    return Paginator(ordered.select_related("conversation"), PAGE).get_page(page)


def heading_of(scoring: Scoring) -> Heading:
    """Return what a report says of the whole."""
    overview = overview_of(scoring)
    at = scoring.finished_at or scoring.created_at
    return Heading(
        judge=scoring.judge_name,
        finished_at=at.isoformat(timespec="seconds"),
        source_file=scoring.dataset.name,
        cuts=cuts_of(scoring),
        summary=overview.summary,
        distribution=overview.buckets,
        averages=overview.averages,
        seconds=scoring.seconds,
    )


def kept_scores(scoring: Scoring, threshold: Decimal) -> QuerySet[Score]:
    """Return the scores that a threshold keeps, with what they are about."""
    rows = scoring.scores.select_related("conversation", "conversation__source_file")
    return rows.filter(_reaches(threshold))


def scored_pairs(
    scoring: Scoring, *, threshold: Decimal = ZERO, choice: str = Choice.ALL
) -> Iterator[ScoredPair]:
    """Yield the pairs of a scoring as reports tell them; with a threshold those that it keeps."""
    rows = kept_scores(scoring, threshold).filter(conversation__status__in=CHOSEN[choice])
    for number, one in enumerate(rows.order_by("conversation__position").iterator(READ_ROWS)):
        yield _reported(number, one)


def source_of(row: Conversation) -> str:
    """Return the name of the file that a row came from."""
    told = row.meta.get("source_file")
    return str(told or (row.source_file.name if row.source_file else ""))


def _reported(number: int, one: Score) -> ScoredPair:
    row = one.conversation
    question, answer = stored_exchange(from_json(row.turns))
    meta: dict[str, Any] = row.meta
    chunk_index = meta.get("chunk_index")
    return ScoredPair(
        number,
        question,
        answer,
        scores_in(one),
        pair_id=str(meta.get("qa_pair_id") or row.pk),
        source_file=source_of(row),
        chunk_id=str(meta.get("chunk_id") or ""),
        chunk_index=chunk_index if isinstance(chunk_index, int) else None,
        issues=tuple(one.issues),
        recommendations=tuple(one.recommendations),
        seconds=one.seconds,
        meta={"evidence": one.evidence, "row": row.position},
    )


def scores_in(one: Score) -> Scores | None:
    if one.accuracy is None or one.completeness is None or one.consistency is None:
        return None
    return Scores(one.accuracy, one.completeness, one.consistency)
