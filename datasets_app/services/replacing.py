"""Search and replace over a dataset: looked at first, then done, then perhaps taken back.

Each step goes in pieces that are short transactions, so that it can be long, be stopped, and go on
after a crash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import QueryDict

from datasets_app.corpus.cleaning import SWITCHES, Cleaning, wanted_of
from datasets_app.corpus.conversation import Conversation as Text
from datasets_app.corpus.conversation import CorpusError, from_json
from datasets_app.corpus.replacing import Replacing
from datasets_app.models import Action, Dataset, Replacement, ReplacementPart, Step
from datasets_app.models import Conversation as Row
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services.changes import begin_change
from datasets_app.services.curation import begin_undo
from datasets_app.services.editing import check
from datasets_app.services.texts import change_texts, restore_group
from otto_web.lib import audit
from otto_web.lib.failpoints import failpoint
from otto_web.lib.work.claims import cancel, finish, order_anew, renew
from otto_web.lib.work.states import UNDER_WAY, State

AT_ONCE = 2_000  # rows up to which a person waits for the answer
PART = 500
WINDOW = 20_000  # places of the table that one look passes over
NAMED = 100  # of those that were skipped
LONGEST_NAMED = 60  # characters of the words in a title


@transaction.atomic(durable=True)
def order_look(
    dataset: Dataset, wanted: Replacing | Cleaning, rows: RowFilter, *, by: User
) -> Replacement:
    """Note what is looked for among the rows of a filter; a step of it then begins to look."""
    return Replacement.objects.create(
        dataset=dataset,
        wanted=wanted.as_json(),
        query=rows.query(),
        total=dataset.next_position - 1,
        created_by=by,
    )


@transaction.atomic(durable=True)
def look_further(order: Replacement) -> bool:
    """Note which of the next rows hold the words; False once all were looked at."""
    renew(order, attempts=0)
    end = min(order.cursor + WINDOW, order.total)
    found = list(_holding(order).filter(position__gt=order.cursor, position__lte=end)[:PART])
    wanted, places, left = wanted_of(order.wanted), 0, 0
    tallies = Counter(order.tallies)
    noted: list[Row] = []
    for row in found:
        before = from_json(row.turns)
        after = wanted.applied(before)
        if not _has_words(after):
            left += 1
        elif after != before:
            places += wanted.count(before)
            if isinstance(wanted, Cleaning):
                tallies += _tally(wanted, before, after)
            noted.append(row)
    if noted:
        ReplacementPart.objects.create(
            replacement=order,
            conversations=[row.pk for row in noted],
            revisions=[row.revision for row in noted],
        )
    come = found[-1].position if len(found) == PART else end
    counts: dict[str, Any] = {
        "n_rows": order.n_rows + len(noted),
        "n_places": order.n_places + places,
    }
    counts |= {"tallies": dict(tallies)}
    renew(order, cursor=come, done=come, n_left=order.n_left + left, **counts)
    if come < order.total:
        return True
    finish(order)
    return False


def _tally(wanted: Cleaning, before: Text, after: Text) -> Counter[str]:
    """Count a row for each switch that acts in it, and its letters."""
    acted = wanted.acted_in(before)
    letters = {"before": before, "after": after}
    sizes = {name: sum(len(turn.text) for turn in one.turns) for name, one in letters.items()}
    return Counter(dict.fromkeys(acted, 1) | sizes)


def _holding(order: Replacement) -> QuerySet[Row]:
    """Return the filter's rows that may hold the words, in the order of the table."""
    rows = RowFilter.from_query(QueryDict(order.query)).rows(order.dataset)
    wanted = wanted_of(order.wanted)
    if isinstance(wanted, Replacing) and wanted.surely_there:
        how = "icontains" if wanted.has_cases else "contains"
        rows = rows.filter(**{f"text__{how}": wanted.surely_there})
    return rows.order_by("position").only("dataset", "position", "revision", "turns")


def _has_words(conversation: Text) -> bool:
    try:
        check(conversation)
    except CorpusError:
        return False
    return True


