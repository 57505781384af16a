"""Tags put on rows and taken off, renamed, merged and deleted; each an action to be undone."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.tags import tag_name
from datasets_app.models import Action, ActionGroup, Conversation, Dataset, RowTag, Tag
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services.changes import begin_change
from otto_web.lib import audit


@transaction.atomic(durable=True)
def tag_rows(
    dataset: Dataset, ids: Sequence[int], written: str, *, has: bool, by: User
) -> Action | None:
    """Put a tag on the named rows, or take it off; an empty selection does nothing."""
    if not ids:
        return None
    begin_change(dataset.pk, is_told=True)
    rows = dataset.conversations.filter(pk__in=ids)
    return _tag(dataset, rows, tag_name(written), has=has, by=by)


@transaction.atomic(durable=True)
def tag_matching(
    dataset: Dataset, rows: RowFilter, written: str, *, has: bool, previewed: int, by: User
) -> Action:
    """Put a tag on every row that matches, or take it off, if these are as many as were shown."""
    begin_change(dataset.pk, is_told=True)
    found = rows.rows(dataset)
    if (now := found.count()) != previewed:
        raise CorpusError(
            f"The filter matches {now} rows now and matched {previewed} when you looked. Nothing "
            "was changed; look again and tag anew."
        )
    return _tag(dataset, found, tag_name(written), has=has, by=by)


def _tag(
    dataset: Dataset, rows: QuerySet[Conversation], name: str, *, has: bool, by: User
) -> Action:
    tag, _ = Tag.objects.get_or_create(dataset=dataset, name=name)
    theirs = Exists(RowTag.objects.filter(tag=tag, conversation=OuterRef("pk")))
    changing = rows.exclude(theirs) if has else rows.filter(theirs)
    action = Action.objects.create(dataset=dataset, actor=by, kind="tag" if has else "untag")
    _note(action, changing, {str(tag.pk): not has}, {str(tag.pk): has})
    return _carry_out(action, f"tagged “{name}”" if has else f"without “{name}” now", by)


@transaction.atomic(durable=True)
def rename_tag(dataset: Dataset, tag: Tag, written: str, *, by: User) -> Action | None:
    """Give a tag's rows another one; where that is there already, the two become one."""
    begin_change(dataset.pk, is_told=True)
    name = tag_name(written)
    if name == tag.name:
        return None
    other, _ = Tag.objects.get_or_create(dataset=dataset, name=name)
    rows = dataset.conversations.filter(tagged__tag=tag)
    both = Exists(RowTag.objects.filter(tag=other, conversation=OuterRef("pk")))
    action = Action.objects.create(dataset=dataset, actor=by, kind="tag")
    old, new = str(tag.pk), str(other.pk)
    _note(action, rows.exclude(both), {old: True, new: False}, {old: False, new: True})
    _note(action, rows.filter(both), {old: True, new: True}, {old: False, new: True})
    audit.record(by, "tag.renamed", dataset, before={"name": tag.name}, after={"name": name})
    return _carry_out(action, f"tagged “{name}” instead of “{tag.name}”", by)


@transaction.atomic(durable=True)
def delete_tag(dataset: Dataset, tag: Tag, *, by: User) -> Action:
    """Take a tag off all rows."""
    begin_change(dataset.pk, is_told=True)
    audit.record(by, "tag.deleted", dataset, before={"name": tag.name})
    return _tag(dataset, dataset.conversations.all(), tag.name, has=False, by=by)


def _note(
    action: Action, rows: QuerySet[Conversation], was: dict[str, bool], now: dict[str, bool]
) -> None:
    """Keep which rows the action is about and what it makes of their tags."""
    sql, params = rows.order_by().values("id").query.sql_with_params()
    group = ActionGroup.objects.create(
        action=action, before={"tags": was}, after={"tags": now}, conversations=[]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE datasets_app_actiongroup
            SET conversations = ARRAY(SELECT id FROM ({sql}) row ORDER BY id) WHERE id = %s
            """,  # noqa: S608 - the inner query is Django's own, with its parameters
            [*params, group.pk],
        )


def _carry_out(action: Action, words: str, by: User) -> Action:
    action.done = action.previewed = apply_tags(action, "after")
    count = f"{action.done:,} conversation" + ("" if action.done == 1 else "s")
    action.title = f"{count} {words}"
    action.save(update_fields=["previewed", "done", "title"])
    return action


def apply_tags(action: Action, to: str) -> int:
    """Write one side of an action to the rows whose tags still show the other; count them."""
    was = {"after": "before", "before": "after"}[to]
    changed = 0
    for group in action.groups.filter(before__has_key="tags").defer("conversations"):
        before, wanted = getattr(group, was)["tags"], getattr(group, to)["tags"]
        changed += _apply(group.pk, before, wanted)
    return changed


def _apply(group: int, before: dict[str, bool], wanted: dict[str, bool]) -> int:
    """Take tags off and put tags on in one statement, on rows that are as they were."""
    shows = "".join(
        f" AND {'' if has else 'NOT '}EXISTS (SELECT FROM datasets_app_rowtag "
        f"WHERE conversation_id = row.id AND tag_id = {int(tag)})"
        for tag, has in before.items()
    )
    off = ", ".join(str(int(tag)) for tag, has in wanted.items() if not has) or "NULL"
    on = ", ".join(str(int(tag)) for tag, has in wanted.items() if has) or "NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH chosen AS MATERIALIZED (
                SELECT row.id FROM datasets_app_actiongroup done,
                    unnest(done.conversations) AS noted (id), datasets_app_conversation row
                WHERE done.id = %s AND row.id = noted.id{shows}
            ), off AS (
                DELETE FROM datasets_app_rowtag USING chosen
                WHERE conversation_id = chosen.id AND tag_id IN ({off})
            ), new AS (
                INSERT INTO datasets_app_rowtag (tag_id, conversation_id)
                SELECT tag.id, chosen.id FROM chosen, datasets_app_tag tag WHERE tag.id IN ({on})
                ON CONFLICT DO NOTHING
            ) SELECT count(*) FROM chosen
            """,  # noqa: S608 - numbers only
            [group],
        )
        (changed,) = cursor.fetchone() or (0,)
    return int(changed)
