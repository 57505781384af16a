"""What rows say is changed and brought back: judged at once, the words before kept for good."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils import timezone

from datasets_app.corpus.conversation import Conversation, from_json
from datasets_app.corpus.language import language_of_talk
from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.split import exact_key
from datasets_app.models import Action, ActionGroup, ConversationRevision, Dataset, Finding
from datasets_app.models import Conversation as Row
from datasets_app.services.tallies import key_of, tell_tally
from datasets_app.services.writing import (
    finding_rows,
    judged_columns,
    searched_text,
    word_count,
)
from otto_web.lib.patience import kept_open

COLUMNS = {
    "turns": "jsonb",
    "text": "text",
    "row_hash": "text",
    "exact_key": "text",
    "revision": "int",
    "language": "text",
    "n_turns": "int",
    "n_words": "int",
    "status": "text",
    "quality": "int",
    "reasons": "text[]",
    "updated_by_id": "int",
    "updated_at": "timestamptz",
}


def change_texts(
    action: Action, changes: Sequence[tuple[Row, Conversation]], *, by: User | None
) -> None:
    """Let the rows say something else, as part of an action that can be undone.

    Called in a transaction that holds the dataset, with rows as they are now.
    """
    by_revision: dict[int, list[int]] = defaultdict(list)
    for row, _ in changes:
        by_revision[row.revision].append(row.pk)
    _write(action.dataset, changes, by=by)
    ActionGroup.objects.bulk_create(
        ActionGroup(
            action=action,
            before={"revision": revision},
            after={"revision": revision + 1},
            conversations=ids,
        )
        for revision, ids in by_revision.items()
    )


def restore_texts(action: Action, *, by: User | None) -> int:
    """Bring back what the action's rows said before it, where they still say what it wrote."""
    groups = action.groups.filter(before__has_key="revision").order_by("pk")
    return sum(restore_group(action.dataset, group, by=by) for group in groups)


def restore_group(dataset: Dataset, group: ActionGroup, *, by: User | None) -> int:
    """Bring back one group of rows whose texts an action changed; return how many came back."""
    earlier = ConversationRevision.objects.filter(
        conversation__in=group.conversations, revision=group.before["revision"]
    )
    said = dict(earlier.values_list("conversation", "turns"))
    rows = Row.objects.filter(pk__in=list(said), revision=group.after["revision"])
    changes = [(row, from_json(said[row.pk])) for row in rows.order_by("pk")]
    _write(dataset, changes, by=by)
    return len(changes)


def _write(
    dataset: Dataset, changes: Sequence[tuple[Row, Conversation]], *, by: User | None
) -> None:
    rules = policy.from_json(dataset.policy)
    with kept_open():
        judgements = [judge(conversation, rules) for _, conversation in changes]
    rows = [row for row, _ in changes]
    was = Counter(map(key_of, rows))
    ConversationRevision.objects.bulk_create(
        ConversationRevision(
            conversation=row,
            revision=row.revision,
            turns=row.turns,
            row_hash=row.row_hash,
            replaced_by=by,
        )
        for row in rows
    )
    findings: list[Finding] = []
    now = timezone.now()
    for (row, conversation), judgement in zip(changes, judgements, strict=True):
        row.turns = conversation.as_json()
        row.text = searched_text(conversation)
        row.row_hash = conversation.row_hash()
        row.exact_key = exact_key(conversation)
        row.revision += 1
        row.language = language_of_talk(conversation)
        row.n_turns = len(conversation.turns)
        row.n_words = word_count(conversation)
        row.updated_by, row.updated_at = by, now
        for name, value in judged_columns(judgement, decision=row.decision).items():
            setattr(row, name, value)
        findings += finding_rows(row.pk, judgement)
    Finding.objects.filter(conversation__in=rows).delete()
    Finding.objects.bulk_create(findings)
    _update(rows)
    tell_tally(dataset.pk, was, map(key_of, rows))


def _update(rows: Sequence[Row]) -> None:
    """Write the columns of many rows in one statement, without a condition for each value."""
    said = [{name: getattr(row, name) for name in ("id", *COLUMNS)} for row in rows]
    kinds = ", ".join(f"{name} {kind}" for name, kind in {"id": "bigint", **COLUMNS}.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE datasets_app_conversation row
            SET {", ".join(f"{name} = new.{name}" for name in COLUMNS)}
            FROM jsonb_to_recordset(%s::jsonb) AS new ({kinds}) WHERE new.id = row.id
            """,  # noqa: S608 - the names are those of this module
            [json.dumps(said, cls=DjangoJSONEncoder)],
        )
