"""Bringing scores that another program wrote: each finds its pair, or brings it along."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import islice

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, CorpusError, Turn
from datasets_app.corpus.judging.report import ReadReport, ScoredPair
from datasets_app.corpus.judging.scores import Cuts
from datasets_app.corpus.rules import policy
from datasets_app.corpus.split import exact_key
from datasets_app.models import Conversation as Row
from datasets_app.models import Dataset, Judge, Score, ScoreState, Scoring
from datasets_app.services.writing import NewRow, write_rows
from otto_web.lib import audit
from otto_web.lib.work.states import State

AT_ONCE = 1_000


@transaction.atomic(durable=True)
def bring_report(dataset: Dataset, report: ReadReport, *, by: User | None) -> Scoring:
    """Write the scores of a report as a scoring that is over; every status is computed anew.

    A pair that the dataset does not have becomes a row of it. Raises CorpusError for none at all.
    """
    if not report.pairs:
        raise CorpusError("The report holds no pairs of a question and an answer.")
    passing = Decimal(str(report.threshold)) if report.threshold is not None else Decimal("8.00")
    cuts = Cuts(min(max(passing, Decimal(7)), Decimal(10)))
    provider, _, model = report.judge.partition(":")
    scoring = Scoring.objects.create(
        dataset=dataset,
        judge=Judge.IMPORTED,
        provider=provider[:200] if model else "",
        model=(model or provider)[:200],
        passing=cuts.passing,
        failing=cuts.failing,
        total=len(report.pairs),
        state=State.QUEUED,
        created_by=by,
    )
    pairs = iter(report.pairs)
    while some := list(islice(pairs, AT_ONCE)):
        _write(scoring, some)
    last = scoring.scores.order_by("-conversation").values_list("conversation", flat=True).first()
    Scoring.objects.filter(pk=scoring.pk).update(
        state=State.SUCCEEDED,
        finished_at=scoring.queued_at,
        done=scoring.scores.count(),
        cursor=last or 0,
    )
    scoring.refresh_from_db()
    audit.record(by, "scores.brought", dataset, after={"rows": len(report.pairs)})
    return scoring


@transaction.atomic(durable=True)
def bring_pairs(dataset: Dataset, pairs: Sequence[ScoredPair]) -> int:
    """Write the pairs that the dataset does not have yet; return how many they were."""
    before = dataset.next_position
    for start in range(0, len(pairs), AT_ONCE):
        _rows(dataset, _talks(pairs[start : start + AT_ONCE]))
    dataset.refresh_from_db(fields=["next_position"])
    return dataset.next_position - before


def _talks(pairs: Sequence[ScoredPair]) -> dict[str, tuple[Conversation, ScoredPair]]:
    return {exact_key(talk): (talk, pair) for pair in pairs for talk in [_talk(pair)]}


def _rows(
    dataset: Dataset, talks: dict[str, tuple[Conversation, ScoredPair]]
) -> dict[str, tuple[int, int]]:
    """Write what is not there yet; return number and revision of each."""
    known = _known(dataset, talks)
    rows = [
        NewRow(talk, f"report-{key}"[:64], meta=_meta(pair))
        for key, (talk, pair) in talks.items()
        if key not in known
    ]
    if not rows:
        return known
    write_rows(dataset, rows, policy.from_json(dataset.policy))
    return _known(dataset, talks)


def _write(scoring: Scoring, pairs: list[ScoredPair]) -> None:
    talks = _talks(pairs)
    known = _rows(scoring.dataset, talks)
    Score.objects.bulk_create(
        [_score(scoring, *known[key], pair) for key, (_, pair) in talks.items() if key in known],
        ignore_conflicts=True,
    )


def _known(
    dataset: Dataset, talks: dict[str, tuple[Conversation, ScoredPair]]
) -> dict[str, tuple[int, int]]:
    """Return number and revision of the first row that says each."""
    rows = Row.objects.filter(dataset=dataset, exact_key__in=talks).order_by("-pk")
    return {
        key: (pk, revision) for key, pk, revision in rows.values_list("exact_key", "pk", "revision")
    }


def _talk(pair: ScoredPair) -> Conversation:
    return Conversation((Turn(USER, pair.question), Turn(ASSISTANT, pair.answer)))


def _meta(pair: ScoredPair) -> dict[str, object]:
    told: dict[str, object] = {
        "source_text": pair.meta.get("source_text", ""),
        "qa_pair_id": pair.pair_id,
        "source_file": pair.source_file,
        "chunk_id": pair.chunk_id,
        "chunk_index": pair.chunk_index,
    }
    return {name: value for name, value in told.items() if value not in {"", None}}


def _score(scoring: Scoring, row: int, revision: int, pair: ScoredPair) -> Score:
    scores = pair.scores
    return Score(
        scoring=scoring,
        conversation_id=row,
        revision=revision,
        accuracy=scores.accuracy if scores else None,
        completeness=scores.completeness if scores else None,
        consistency=scores.consistency if scores else None,
        overall=scores.overall if scores else None,
        state=ScoreState.SCORED if scores else ScoreState.UNSCORED,
        issues=list(pair.issues),
        recommendations=list(pair.recommendations),
        why_not="" if scores else "The report has no readable score.",
        seconds=pair.seconds,
    )
