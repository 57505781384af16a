"""Decisions about rows: one or many at once, each an action that can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules.finding import SETS_ASIDE
from datasets_app.models import Action, Conversation, Dataset, Decision, Replacement
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services.changes import begin_change
from datasets_app.services.tagging import apply_tags
from datasets_app.services.tallies import Key, shift_tally
from datasets_app.services.texts import restore_texts
from otto_web.lib.work.states import UNDER_WAY

_BY_SEVERITY = " ".join(
    f"WHEN bool_or(found.severity = '{severity}') THEN '{status}'"
    for severity, status in SETS_ASIDE.items()
)
RULES_SAY = f"""
SELECT CASE {_BY_SEVERITY} ELSE 'kept' END
FROM datasets_app_finding found WHERE found.conversation_id = row.id
"""  # noqa: S608 - both are words of the rules
PAST_TENSE = {Decision.KEEP: "accepted", Decision.EXCLUDE: "excluded"}


class PreviewChangedError(CorpusError):
    """The rows that a bulk decision was about are not the ones it was previewed for."""


@dataclass(frozen=True, slots=True)
class Undone:
    """How an undo went: rows put back, and rows left because somebody changed them since."""

    action: Action
    restored: int
    skipped: int


@transaction.atomic(durable=True)
def decide_rows(
    dataset: Dataset, ids: Sequence[int], decision: Decision, *, by: User
) -> Action | None:
    """Decide about the named rows of the dataset; an empty selection does nothing."""
    if not ids:
        return None
    begin_change(dataset.pk, is_told=True)
    rows = dataset.conversations.filter(pk__in=ids)
    return _decide(dataset, rows, decision, by=by, chosen={"ids": list(ids)})


@transaction.atomic(durable=True)
def decide_matching(
    dataset: Dataset, rows: RowFilter, decision: Decision, *, previewed: int, by: User
) -> Action:
    """Decide about every row that matches, but only if these are as many as were shown."""
    begin_change(dataset.pk, is_told=True)
    action = _decide(dataset, rows.rows(dataset), decision, by=by, chosen=rows.as_json())
    if action.previewed != previewed:
        raise PreviewChangedError(
            f"The filter matches {action.previewed} rows now and matched {previewed} when you "
            "looked. Nothing was changed; look again and decide anew."
        )
    return action


@transaction.atomic(durable=True)
def decide_in_turn(
    dataset: Dataset, decisions: Sequence[tuple[int, Decision]], *, by: User
) -> list[tuple[int, Action]]:
    """Decide about rows one after the other, each as an action of its own; return row and action.

    A row that shows this decision already, or that is gone, is passed over: a letter whose answer
    was lost can be sent again.
    """
    begin_change(dataset.pk, is_told=True)
    rows = dataset.conversations.filter(pk__in=[row for row, _ in decisions])
    shown: dict[int, str | None] = dict(rows.values_list("pk", "decision"))
    made: list[tuple[int, Action]] = []
    for row, decision in decisions:
        if row in shown and shown[row] != decision:
            one = dataset.conversations.filter(pk=row)
            made.append((row, _decide(dataset, one, decision, by=by, chosen={"ids": [row]})))
            shown[row] = decision
    return made


def _decide(
    dataset: Dataset,
    rows: QuerySet[Conversation],
    decision: Decision,
    *,
    by: User,
    chosen: dict[str, object],
) -> Action:
    action = Action.objects.create(dataset=dataset, actor=by, kind=decision.value, filter=chosen)
    action.previewed, action.done = set_decision(action, rows, decision, by=by)
    count = f"{action.done:,} conversation" + ("" if action.done == 1 else "s")
    action.title = f"{count} {PAST_TENSE[decision]}"
    action.save(update_fields=["previewed", "done", "title"])
    return action


def set_decision(
    action: Action, rows: QuerySet[Conversation], decision: Decision, *, by: User | None
) -> tuple[int, int]:
    """Decide about rows as part of an action; return how many they were, and how many changed.

    Called in a transaction that holds the dataset.
    """
    after = {"status": decision.status, "decision": decision.value}
    sql, params = rows.order_by().values("id", "status", "decision").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO datasets_app_actiongroup (action_id, before, after, conversations)
            SELECT %s, jsonb_build_object('status', row.status, 'decision', row.decision),
                   jsonb_build_object('status', %s::text, 'decision', %s::text),
                   array_agg(row.id ORDER BY row.id)
            FROM ({sql}) row GROUP BY row.status, row.decision
            RETURNING cardinality(conversations)
            """,  # noqa: S608 - the inner query is Django's own, with its parameters
            [action.pk, after["status"], after["decision"], *params],
        )
        previewed = sum(count for (count,) in cursor.fetchall())
        return previewed, apply_decisions(cursor, action, "after", by)


