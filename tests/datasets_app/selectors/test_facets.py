"""What stands beside the table: counts under the other fields, ranges, several values at once."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.models import Decision, SourceFile, Upload
from datasets_app.selectors import estimates
from datasets_app.selectors.facets import panel
from datasets_app.selectors.row_filter import FIELDS, RowFilter
from datasets_app.services import curation, editing
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = pytest.mark.django_db(transaction=True)
GERMAN = pair("Wo ist mein Paket und wann ist es da?", "Es ist auf dem Weg und bald bei Ihnen.")


@pytest.fixture
def dataset(cora):
    made = support_dataset(cora)
    row = made.conversations.get(position=1)
    editing.edit_row(made, editing.Seen(row.pk, 1), GERMAN, by=cora)
    pks = list(made.conversations.filter(position__in=(2, 3)).values_list("pk", flat=True))
    curation.decide_rows(made, pks, Decision.EXCLUDE, by=cora)
    made.refresh_from_db()
    return made


def counts(dataset, name, **parts):
    found = {facet.name: facet for facet in panel(dataset, RowFilter(**parts)).facets}
    return {one.label: one.count for one in found[name].values} if name in found else {}


@pytest.mark.checklist(164)
def test_each_value_has_its_count(dataset, cora):
    assert counts(dataset, "status") == {"Kept": 28, "Excluded": 4}
    assert counts(dataset, "reason") == {"empty": 1, "too short": 1}
    assert counts(dataset, "edited") == {"words changed by people": 1}
    assert counts(dataset, "person") == {"nobody": 29, cora.get_full_name() or "cora": 3}
    assert counts(dataset, "language")["German"] == 1


def test_counts_are_those_under_the_other_fields(dataset):
    assert counts(dataset, "status", status="excluded") == {"Kept": 28, "Excluded": 4}
    assert counts(dataset, "language", status="excluded") == {"English": 4}
    assert counts(dataset, "status", edited="1") == {"Kept": 1}
    assert counts(dataset, "edited", status="excluded") == {}
    assert counts(dataset, "status", search="parcel 17") == {"Kept": 1}


def test_every_count_is_what_one_gets_by_choosing_it(dataset):
    for parts in ({}, {"status": "kept"}, {"search": "parcel"}, {"quality": "50-69"}):
        rows = RowFilter(**parts)
        shown = panel(dataset, rows)
        values = [one for facet in shown.facets for one in facet.values]
        bars = [bar for shape in shown.histograms for bar in shape.bars]
        for one in [*values, *bars, *shown.histograms[0].bands]:
            if not one.is_chosen and not rows.status:
                chosen = RowFilter.from_query(dict(parse_qsl(one.query)))
                assert chosen.rows(dataset).count() == one.count, one
        assert shown.matching == rows.rows(dataset).count()
        assert not shown.is_estimate


def test_a_value_is_added_and_taken_away_again(dataset):
    rows = RowFilter(status="kept")
    assert rows.toggled("status", "excluded") == "status=kept%2Cexcluded"
    both = RowFilter.from_query({"status": "kept,excluded"})
    assert both.rows(dataset).count() == 32
    assert both.toggled("status", "kept") == "status=excluded"
    assert RowFilter.from_query({"status": "kept,nonsense"}).status == "kept"


def test_an_address_keeps_the_whole_state():
    parts = {
        "status": "kept",
        "reason": "echo,empty",
        "q": "parcel",
        "file": "none",
        "split": "train",
        "language": "de,none",
        "origin": "file",
        "by": "7,none",
        "edited": "1",
        "copies": "1",
        "tag": "late,none",
        "repeats": "conflict,near",
        "quality": "50-69",
        "words": "-40",
        "like": "1234567",
        "near": "70",
        "where": "status.is.kept|tag.is.late",
        "sort": "longest",
        "after": "12,3400000",
    }
    rows = RowFilter.from_query(parts)
    assert all(getattr(rows, name) for name in FIELDS)
    assert dict(parse_qsl(rows.here)) == parts
    ends = RowFilter.from_query({"quality_from": "50", "quality_to": ""})
    assert ends.quality == "50-"
    assert RowFilter.from_query({"quality": "a-b", "words": "-", "by": "x"}) == RowFilter()


def test_many_rows_are_estimated_and_few_that_an_index_finds_are_counted(dataset, monkeypatch):
    monkeypatch.setattr(estimates, "MOST_EXACT", 10)
    monkeypatch.setattr(estimates, "SAMPLE_RUNS", 4)
    monkeypatch.setattr(estimates, "SAMPLE_RUN", 2)
    shown = panel(dataset, RowFilter())
    assert shown.is_estimate
    assert shown.matching == 32  # each of the eight rows that were looked at stands for four
    monkeypatch.setattr(estimates, "FEW_SEEN", 2)
    few = panel(dataset, RowFilter(search="parcel 17"))
    assert (few.matching, few.is_estimate) == (1, False)


def test_the_panel_asks_once_for_all_fields_and_once_more_for_each_that_is_chosen(dataset):
    for parts, queries in (
        ({}, 2),
        ({"language": "de"}, 3),
        ({"language": "de", "edited": "1"}, 4),
    ):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            panel(dataset, RowFilter(**parts))
        assert len(asked) <= queries + 3, parts  # and whether there are tags or clusters


def test_the_page_shows_them_to_curators(dataset, client_of, cora, mia):
    address = reverse("dataset-facets", args=[dataset.pk])
    text = client_of(cora).get(f"{address}?status=kept").content.decode()
    assert 'aria-current="true"' in text
    assert "Quality" in text
    assert client_of(mia).get(address).status_code == 403


def test_rows_of_no_side_and_no_person_can_be_chosen(dataset):
    assert RowFilter(split="none").rows(dataset).count() == 32
    assert RowFilter(person="none").rows(dataset).count() == 29
    talk = Conversation((Turn("user", "4711"), Turn("assistant", "0815")))
    add(dataset, [*[pair("a", "b")] * 32, talk])
    assert RowFilter(language="none").rows(dataset).count() == 1


def test_of_many_files_with_one_row_each_none_is_called_gone(cora):
    made = support_dataset(cora)
    upload = Upload.objects.create(name="pages.zip", dataset=made, created_by=cora, size=1)
    for number, row in enumerate(made.conversations.all()):
        row.source_file = SourceFile.objects.create(
            upload=upload, member_no=number, name=f"page {number:02}.md"
        )
        row.save(update_fields=["source_file"])
    named = counts(made, "file")
    assert (len(named), min(named), max(named)) == (12, "page 00.md", "page 11.md")
