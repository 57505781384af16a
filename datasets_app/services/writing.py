"""The one way in: judged conversations become rows of a dataset, in batches, by COPY."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from datasets_app.corpus.conversation import Conversation, CorpusError, hash_of
from datasets_app.corpus.language import language_of_talk
from datasets_app.corpus.rules.finding import SETS_ASIDE, Judgement
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import Policy
from datasets_app.corpus.split import exact_key
from datasets_app.models import Conversation as ConversationRow
from datasets_app.models import Dataset, Decision, Finding, Origin
from datasets_app.services.changes import begin_change
from datasets_app.services.tallies import Key, tell_tally
from otto_web.lib.copying import copying
from otto_web.lib.failpoints import failpoint
from otto_web.lib.patience import kept_open

NO_GUARD: AbstractContextManager[object] = nullcontext()


@dataclass(frozen=True, slots=True)
class NewRow:
    """A conversation on its way into a dataset; `origin_key` is unique per dataset.

    A `decision` that people made in another program outranks the rules, like one made here.
    """

    conversation: Conversation
    origin_key: str
    origin: Origin = Origin.FILE
    source_file_id: UUID | None = None
    start: int | None = None
    end: int | None = None
    place: str = ""
    reading: int = 0
    meta: Mapping[str, Any] = field(default_factory=dict)
    decision: str = ""
    between: float | None = None
    """Its place in the order of arrival, where that is not at the end."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row with its place, and what the rules say about it."""

    pk: int
    dataset_id: UUID
    position: int
    row: NewRow
    judgement: Judgement
    canonical: str


def _status(one: _Judged) -> str:
    return Decision(one.row.decision).status if one.row.decision else one.judgement.status


as_jsonb = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def searched_text(conversation: Conversation) -> str:
    """Return what the search finds a row by."""
    return "\n".join(turn.text for turn in conversation.turns)


def word_count(conversation: Conversation) -> int:
    return sum(len(turn.text.split()) for turn in conversation.turns)


CONVERSATION_COLUMNS: dict[str, Callable[[_Judged], Any]] = {
    "id": lambda one: one.pk,
    "dataset_id": lambda one: one.dataset_id,
    "position": lambda one: one.position,
    "between": lambda one: one.row.between,
    "turns": lambda one: one.canonical,
    "text": lambda one: searched_text(one.row.conversation),
    "row_hash": lambda one: hash_of(one.canonical),
    "exact_key": lambda one: exact_key(one.row.conversation),
    "revision": lambda one: 1,
    "origin": lambda one: str(one.row.origin),
    "origin_key": lambda one: one.row.origin_key,
    "source_file_id": lambda one: one.row.source_file_id,
    "start": lambda one: one.row.start,
    "end": lambda one: one.row.end,
    "place": lambda one: one.row.place,
    "reading": lambda one: one.row.reading,
    "meta": lambda one: as_jsonb(one.row.meta) if one.row.meta else "{}",
    "status": _status,
    "decision": lambda one: one.row.decision or None,
    "quality": lambda one: one.judgement.quality,
    "reasons": lambda one: reasons_of(one.judgement),
    "language": lambda one: language_of_talk(one.row.conversation),
    "n_turns": lambda one: len(one.row.conversation.turns),
    "n_words": lambda one: word_count(one.row.conversation),
    "updated_at": lambda one: "now",  # PostgreSQL reads it as the start of the transaction
}
FINDING_COLUMNS: dict[str, Callable[[Finding], Any]] = {
    "conversation_id": lambda finding: finding.conversation_id,
    "turn": lambda finding: finding.turn,
    "rule": lambda finding: finding.rule,
    "rule_version": lambda finding: finding.rule_version,
    "severity": lambda finding: finding.severity,
    "value": lambda finding: finding.value,
    "threshold": lambda finding: finding.threshold,
    "spans": lambda finding: json.dumps(finding.spans),
    "note": lambda finding: finding.note,
}


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
    held = begin_change(dataset.pk, is_told=True)
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
    judged = [
        _Judged(pk, dataset.pk, number, row, judgement, row.conversation.canonical())
        for number, (pk, row, judgement) in enumerate(
            zip(ids, fresh, judgements, strict=True), start=position
        )
    ]
    with copying(ConversationRow._meta.db_table, CONVERSATION_COLUMNS) as out:
        for one in judged:
            failpoint("imports.mid_copy")
            out.write_row([value(one) for value in CONVERSATION_COLUMNS.values()])
    with copying(Finding._meta.db_table, FINDING_COLUMNS) as out:
        for one in judged:
            for finding in finding_rows(one.pk, one.judgement):
                out.write_row([value(finding) for value in FINDING_COLUMNS.values()])
    tell_tally(dataset.pk, (), map(_key, judged))
    return len(fresh)


def _key(one: _Judged) -> Key:
    return str(_status(one)), one.row.decision or None, tuple(reasons_of(one.judgement))


def judged_columns(judgement: Judgement, *, decision: str | None) -> dict[str, Any]:
    """Return the columns that a judgement fills; a person's decision outranks the rules."""
    status = Decision(decision).status if decision else judgement.status
    return {"status": status, "quality": judgement.quality, "reasons": reasons_of(judgement)}


def reasons_of(judgement: Judgement) -> list[str]:
    """Return the rules that set the row aside: those with a finding of severity E or R."""
    broken = (finding.rule for finding in judgement.findings if finding.severity in SETS_ASIDE)
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
