"""Judging a dataset's rows again after its rules changed, slice by slice."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.db import transaction

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.language import language_of_talk
from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.judge import judge
from datasets_app.models import Conversation, Finding, Rescoring
from datasets_app.services.changes import begin_change
from datasets_app.services.tallies import key_of, tell_tally
from datasets_app.services.writing import finding_rows, judged_columns
from otto_web.lib.failpoints import failpoint
from otto_web.lib.patience import kept_open
from otto_web.lib.work.claims import finish, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform

SLICE_ROWS = 2_000
WRITTEN_COLUMNS = ("status", "quality", "reasons", "language")
READ_COLUMNS = ("turns", "decision", "status", "quality", "reasons", "language")


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
    dataset = begin_change(
        order.dataset_id, is_told=True
    )  # a decision made meanwhile would be overwritten
    rows = dataset.conversations.filter(pk__gt=order.cursor).order_by("pk")
    slice_rows = list(rows.only(*READ_COLUMNS)[:SLICE_ROWS])
    if not slice_rows:
        return False
    was = Counter(map(key_of, slice_rows))
    _judge_again(slice_rows, policy.from_json(dataset.policy))
    tell_tally(dataset.pk, was, map(key_of, slice_rows))
    renew(order, cursor=slice_rows[-1].pk, done=order.done + len(slice_rows))
    return True


def _judge_again(rows: list[Conversation], rules: policy.Policy) -> None:
    findings: list[Finding] = []
    with kept_open():
        failpoint("rescoring.judging")
        said = [from_json(row.turns) for row in rows]
        judgements = [judge(conversation, rules) for conversation in said]
    for row, conversation, judgement in zip(rows, said, judgements, strict=True):
        row.language = language_of_talk(conversation)
        for name, value in judged_columns(judgement, decision=row.decision).items():
            setattr(row, name, value)
        findings.extend(finding_rows(row.pk, judgement))
    Finding.objects.filter(conversation__in=rows).delete()
    Finding.objects.bulk_create(findings)
    Conversation.objects.bulk_update(rows, WRITTEN_COLUMNS, batch_size=SLICE_ROWS)
