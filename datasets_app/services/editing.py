"""What people write into rows: changed words, a row split or joined, a row of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Min

from datasets_app.corpus.conversation import PASSAGE, Conversation, CorpusError, Turn, from_json
from datasets_app.corpus.rules import policy
from datasets_app.models import Action, ActionGroup, Dataset, Decision, Origin, Status
from datasets_app.models import Conversation as Row
from datasets_app.services.changes import begin_change
from datasets_app.services.curation import apply_decisions
from datasets_app.services.texts import change_texts
from datasets_app.services.writing import NewRow, write_rows
from otto_web.lib import audit

SET_ASIDE = {"status": Status.EXCLUDED.value, "decision": Decision.EXCLUDE.value}


class EditedMeanwhileError(CorpusError):
    """Somebody changed the row since the person looked; `row` is what it says now."""

    def __init__(self, row: Row) -> None:
        by = row.updated_by.get_full_name() or row.updated_by.username if row.updated_by else ""
        super().__init__(
            f"{by or 'Somebody'} changed this conversation while you were writing. Nothing was "
            "saved and nothing is lost: your words stand in the fields, what is stored now stands "
            "below. Take over what you need; saving again puts yours in its place."
        )
        self.row = row


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as the person saw it: the lock against overwriting what somebody else wrote."""

    pk: int
    revision: int


@transaction.atomic(durable=True)
def edit_row(dataset: Dataset, seen: Seen, wanted: Conversation, *, by: User) -> Action | None:
    """Let a row say something else; None when it says that already.

    What versions froze stays as it was. The rules judge the new words; a person's decision stays.
    """
    row = _held(dataset, seen)
    check(wanted)
    if from_json(row.turns) == wanted:
        return None
    action = _begun(dataset, "edit", "1 conversation changed", [row], by)
    change_texts(action, [(row, wanted)], by=by)
    audit.record(by, "row.changed", row, after={"revision": row.revision})
    return action


@transaction.atomic(durable=True)
def split_row(dataset: Dataset, seen: Seen, wanted: Conversation, at: int, *, by: User) -> Action:
    """Make two rows of one: the turns from `at` on become a row right behind it."""
    row = _held(dataset, seen)
    if not 0 < at < len(wanted.turns):
        raise CorpusError("A conversation is split before one of its later turns.")
    first, rest = Conversation(wanted.turns[:at]), Conversation(wanted.turns[at:])
    check(first)
    check(rest)
    source = {
        "source_file_id": row.source_file_id,
        "start": row.start,
        "end": row.end,
        "place": row.place,
        "reading": row.reading,  # its file may be read at this moment
        "meta": row.meta,
        "origin": Origin(row.origin),
        "between": _right_behind(dataset, row),
    }
    made = _written(dataset, rest, f"split:{row.pk}:{row.revision}:{at}", **source)
    action = _begun(dataset, "split", "1 conversation split in two", [row, made], by)
    if from_json(row.turns) != first:
        change_texts(action, [(row, first)], by=by)
    _note_written(action, made)
    audit.record(by, "row.split", row, after={"turn": at, "made": made.pk})
    return action


@transaction.atomic(durable=True)
def join_rows(
    dataset: Dataset, seen: Seen, wanted: Conversation, following: Seen, *, by: User
) -> Action:
    """Put the turns of the following row behind this one's, and exclude that row."""
    row, other = _held(dataset, seen), _held(dataset, following)
    second = from_json(other.turns)
    if wanted.is_passage and second.is_passage:
        texts = f"{wanted.turns[0].text}\n\n{second.turns[0].text}"
        joined = Conversation((Turn(PASSAGE, texts),))
    else:
        joined = Conversation((*wanted.turns, *second.turns))
    check(joined)
    action = _begun(dataset, "join", "2 conversations joined", [row, other], by)
    change_texts(action, [(row, joined)], by=by)
    before = {"status": other.status, "decision": other.decision}
    ActionGroup.objects.create(
        action=action, before=before, after=SET_ASIDE, conversations=[other.pk]
    )
    with connection.cursor() as cursor:
        apply_decisions(cursor, action, "after", by)
    audit.record(by, "row.joined", row, after={"following": other.pk})
    return action


@transaction.atomic(durable=True)
def write_row(dataset: Dataset, wanted: Conversation, key: str, *, by: User) -> Row:
    """Add a row that a person wrote; sent twice under one key it is written once."""
    begin_change(dataset.pk, is_told=True)
    check(wanted)
    known = dataset.conversations.filter(origin_key=_origin_key(f"hand:{key}")).first()
    if known is not None:
        return known
    made = _written(dataset, wanted, f"hand:{key}", origin=Origin.HAND)
    _note_written(_begun(dataset, "write", "1 conversation written", [made], by), made)
    audit.record(by, "row.written", made)
    return made


def check(wanted: Conversation) -> None:
    """Refuse what is no conversation; raises a CorpusError that says why."""
    if not any(turn.text.strip() for turn in wanted.turns):
        raise CorpusError(
            "A conversation needs at least one turn with words. Exclude the row if nothing of it "
            "is to be learnt."
        )
    if len(wanted.turns) > 1 and any(turn.role == PASSAGE for turn in wanted.turns):
        raise CorpusError(
            "A turn of the role “text” is a passage and stands alone. Choose user or assistant for "
            "each turn, or leave one turn."
        )


def _held(dataset: Dataset, seen: Seen) -> Row:
    """Return the row as it is now, while nobody else can change rows of the dataset."""
    begin_change(dataset.pk, is_told=True)
    row = dataset.conversations.select_related("updated_by").filter(pk=seen.pk).first()
    if row is None:
        raise CorpusError("This conversation was removed meanwhile, so nothing was saved.")
    if row.revision != seen.revision:
        raise EditedMeanwhileError(row)
    return row


def _begun(dataset: Dataset, kind: str, title: str, rows: Sequence[Row], by: User) -> Action:
    chosen = {"ids": [row.pk for row in rows]}
    counts = {"previewed": len(rows), "done": len(rows)}
    return Action.objects.create(
        dataset=dataset, actor=by, kind=kind, title=title, filter=chosen, **counts
    )


def _right_behind(dataset: Dataset, row: Row) -> float:
    """Return a place in the order of arrival between a row and the one that follows it."""
    behind = dataset.conversations.filter(arrival__gt=row.arrival)
    following = behind.aggregate(first=Min("arrival"))["first"]
    return float((row.arrival + (following or row.arrival + 1)) / 2)


def _written(dataset: Dataset, wanted: Conversation, key: str, **source: Any) -> Row:
    row = NewRow(wanted, origin_key=_origin_key(key), **source)
    write_rows(dataset, [row], policy.from_json(dataset.policy))
    made: Row = dataset.conversations.get(origin_key=row.origin_key)
    return made


def _note_written(action: Action, made: Row) -> None:
    """Let an undo set a new row aside: a version may hold it by then."""
    after = {"status": made.status, "decision": None}
    ActionGroup.objects.create(
        action=action, before=SET_ASIDE, after=after, conversations=[made.pk]
    )


def _origin_key(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()
