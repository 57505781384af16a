"""What rows say is changed and brought back: judged at once, the words before kept for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from datasets_app.corpus.conversation import Conversation, from_json
from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.split import exact_key
from datasets_app.models import Action, ActionGroup, ConversationRevision, Dataset, Finding
from datasets_app.models import Conversation as Row
from datasets_app.services.writing import (
    finding_rows,
    judged_columns,
    searched_text,
    word_count,
)
from otto_web.lib.patience import kept_open

BATCH = 500
COLUMNS = (
    *("turns", "text", "row_hash", "exact_key", "revision", "n_turns", "n_words"),
    *("status", "quality", "reasons", "updated_by", "updated_at"),
)


def change_texts(action: Action, changes: Sequence[tuple[Row, Conversation]], *, by: User) -> None:
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


def restore_texts(action: Action, *, by: User) -> int:
    """Bring back what the action's rows said before it, where they still say what it wrote."""
    restored = 0
    for group in action.groups.filter(before__has_key="revision"):
        earlier = ConversationRevision.objects.filter(
            conversation__in=group.conversations, revision=group.before["revision"]
        )
        said = dict(earlier.values_list("conversation", "turns"))
        rows = Row.objects.filter(pk__in=list(said), revision=group.after["revision"])
        changes = [(row, from_json(said[row.pk])) for row in rows.order_by("pk")]
        _write(action.dataset, changes, by=by)
        restored += len(changes)
    return restored


def _write(dataset: Dataset, changes: Sequence[tuple[Row, Conversation]], *, by: User) -> None:
    rules = policy.from_json(dataset.policy)
    with kept_open():
        judgements = [judge(conversation, rules) for _, conversation in changes]
    rows = [row for row, _ in changes]
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
        row.n_turns = len(conversation.turns)
        row.n_words = word_count(conversation)
        row.updated_by, row.updated_at = by, now
        for name, value in judged_columns(judgement, decision=row.decision).items():
            setattr(row, name, value)
        findings += finding_rows(row.pk, judgement)
    Finding.objects.filter(conversation__in=rows).delete()
    Finding.objects.bulk_create(findings)
    Row.objects.bulk_update(rows, COLUMNS, batch_size=BATCH)
