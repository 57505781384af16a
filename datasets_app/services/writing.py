"""The one way in: judged conversations become rows of a dataset, in batches, by COPY."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from datasets_app.corpus.conversation import Conversation, CorpusError
from datasets_app.corpus.rules.finding import Judgement
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import Policy
from datasets_app.corpus.split import exact_key
from datasets_app.models import Conversation as ConversationRow
from datasets_app.models import Dataset, Decision, Finding, Origin, Status
from datasets_app.services.changes import begin_change
from otto_web.lib.copying import copying
from otto_web.lib.failpoints import failpoint
from otto_web.lib.patience import kept_open

CONVERSATION_COLUMNS = (
    "id, dataset_id, position, turns, text, row_hash, exact_key, revision, origin, origin_key, "
    'source_file_id, start, "end", place, meta, status, quality, reasons, n_turns, n_words, tags, '
    "updated_at"
)
FINDING_COLUMNS = (
    "conversation_id, turn, rule, rule_version, severity, value, threshold, spans, note"
)

NO_GUARD: AbstractContextManager[object] = nullcontext()


@dataclass(frozen=True, slots=True)
class NewRow:
    """A conversation on its way into a dataset; `origin_key` is unique per dataset."""

    conversation: Conversation
    origin_key: str
    origin: Origin = Origin.FILE
    source_file_id: UUID | None = None
    start: int | None = None
    end: int | None = None
    place: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


def write_rows(
    dataset: Dataset,
    rows: Sequence[NewRow],
    rules: Policy,
    *,
    guard: AbstractContextManager[object] = NO_GUARD,
) -> int:
    """Judge and add the rows, inside the caller's transaction; return how many were new.

    `guard` is entered for the judging alone: what it interrupts is never a statement.

    A row whose `origin_key` is in the dataset already is left out, so writing a batch again
    after a crash doubles nothing. A deleted dataset takes no rows: a `CorpusError` says so.
    """
    held = begin_change(dataset.pk)
    if held.deleted_at is not None:
        raise CorpusError(f"The dataset “{held.name}” was deleted. Choose another one.")
    fresh = _without_known(dataset, rows)
    if not fresh:
        return 0
    position = held.next_position
    Dataset.objects.filter(pk=dataset.pk).update(next_position=position + len(fresh))
    ids = _reserve_ids(len(fresh))
    with kept_open(), guard:
        failpoint("imports.judging")
        judgements = [judge(row.conversation, rules) for row in fresh]
    judged = list(zip(ids, fresh, judgements, strict=True))
    with copying(ConversationRow._meta.db_table, CONVERSATION_COLUMNS) as out:
        for number, (pk, row, judgement) in enumerate(judged, start=position):
            failpoint("imports.mid_copy")
            out.write_row(_conversation_values(pk, dataset, number, row, judgement))
    with copying(Finding._meta.db_table, FINDING_COLUMNS) as out:
        for pk, _, judgement in judged:
            for finding in finding_rows(pk, judgement):
                out.write_row(_finding_values(finding))
    return len(fresh)


def judged_columns(judgement: Judgement, *, decision: str | None) -> dict[str, Any]:
    """Return the columns that a judgement fills; a person's decision outranks the rules."""
    decided = {Decision.KEEP: Status.KEPT, Decision.EXCLUDE: Status.EXCLUDED}
    status = decided[Decision(decision)] if decision else judgement.status
    return {"status": status, "quality": judgement.quality, "reasons": reasons_of(judgement)}


def reasons_of(judgement: Judgement) -> list[str]:
    """Return the rules that set the row aside: those with a finding of severity E or R."""
    broken = (finding.rule for finding in judgement.findings if finding.severity in {"E", "R"})
    return list(dict.fromkeys(broken))


def finding_rows(pk: int, judgement: Judgement) -> list[Finding]:
    """Return the unsaved finding rows of one conversation: one per turn and rule."""
    found = {(finding.turn, finding.rule): finding for finding in judgement.findings}
    return [
        Finding(
            conversation_id=pk,
            turn=finding.turn,
            rule=finding.rule,
            rule_version=finding.version,
            severity=finding.severity,
            value=finding.value,
            threshold=finding.threshold,
            spans=[list(span) for span in finding.spans],
            note=finding.note,
        )
        for finding in found.values()
    ]


def _without_known(dataset: Dataset, rows: Sequence[NewRow]) -> list[NewRow]:
    unique = {row.origin_key: row for row in rows}
    known = dataset.conversations.filter(origin_key__in=list(unique))
    for key in known.values_list("origin_key", flat=True):
        del unique[key]
    return list(unique.values())


def _reserve_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [ConversationRow._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _conversation_values(
    pk: int, dataset: Dataset, position: int, row: NewRow, judgement: Judgement
) -> tuple[Any, ...]:
    turns = row.conversation.turns
    columns = judged_columns(judgement, decision=None)
    return (
        pk,
        dataset.pk,
        position,
        json.dumps(row.conversation.as_json(), ensure_ascii=False),
        "\n".join(turn.text for turn in turns),
        row.conversation.row_hash(),
        exact_key(row.conversation),
        1,
        str(row.origin),
        row.origin_key,
        row.source_file_id,
        row.start,
        row.end,
        row.place,
        json.dumps(row.meta, ensure_ascii=False, allow_nan=False),
        str(columns["status"]),
        columns["quality"],
        columns["reasons"],
        len(turns),
        sum(len(turn.text.split()) for turn in turns),
        [],
        "now",  # PostgreSQL reads it as the start of the transaction
    )


def _finding_values(finding: Finding) -> tuple[Any, ...]:
    return (
        finding.conversation_id,
        finding.turn,
        finding.rule,
        finding.rule_version,
        finding.severity,
        finding.value,
        finding.threshold,
        json.dumps(finding.spans),
        finding.note,
    )