@transaction.atomic(durable=True)
def order_replacing(order: Replacement, spared: Collection[int], *, by: User) -> bool:
    """Have the words replaced in the rows that the look found; False when that was ordered."""
    looked = Replacement.objects.filter(pk=order.pk, step=Step.LOOK, state=State.SUCCEEDED)
    changes = {"step": Step.REPLACE, "cursor": 0, "done": 0, "total": F("n_rows")}
    if not order_anew(looked, spared=sorted(spared), **changes):
        return False
    action = Action.objects.create(
        dataset=order.dataset,
        actor=by,
        kind="replace",
        title=_title(order, 0),
        filter={"query": order.query, **order.wanted},
        previewed=order.n_rows - len(spared),
    )
    Replacement.objects.filter(pk=order.pk).update(action=action)
    audit.record(by, "words.replaced", order.dataset, after={"rows": action.previewed})
    return True


@transaction.atomic(durable=True)
def replace_further(order: Replacement) -> bool:
    """Change the next rows that are as they were looked at; False once all were come to."""
    renew(order, attempts=0)
    begin_change(order.dataset_id, is_told=True)
    action = Action.objects.select_related("dataset").get(replacement=order)
    part = order.parts.filter(pk__gt=order.cursor).order_by("pk").first()
    if part is None:
        _end(order, action)
        return False
    seen = dict(zip(part.conversations, part.revisions, strict=True))
    for pk in order.spared:
        seen.pop(pk, None)
    rows = order.dataset.conversations.filter(pk__in=list(seen)).order_by("position")
    unchanged = [row for row in rows if row.revision == seen[row.pk]]
    wanted = wanted_of(order.wanted)
    changes = [(row, wanted.applied(from_json(row.turns))) for row in unchanged]
    if changes:
        change_texts(action, changes, by=action.actor)
    failpoint("replacing.mid_part")
    skipped = sorted(set(seen) - {row.pk for row in unchanged})
    action.done += len(changes)
    action.title = _title(order, action.done)
    action.save(update_fields=["done", "title"])
    renew(
        order,
        cursor=part.pk,
        done=order.done + len(part.conversations),
        n_skipped=order.n_skipped + len(skipped),
        skipped=[*order.skipped, *skipped][:NAMED],
    )
    return True


def _end(order: Replacement, action: Action) -> None:
    if not action.done:
        action.delete()
    order.parts.all().delete()
    finish(order)


@transaction.atomic(durable=True)
def order_undo(action: Action, *, by: User) -> Replacement | None:
    """Have many replaced texts brought back; None where the undo of a few is waited for."""
    order = Replacement.objects.filter(action=action).first()
    if order is None or action.done <= AT_ONCE:
        return None
    begin_undo(action, by=by)
    mine = Replacement.objects.filter(pk=order.pk)
    order_anew(mine, step=Step.UNDO, cursor=0, done=0, total=action.done)
    return order


@transaction.atomic(durable=True)
def undo_further(order: Replacement) -> bool:
    """Bring back the next rows that still say what was put; False once all were come to."""
    renew(order, attempts=0)
    begin_change(order.dataset_id, is_told=True)
    action = Action.objects.select_related("dataset").get(replacement=order)
    undoing = Action.objects.select_related("actor").get(undoes=action)
    group = action.groups.filter(pk__gt=order.cursor).order_by("pk").first()
    if group is None:
        finish(order)
        return False
    undoing.done += restore_group(action.dataset, group, by=undoing.actor)
    undoing.save(update_fields=["done"])
    renew(order, cursor=group.pk, done=order.done + len(group.conversations))
    return True


@transaction.atomic(durable=True)
def stop_replacing(order: Replacement, *, by: User) -> None:
    """End a step that is under way; what it changed until now stays, and can be undone."""
    mine = Replacement.objects.filter(pk=order.pk, state__in=UNDER_WAY)
    if cancel(mine.exclude(step=Step.UNDO), "stopped"):
        audit.record(by, "words.stopped", order.dataset)


def _title(order: Replacement, rows: int) -> str:
    if switches := order.wanted.get("switches"):
        done = ", ".join(SWITCHES[name].label.lower() for name in switches)
        return f"Cleaned in {rows:,} conversation{'s' * (rows != 1)}: {done}"
    find, put = (_short(order.wanted[name]) for name in ("find", "put"))
    where = "1 conversation" if rows == 1 else f"{rows:,} conversations"
    return f"“{find}” replaced by “{put}” in {where}" if put else f"“{find}” removed in {where}"


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_NAMED else f"{line[: LONGEST_NAMED - 1]}…"
