"""Judging a dataset's rows again after its rules changed, slice by slice."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.judge import judge
from datasets_app.models import Conversation, Finding, Rescoring
from datasets_app.services.changes import begin_change
from datasets_app.services.writing import finding_rows, judged_columns
from otto_web.lib.failpoints import failpoint
from otto_web.lib.patience import kept_open
from otto_web.lib.work.claims import finish, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform

SLICE_ROWS = 2_000
READ_COLUMNS = ("turns", "decision", "status", "quality", "reasons")


def rescore_dataset(dataset_id: UUID | str) -> None:
    """Work until all rows are judged; harmless when nothing is ordered or another does it."""
    perform(Rescoring, dataset_id, _rescore, refusals=())


def _rescore(order: Rescoring, lease: Lease) -> None:
    while rescore_slice(order):
        pass
    finish(order)


@transaction.atomic(durable=True)
def rescore_slice(order: Rescoring) -> bool:
    """Judge the next rows and move the cursor in one step; False when nothing is left to do."""
    renew(order, attempts=0)  # before the dataset, as whoever orders locks them
    dataset = begin_change(order.dataset_id)  # a decision made meanwhile would be overwritten
    rows = dataset.conversations.filter(pk__gt=order.cursor).order_by("pk")
    slice_rows = list(rows.only(*READ_COLUMNS)[:SLICE_ROWS])
    if not slice_rows:
        return False
    _judge_again(slice_rows, policy.from_json(dataset.policy))
    renew(order, cursor=slice_rows[-1].pk, done=order.done + len(slice_rows))
    return True


def _judge_again(rows: list[Conversation], rules: policy.Policy) -> None:
    findings: list[Finding] = []
    with kept_open():
        failpoint("rescoring.judging")
        judgements = [judge(from_json(row.turns), rules) for row in rows]
    for row, judgement in zip(rows, judgements, strict=True):
        for name, value in judged_columns(judgement, decision=row.decision).items():
            setattr(row, name, value)
        findings.extend(finding_rows(row.pk, judgement))
    Finding.objects.filter(conversation__in=rows).delete()
    Finding.objects.bulk_create(findings)
    Conversation.objects.bulk_update(rows, ["status", "quality", "reasons"], batch_size=SLICE_ROWS)
