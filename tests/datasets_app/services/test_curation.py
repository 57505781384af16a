"""Decisions, undo, filters and versions on real rows."""

from __future__ import annotations

import pytest
from django.db.models import TextField
from django.db.models.functions import MD5, Cast

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules import policy
from datasets_app.jobs import freezing
from datasets_app.jobs.rescoring import rescore_dataset
from datasets_app.models import Action, Dataset, Decision, Version
from datasets_app.selectors import table
from datasets_app.selectors.datasets import rescoring_of
from datasets_app.selectors.quality import groups_of, rows_by_reason, tally_of
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.table import table_page
from datasets_app.selectors.versions import iter_conversations
from datasets_app.services import curation
from datasets_app.services.datasets import create_dataset, set_policy
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


def test_rows_are_judged_as_they_are_written(dataset):
    assert tally_of(dataset.conversations.all()).total == 32
    assert rows_by_reason(groups_of(dataset.conversations.all())) == {"empty": 1, "too_short": 1}
    assert dataset.conversations.filter(status="excluded").count() == 2


def test_writing_a_batch_twice_doubles_nothing(dataset):
    assert add(dataset, [pair("a", "b")]) == 0
    assert dataset.conversations.count() == 32


@pytest.mark.checklist(164)
def test_a_filter_finds_rows_by_status_reason_and_words(dataset):
    def found(**parts):
        return RowFilter(**parts).rows(dataset).count()

    assert found(status="kept") == 30
    assert found(reason="empty") == 1
    assert found(search="parcel 7") == 3
    assert found(search='"parcel 7 left"') == 1
    assert found(search='"no such phrase"') == 0


def test_an_address_names_a_split_also_by_the_word_of_earlier_releases():
    for address in ({"split": "validation"}, {"side": "validation"}):
        assert RowFilter.from_query(address).query() == "split=validation"
    assert RowFilter.from_query({"split": "middle"}) == RowFilter()


def test_paging_by_key_visits_every_row_once(dataset):
    for sort in ("order", "quality", "longest"):
        rows, seen = RowFilter(sort=sort, size=50), []
        rows = RowFilter(sort=sort, size=50)
        page = table_page(dataset, rows)
        seen += [row.pk for row in page.rows]
        assert page.following == ""
        assert len(set(seen)) == 32


def test_a_row_whose_words_change_while_its_page_is_read_is_shown(dataset, monkeypatch):
    look = table._earliest

    def look_late(found, keys):
        dataset.conversations.update(exact_key=MD5(Cast("pk", TextField())))
        return look(found, keys)

    monkeypatch.setattr(table, "_earliest", look_late)
    assert len(table_page(dataset, RowFilter()).rows) == 32


def test_following_pages_continue_where_the_last_ended(cora):
    made = create_dataset("Long", by=cora)
    add(
        made,
        [pair(f"What is item {n}?", f"Item {n} is a lamp with {n} bulbs.") for n in range(120)],
    )
    for sort in ("order", "quality", "longest"):
        rows, seen = RowFilter(sort=sort), []
        while True:
            page = table_page(made, rows)
            seen += [row.pk for row in page.rows]
            if not page.following:
                break
            query = dict(part.split("=") for part in page.following.split("&"))
            rows = RowFilter.from_query({**query, "after": query["after"].replace("%2C", ",")})
        assert len(seen) == len(set(seen)) == 120


def test_a_decision_about_one_row_is_undone_exactly(dataset, cora, theo):
    row = dataset.conversations.filter(status="excluded").first()
    action = curation.decide_rows(dataset, [row.pk], Decision.KEEP, by=cora)
    row.refresh_from_db()
    assert (row.status, row.decision, row.decided_by) == ("kept", "keep", cora)
    undone = curation.undo(action, by=theo)
    row.refresh_from_db()
    assert (undone.restored, undone.skipped) == (1, 0)
    assert (row.status, row.decision, row.decided_by) == ("excluded", None, None)


