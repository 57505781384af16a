"""Scoring a dataset's pairs, some at a time: each score is durable before the next are judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from uuid import UUID

from django.db import transaction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.offline import Judged
from datasets_app.jobs.asked_judge import AskedJudge, SilentError
from datasets_app.jobs.offline_judge import OfflineJudge
from datasets_app.models import Conversation, Judge, Score, ScoreState, Scoring
from datasets_app.selectors.grounds import Ground
from datasets_app.selectors.scorings import Rows, rows_again, rows_left
from datasets_app.services.scoring import BROUGHT, refresh_calibration
from otto_web.lib.failpoints import failpoint
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import finish, give_back, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.turns import give_way, others_wait

TURN_SECONDS = 20.0  # after which others may have the worker, if any wait
MOST_REFUSED, LONGEST_PAUSE = 8, 60.0  # times in a row that the provider asked to come again
AWAY = "“{name}” did not answer several times: {error} What is scored stays; go on later."
WRITTEN = (
    *("revision", "accuracy", "completeness", "consistency", "overall", "state", "evidence"),
    *("issues", "recommendations", "why_not", "raw", "attempts", "seconds"),
)


class JudgeOfRows(Protocol):
    """Whoever judges: so many rows at once as may be lost with a worker."""

    at_once: int

    def judged(self, rows: Rows) -> Sequence[tuple[Ground, Judged, float]]: ...


def score_pairs(scoring_id: UUID | str, *, goes_on: bool = True) -> None:
    """Score for a while, then let others have the worker; harmless when nothing is ordered.

    While nobody waits for the worker it `goes_on`: the judge has read all texts.
    """
    perform(Scoring, scoring_id, partial(_score, goes_on=goes_on), refusals=(CorpusError,))


def _score(order: Scoring, lease: Lease, *, goes_on: bool) -> None:
    if order.dataset.deleted_at is not None:
        raise CorpusError("The dataset was deleted before its pairs could be scored.")
    ends_at = time.monotonic() + TURN_SECONDS
    with TemporaryDirectory() as folder:
        judge = judge_of(order, Path(folder), lease)
        try:
            while score_slice(order, judge):
                lease.touch()
                if time.monotonic() > ends_at:
                    if not goes_on or others_wait(order):
                        give_way(order)
                        return
                    ends_at = time.monotonic() + TURN_SECONDS
        except SilentError as error:
            _wait_for_provider(order, error)
            return
    with transaction.atomic(durable=True):
        refresh_calibration(order)
        finish(order)


@transaction.atomic(durable=True)
def _wait_for_provider(order: Scoring, error: SilentError) -> None:
    """Leave the pair for later, and the worker to others; raises CorpusError after many times."""
    refused = order.refused_in_row + 1
    if refused >= MOST_REFUSED:
        raise CorpusError(AWAY.format(name=order.provider, error=error))
    pause = 2.0**refused if error.pause_seconds is None else error.pause_seconds
    pause = min(pause, LONGEST_PAUSE)
    give_back(order, pause=timedelta(seconds=pause), counts=False, refused_in_row=refused)
    if not pause:
        hint(Scoring.job, order.pk)


def judge_of(order: Scoring, folder: Path, lease: Lease) -> JudgeOfRows:
    """Return the judge that the order names; raises CorpusError where there is none."""
    if order.judge == Judge.OFFLINE:
        return OfflineJudge(order, folder)
    if order.judge == Judge.PROVIDER:
        return AskedJudge(order, folder, lease)
    raise CorpusError(BROUGHT)


def score_slice(order: Scoring, judge: JudgeOfRows) -> bool:
    """Judge the next rows, write what is said and move on in one step; False: nothing is left."""
    rows = list(rows_left(order)[: judge.at_once])
    is_again = not rows
    if is_again:
        rows = list(rows_again(order)[: judge.at_once])
    if not rows:
        return False
    told = judge.judged(rows)
    failpoint("scoring.judged")
    with transaction.atomic(durable=True):
        cursor = order.cursor if is_again else rows[-1].pk
        seconds = order.seconds + sum(took for _, _, took in told)
        done = order.done + (0 if is_again else len(rows))
        renew(order, cursor=cursor, done=done, seconds=seconds, attempts=0, refused_in_row=0)
        _write(order, told)
        failpoint("scoring.written")
    return True


def _write(order: Scoring, told: Sequence[tuple[Ground, Judged, float]]) -> None:
    """Write scores of rows that are still there; one that was judged before is replaced."""
    keys = [one.pk for one, _, _ in told]
    there = set(Conversation.objects.filter(pk__in=keys).values_list("pk", flat=True))
    known = Score.objects.filter(scoring=order, conversation__in=keys)
    attempts = dict(known.values_list("conversation_id", "attempts"))
    Score.objects.bulk_create(
        [
            _row(order, *one, attempts=attempts.get(one[0].pk, 0) + 1)
            for one in told
            if one[0].pk in there
        ],
        update_conflicts=True,
        unique_fields=["scoring", "conversation"],
        update_fields=WRITTEN,
    )


def _row(order: Scoring, one: Ground, said: Judged, seconds: float, *, attempts: int) -> Score:
    scores = said.scores
    return Score(
        scoring=order,
        conversation_id=one.pk,
        revision=one.revision,
        accuracy=scores.accuracy if scores else None,
        completeness=scores.completeness if scores else None,
        consistency=scores.consistency if scores else None,
        overall=scores.overall if scores else None,
        state=ScoreState.SCORED if scores else ScoreState.UNSCORED,
        evidence=said.evidence,
        issues=said.issues,
        recommendations=said.recommendations,
        why_not=said.why_not,
        raw=said.raw,
        attempts=min(attempts, 30_000),
        seconds=round(seconds, 4),
    )