def apply_decisions(cursor: object, action: Action, to: str, by: User | None) -> int:
    """Write one side of an action to the rows that still show the other side; count them.

    A row without a decision shows what the rules say now: they may have changed since. Groups of
    rows whose texts changed name no status, so they are passed over here.
    """
    was = {"after": "before", "before": "after"}[to]
    cursor.execute(  # type: ignore[attr-defined]
        f"""
        WITH changed AS (
        UPDATE datasets_app_conversation row
        SET status = CASE WHEN done.{to} ->> 'decision' IS NULL
                          THEN ({RULES_SAY}) ELSE done.{to} ->> 'status' END,
            decision = done.{to} ->> 'decision',
            decided_by_id = CASE WHEN done.{to} ->> 'decision' IS NULL THEN NULL ELSE %s END,
            updated_by_id = %s, updated_at = now()
        FROM datasets_app_actiongroup done, unnest(done.conversations) AS chosen (id)
        WHERE done.action_id = %s AND chosen.id = row.id
          AND row.status = done.{was} ->> 'status'
          AND row.decision IS NOT DISTINCT FROM done.{was} ->> 'decision'
        RETURNING done.{was} AS was, row.status, row.decision, row.reasons
        )
        SELECT was ->> 'status', was ->> 'decision', status, decision, reasons, count(*)
        FROM changed GROUP BY 1, 2, 3, 4, 5
        """,  # noqa: S608 - `to` is one of two words of this module
        [by and by.pk, by and by.pk, action.pk],
    )
    found = cursor.fetchall()  # type: ignore[attr-defined]
    difference: Counter[Key] = Counter()
    for status, decided, new_status, new_decided, reasons, count in found:
        difference[status, decided, tuple(reasons)] -= count
        difference[new_status, new_decided, tuple(reasons)] += count
    shift_tally(action.dataset_id, difference)
    return sum(count for *_, count in found)


@transaction.atomic(durable=True)
def undo(action: Action, *, by: User) -> Undone:
    """Put the action's rows back as they were; rows changed since then are left alone."""
    undoing = begin_undo(action, by=by)
    with connection.cursor() as cursor:
        restored = apply_decisions(cursor, action, "before", by)
    restored += restore_texts(action, by=by) + apply_tags(action, "before")
    undoing.done = restored
    undoing.save(update_fields=["done"])
    return Undone(undoing, restored, undoing.previewed - restored)


def begin_undo(action: Action, *, by: User) -> Action:
    """Hold the dataset and note that the action is undone; only once, and not while it goes on."""
    begin_change(action.dataset_id, is_told=True)
    original = Action.objects.get(pk=action.pk)
    if Action.objects.filter(undoes=original).exists() or original.undoes_id:
        raise CorpusError("This action was undone already.")
    if Replacement.objects.filter(action=original, state__in=UNDER_WAY).exists():
        raise CorpusError("This is still under way. Stop it first, then undo what was changed.")
    return Action.objects.create(
        dataset_id=original.dataset_id,
        actor=by,
        kind="undo",
        title=f"undo: {original.title}"[:200],
        previewed=original.done,
        undoes=original,
    )