def test_an_undo_leaves_rows_that_somebody_changed_since(dataset, cora, theo):
    kept = list(dataset.conversations.filter(status="kept").values_list("pk", flat=True)[:3])
    action = curation.decide_rows(dataset, kept, Decision.EXCLUDE, by=cora)
    curation.decide_rows(dataset, kept[:1], Decision.KEEP, by=theo)
    undone = curation.undo(action, by=cora)
    assert (undone.restored, undone.skipped) == (2, 1)


def test_an_action_is_undone_once_only(dataset, cora):
    pk = dataset.conversations.first().pk
    action = curation.decide_rows(dataset, [pk], Decision.EXCLUDE, by=cora)
    curation.undo(action, by=cora)
    with pytest.raises(CorpusError, match="undone already"):
        curation.undo(action, by=cora)


def test_an_empty_selection_does_nothing(dataset, cora):
    assert curation.decide_rows(dataset, [], Decision.EXCLUDE, by=cora) is None
    assert Action.objects.count() == 0


def test_a_bulk_decision_stops_when_the_preview_no_longer_holds(dataset, cora):
    with pytest.raises(curation.PreviewChangedError, match="30 rows now and matched 29"):
        curation.decide_matching(
            dataset, RowFilter(status="kept"), Decision.EXCLUDE, previewed=29, by=cora
        )
    assert dataset.conversations.filter(status="kept").count() == 30


def test_a_bulk_decision_takes_every_matching_row(dataset, cora):
    action = curation.decide_matching(
        dataset, RowFilter(status="kept"), Decision.EXCLUDE, previewed=30, by=cora
    )
    assert action.done == 30
    assert dataset.conversations.filter(status="kept").count() == 0
    assert curation.undo(action, by=cora).restored == 30


def test_a_version_holds_the_chosen_rows_with_a_split_each(dataset, cora):
    version = freezing.freeze_version(dataset, user=cora)
    assert version.counts["rows"] == 30
    assert version.counts["set_aside"] == 2
    splits = version.counts["splits"]
    assert splits["train"] > splits["validation"] > 0
    assert len(list(iter_conversations(version.pk))) == 30
    assert len(list(iter_conversations(version.pk, "validation"))) == splits["validation"]


def test_freezing_everything_takes_the_excluded_rows_too(dataset, cora):
    version = freezing.freeze_version(dataset, choice="all", user=cora)
    assert version.counts["rows"] == 31  # the answer without a word teaches nothing
    assert version.counts["unusable"] == 1


def test_equal_rows_freeze_to_equal_manifests_and_splits_stay(dataset, cora):
    first = freezing.freeze_version(dataset, user=cora)
    second = freezing.freeze_version(dataset, user=cora)
    assert first.manifest_sha256 == second.manifest_sha256
    assert (first.number, second.number) == (1, 2)


def test_a_version_keeps_its_words_when_the_row_is_decided_otherwise(dataset, cora):
    version = freezing.freeze_version(dataset, user=cora)
    before = [c.row_hash() for c in iter_conversations(version.pk)]
    ids = list(dataset.conversations.values_list("pk", flat=True))
    curation.decide_rows(dataset, ids, Decision.EXCLUDE, by=cora)
    assert [c.row_hash() for c in iter_conversations(version.pk)] == before


def test_an_empty_selection_is_refused_with_a_sentence(cora):
    empty = create_dataset("Empty", by=cora)
    with pytest.raises(CorpusError, match="at least two"):
        freezing.freeze_version(empty, user=cora)
    assert Version.objects.get().state == "failed"


@pytest.mark.checklist(162)
def test_switching_a_rule_off_judges_all_rows_again(dataset, cora):
    ids = list(dataset.conversations.filter(status="kept").values_list("pk", flat=True)[:1])
    curation.decide_rows(dataset, ids, Decision.EXCLUDE, by=cora)
    set_policy(dataset, policy.standard().changed("too_short", on=False), by=cora)
    rescore_dataset(dataset.pk)
    assert rows_by_reason(groups_of(dataset.conversations.all())) == {"empty": 1}
    assert dataset.conversations.get(pk=ids[0]).status == "excluded"
    assert rescoring_of(dataset) is None
    assert Dataset.objects.get(pk=dataset.pk).policy["too_short"]["on"] is False
