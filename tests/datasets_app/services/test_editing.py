"""Rows that people change, split, join and write: judged at once, and undone bit for bit."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn, from_json
from datasets_app.models import Decision, Finding
from datasets_app.selectors.downloads import rows_of_table
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.row_order import ORDERS, read_key, written_key
from datasets_app.selectors.versions import changed_since, iter_conversations
from datasets_app.services import curation, editing
from datasets_app.services.editing import EditedMeanwhileError, Seen
from tests.datasets_app.makers import pair

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def at(world, place):
    return world.dataset.conversations.order_by("position")[place]


def seen(row):
    return Seen(row.pk, row.revision)


def everything_of(row):
    row.refresh_from_db()
    findings = row.findings.order_by("turn", "rule").values_list("turn", "rule", "spans")
    told = (row.turns, row.text, row.row_hash, row.exact_key, row.n_words, row.n_turns)
    return (*told, row.status, row.quality, row.reasons, list(findings))


def test_an_edit_is_judged_and_undone_bit_for_bit_and_versions_keep_what_they_froze(
    real_world, cora, theo
):
    dataset, version = real_world.dataset, real_world.version
    row = at(real_world, 3)
    before, source = everything_of(row), (row.origin_key, row.start, row.source_file_id)
    frozen = list(iter_conversations(version.pk))
    action = editing.edit_row(dataset, seen(row), pair("Where is desk 3?", ""), by=cora)
    row.refresh_from_db()
    assert (row.status, row.revision, row.updated_by) == ("excluded", 2, cora)
    assert "empty" in row.reasons
    assert Finding.objects.filter(conversation=row, rule="empty").exists()
    assert (row.origin_key, row.start, row.source_file_id) == source
    assert list(iter_conversations(version.pk)) == frozen
    changed = changed_since(version)
    undone = curation.undo(action, by=theo)
    assert (undone.restored, undone.skipped) == (1, 0)
    assert everything_of(row) == before
    assert row.revision == 3
    dataset.refresh_from_db()
    version.refresh_from_db()
    version.dataset = dataset
    assert changed_since(version) == changed - 1
    assert list(iter_conversations(version.pk)) == frozen
    assert row.revisions.count() == 2


def test_the_second_of_two_people_is_told_and_nothing_is_overwritten(real_world, cora, theo):
    row = at(real_world, 4)
    both = seen(row)
    editing.edit_row(real_world.dataset, both, pair("Is it open?", "From nine on."), by=theo)
    with pytest.raises(EditedMeanwhileError, match="theo changed this conversation") as told:
        editing.edit_row(real_world.dataset, both, pair("Is it open?", "Until five."), by=cora)
    assert from_json(told.value.row.turns) == pair("Is it open?", "From nine on.")
    row.refresh_from_db()
    assert from_json(row.turns) == pair("Is it open?", "From nine on.")
    assert row.revisions.count() == 1


def test_a_decision_outranks_the_rules_and_an_undo_leaves_what_was_changed_since(
    real_world, cora, theo
):
    dataset, row = real_world.dataset, at(real_world, 5)
    curation.decide_rows(dataset, [row.pk], Decision.KEEP, by=cora)
    first = editing.edit_row(dataset, seen(row), pair("Where?", ""), by=cora)
    row.refresh_from_db()
    assert (row.status, row.decision) == ("kept", "keep")
    editing.edit_row(dataset, seen(row), pair("Where?", "In room two, on the left."), by=theo)
    undone = curation.undo(first, by=cora)
    assert (undone.restored, undone.skipped) == (0, 1)
    row.refresh_from_db()
    assert from_json(row.turns) == pair("Where?", "In room two, on the left.")


def test_what_is_there_already_is_no_change_and_nonsense_is_refused(real_world, cora):
    dataset, row = real_world.dataset, at(real_world, 6)
    assert editing.edit_row(dataset, seen(row), from_json(row.turns), by=cora) is None
    for wrong in (
        *(Conversation(()), pair("", " ")),
        Conversation((Turn("text", "a passage"), Turn("assistant", "an answer"))),
    ):
        with pytest.raises(CorpusError):
            editing.edit_row(dataset, seen(row), wrong, by=cora)
    row.refresh_from_db()
    assert row.revision == 1


def test_a_conversation_is_split_and_the_undo_puts_it_together(real_world, cora, theo):
    dataset, row = real_world.dataset, at(real_world, 1)
    before, rows = everything_of(row), dataset.conversations.count()
    action = editing.split_row(dataset, seen(row), from_json(row.turns), 60, by=cora)
    row.refresh_from_db()
    made = dataset.conversations.order_by("-position").first()
    assert row.turns + made.turns == before[0]
    assert (made.n_turns, made.origin, dataset.conversations.count()) == (60, row.origin, rows + 1)
    undone = curation.undo(action, by=theo)
    assert undone.restored == 2
    assert everything_of(row) == before
    made.refresh_from_db()
    assert (made.status, made.decision) == ("excluded", "exclude")


def test_what_is_split_off_stands_right_behind_its_row(real_world, cora):
    dataset, row, others = (
        real_world.dataset,
        at(real_world, 1),
        [at(real_world, 0), at(real_world, 2)],
    )
    halves = []
    for turn in (60, 30):
        row.refresh_from_db()
        editing.split_row(dataset, seen(row), from_json(row.turns), turn, by=cora)
        halves.append(dataset.conversations.order_by("-position").first())
    second, middle = halves
    order = ORDERS["order"]
    told = order.keyed(dataset.conversations).order_by(*order.terms)
    assert list(told[:5]) == [others[0], row, middle, second, others[1]]
    key = read_key(order, written_key((middle.arrival, middle.pk)))
    assert order.beyond(dataset.conversations, key).order_by("key", "pk").first() == second
    assert [line.number for line in rows_of_table(dataset, RowFilter())][1:4] == [
        row.position, middle.position, second.position
    ]  # fmt: skip


def test_neighbours_are_joined_and_come_apart_again(real_world, cora, theo):
    dataset, row, other = real_world.dataset, at(real_world, 8), at(real_world, 9)
    before, then = everything_of(row), everything_of(other)
    action = editing.join_rows(dataset, seen(row), from_json(row.turns), seen(other), by=cora)
    row.refresh_from_db()
    other.refresh_from_db()
    assert row.turns == before[0] + then[0]
    assert (other.status, other.decision) == ("excluded", "exclude")
    assert curation.undo(action, by=theo).restored == 2
    assert everything_of(row) == before
    assert everything_of(other) == then


def test_a_row_written_by_hand_is_written_once_and_judged(real_world, cora):
    dataset, rows = real_world.dataset, real_world.dataset.conversations.count()
    words = pair("When is the desk open?", "It opens at nine and closes at five.")
    made = editing.write_row(dataset, words, "one", by=cora)
    assert editing.write_row(dataset, words, "one", by=cora) == made
    assert dataset.conversations.count() == rows + 1
    assert (made.origin, made.status, made.source_file) == ("hand", "kept", None)
    curation.undo(dataset.actions.latest("pk"), by=cora)
    made.refresh_from_db()
    assert made.status == "excluded"
