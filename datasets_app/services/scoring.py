"""Ordering scores, judging the judge, and what may be done with scores."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging import calibration, offline
from datasets_app.corpus.judging.scores import Cuts
from datasets_app.models import (
    Action,
    Dataset,
    Decision,
    Judge,
    ScoreLabel,
    ScoreState,
    Scoring,
)
from datasets_app.selectors.scorings import rows_of
from datasets_app.services.curation import decide_rows
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, order_anew
from otto_web.lib.work.states import UNDER_WAY

BROUGHT = "These scores were brought. Score the pairs anew to judge them here."
_REVISION = F("conversation__revision")  # what the row says now


@dataclass(frozen=True, slots=True)
class ScoringOrder:
    """What is to be scored, by whom, and what the scores mean."""

    query: str = ""
    judge: str = Judge.OFFLINE
    provider: str = ""
    model: str = ""
    cuts: Cuts = field(default_factory=Cuts)


@transaction.atomic(durable=True)
def order_scoring(dataset: Dataset, order: ScoringOrder, *, by: User | None) -> Scoring:
    """Write down that pairs are to be scored, and wake a worker."""
    scoring = new_scoring(dataset, order, by=by)
    hint(Scoring.job, scoring.pk)
    return scoring


def new_scoring(dataset: Dataset, order: ScoringOrder, *, by: User | None) -> Scoring:
    """Write the order in the caller's transaction; raises CorpusError where there are no pairs."""
    is_offline = order.judge == Judge.OFFLINE
    scoring = Scoring(
        dataset=dataset,
        query=order.query,
        judge=order.judge,
        provider=order.provider,
        model=str(offline.VERSION) if is_offline else order.model,
        passing=order.cuts.passing,
        failing=order.cuts.failing,
        created_by=by,
    )
    scoring.total = rows_of(scoring).order_by().count()
    if not scoring.total:
        raise CorpusError(
            "There are no pairs of a question and an answer to score. Add conversations, make some "
            "from documents, or choose another filter."
        )
    scoring.save(force_insert=True)
    audit.record(by, "scores.ordered", dataset, after={"rows": scoring.total})
    return scoring


@transaction.atomic
def set_cuts(scoring: Scoring, cuts: Cuts, *, by: User) -> None:
    """Let scores mean something else; nothing is scored again."""
    before = {"passing": str(scoring.passing), "failing": str(scoring.failing)}
    scoring.passing, scoring.failing = cuts.passing, cuts.failing
    scoring.save(update_fields=["passing", "failing"])
    after = {"passing": str(cuts.passing), "failing": str(cuts.failing)}
    if before != after:
        audit.record(by, "scores.cuts", scoring.dataset, before=before, after=after)


@transaction.atomic(durable=True)
def stop_scoring(scoring: Scoring, *, by: User) -> bool:
    """End it with what was scored until now; False where it was over."""
    open_one = Scoring.objects.filter(pk=scoring.pk, state__in=UNDER_WAY)
    if not cancel(open_one, "stopped"):
        return False
    audit.record(by, "scores.stopped", scoring.dataset)
    return True


@transaction.atomic(durable=True)
def go_on(scoring: Scoring, *, by: User, again: bool = False) -> None:
    """Have the rest scored, and what was changed since; with `again` also what has no score.

    A score stays until another one takes its place. Raises CorpusError for scores that were
    brought: nobody here can give them again.
    """
    if scoring.judge == Judge.IMPORTED:
        raise CorpusError(BROUGHT)
    if again:
        scoring.scores.filter(state=ScoreState.UNSCORED).update(state=ScoreState.QUEUED)
    total = scoring.done + rows_of(scoring).filter(pk__gt=scoring.cursor).count()
    if order_anew(Scoring.objects.filter(pk=scoring.pk), total=total, refused_in_row=0):
        hint(Scoring.job, scoring.pk)
        audit.record(by, "scores.ordered", scoring.dataset, after={"rows": total})


@transaction.atomic(durable=True)
def draw_labels(scoring: Scoring, *, by: User, seed: int = 1) -> int:
    """Draw pairs over the range of scores for a person; what was drawn before stays."""
    held = Scoring.objects.select_for_update().get(pk=scoring.pk)
    if held.labels.exists():
        return int(held.labels.count())
    rows = held.scores.filter(state=ScoreState.SCORED).values_list("conversation", "overall")
    scores = {pk: float(overall) for pk, overall in rows if overall is not None}
    if len(scores) < calibration.FEWEST:
        raise CorpusError(
            f"A calibration needs at least {calibration.FEWEST} scored pairs, and there are "
            f"{len(scores)}. Score more of them first."
        )
    drawn = calibration.drawn(scores, seed=seed)
    revisions = dict(
        held.scores.filter(conversation__in=drawn).values_list("conversation", "revision")
    )
    ScoreLabel.objects.bulk_create(
        ScoreLabel(scoring=held, place=place, conversation_id=pk, revision=revisions[pk])
        for place, pk in enumerate(drawn, start=1)
    )
    audit.record(by, "scores.calibration", held.dataset, after={"rows": len(drawn)})
    return len(drawn)


@transaction.atomic(durable=True)
def label_pair(scoring: Scoring, place: int, label: float, *, by: User) -> None:
    """Note what a person gives a pair; the judge's scores stay as they are."""
    held = Scoring.objects.select_for_update().get(pk=scoring.pk)
    row = held.labels.filter(place=place).first()
    if row is None:
        raise CorpusError("This pair is gone. Go on with the next one.")
    row.label, row.labelled_by, row.labelled_at = label, by, timezone.now()
    row.save(update_fields=["label", "labelled_by", "labelled_at"])
    refresh_calibration(held)


def refresh_calibration(scoring: Scoring) -> None:
    """Compare labels and scores anew; pairs that were changed since are left out."""
    labels = scoring.labels.filter(label__isnull=False, revision=_REVISION)
    told = dict(labels.values_list("conversation", "label"))
    scores = scoring.scores.filter(conversation__in=told, state=ScoreState.SCORED)
    pairs = [
        (float(told[pk] or 0), float(overall or 0))
        for pk, overall in scores.values_list("conversation", "overall")
    ]
    found = calibration.calibrated(pairs).as_json() if pairs else {}
    if found != scoring.calibration:
        scoring.calibration = found
        Scoring.objects.filter(pk=scoring.pk).update(calibration=found)


def may_exclude(scoring: Scoring) -> str:
    """Return why this judge may not exclude by itself; "" where it may."""
    told = scoring.calibration
    if not told or told["labelled"] < calibration.FEWEST:
        return (
            "This judge is not calibrated, so it can exclude nothing by itself. Label "
            f"{calibration.FEWEST} pairs at least."
        )
    if told["kappa"] is None or told["kappa"] < calibration.LEAST_KAPPA:
        return (
            "This judge agrees too little with people (weighted kappa below "
            f"{calibration.LEAST_KAPPA}), so it can exclude nothing by itself."
        )
    return ""


def exclude_failed(scoring: Scoring, *, by: User) -> Action | None:
    """Exclude what fails, as an action that can be undone; refused without a calibration."""
    if why_not := may_exclude(scoring):
        raise CorpusError(why_not)
    failed = scoring.scores.filter(overall__lt=scoring.failing, revision=_REVISION)
    undecided = failed.filter(conversation__decision__isnull=True)
    ids = list(undecided.values_list("conversation", flat=True))
    return decide_rows(scoring.dataset, ids, Decision.EXCLUDE, by=by)
