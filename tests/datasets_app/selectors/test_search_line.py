"""Conditions in the search line: fields with values, quoted, with a minus; and tags beside it."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from django.urls import reverse

from datasets_app.models import Cluster, ClusterMember, Decision
from datasets_app.selectors.facets import panel
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.searching import asked, hits_in, is_slow
from datasets_app.services import curation, editing, tagging
from tests.datasets_app.makers import pair, support_dataset

GERMAN = pair("Wo ist mein Paket und wann ist es da?", "Es ist auf dem Weg und bald bei Ihnen.")


@pytest.fixture
def dataset(cora, theo):
    """Return 32 rows: the first German and edited, two excluded by Theo, some tagged, two alike."""
    made = support_dataset(cora)
    pks = dict(made.conversations.values_list("position", "pk"))
    editing.edit_row(made, editing.Seen(pks[1], 1), GERMAN, by=cora)
    curation.decide_rows(made, [pks[2], pks[3]], Decision.EXCLUDE, by=theo)
    tagging.tag_rows(made, [pks[2], pks[4], pks[5]], "late parcel", has=True, by=cora)
    tagging.tag_rows(made, [pks[5]], "vip", has=True, by=cora)
    cluster = Cluster.objects.create(dataset=made, kind="near", key="k", weight=1)
    for place in (6, 7):
        ClusterMember.objects.create(
            cluster=cluster, conversation_id=pks[place], revision=1, similarity=1
        )
    made.refresh_from_db()
    return made


def found(dataset, search):
    rows = RowFilter.from_query({"q": search}).rows(dataset)
    return set(rows.values_list("position", flat=True))


ALL = set(range(1, 33))


@pytest.mark.django_db
@pytest.mark.checklist(164)
def test_the_line_finds(dataset):
    for search, places in {
        "tag:vip": {5},
        'tag:"late parcel"': {2, 4, 5},
        'tag:"Late Parcel" -tag:vip': {2, 4},
        "tag:none": ALL - {2, 4, 5},
        "-tag:none": {2, 4, 5},
        "tag:unheard": set(),
        "language:de": {1},
        "language:german": {1},
        "-language:de warehouse": ALL - {1, 31, 32},
        "status:excluded": {2, 3, 31, 32},
        "status:kept,excluded": ALL,
        "by:theo": {2, 3},
        "changed:>2001-01-01": ALL,
        "changed:<2001-01-01": set(),
        "decided:theo -by:none": {2, 3},
        'finding:"too short"': {32},
        "reason:too_short,empty": {31, 32},
        "finding:none": ALL - {31, 32},
        "turns:2 edited:yes": {1},
        "turns:>2": set(),
        "quality:<100": {31, 32},
        "quality:100": ALL - {31, 32},
        "-quality:100-": {31, 32},
        "words:-6 status:excluded": {31, 32},
        "words:>6 status:excluded": {2, 3},
        "repeats:any": {6, 7},
        "-repeats:near -tag:none": {2, 4, 5},
        "side:none": ALL,
        "origin:chat": set(),
        "source:faq": set(),
        "source:none": ALL,
        '-"left our" -"ist es da"': {31, 32},
        "parcel -tag:vip number:5": set(),
    }.items():
        assert found(dataset, search) == places, search


def test_what_names_no_field_or_no_value_of_it_is_text():
    for search in (
        "https://x.example",
        "12:30",
        "-5",
        "-v",
        "status:open",
        "changed:soon",
        "text:a",
    ):
        assert asked(search).terms == (search,)
        assert not asked(search).wanted
    assert asked("status:open quality:x time:3").misread == ("status:open", "quality:x")
    assert asked('"tag:vip"').terms == ("tag:vip",)
    assert asked("tag:").terms == ("tag:",)
    assert hits_in("the tag vip", "tag:vip vip") == [(8, 11)]
    assert not is_slow("tag:vip")


@pytest.mark.django_db
def test_undecided_repeats_and_tags_stand_beside_the_table(dataset, client_of, cora):
    shown = {facet.name: facet for facet in panel(dataset, RowFilter()).facets}
    tags = {one.value: one.count for one in shown["tag"].values}
    assert tags == {"late parcel": 3, "vip": 1, "none": 29}
    assert {one.value: one.count for one in shown["repeats"].values} == {"near": 2}
    for one in [*shown["tag"].values, *shown["repeats"].values]:
        assert RowFilter.from_query(QueryDict(one.query)).rows(dataset).count() == one.count
    excluded = {facet.name: facet for facet in panel(dataset, RowFilter(status="excluded")).facets}
    assert {one.value: one.count for one in excluded["tag"].values} == {"late parcel": 1, "none": 3}
    chosen = {facet.name: facet for facet in panel(dataset, RowFilter(tag="vip")).facets}
    assert {one.value: one.count for one in chosen["tag"].values} == tags
    assert "repeats" not in chosen
    pks = list(dataset.conversations.filter(position__in=(6,)).values_list("pk", flat=True))
    curation.decide_rows(dataset, pks, Decision.EXCLUDE, by=cora)
    assert found(dataset, "repeats:any") == set()  # one row alone repeats nothing


@pytest.mark.django_db
def test_tags_have_a_column_that_sorts(dataset, client_of, cora):
    address = reverse("dataset-detail", args=[dataset.pk])
    page = client_of(cora).get(address, {"cols": "tags,status", "sort": "latest", "q": "-tag:none"})
    rows = page.context["page"].rows
    assert [tag.name for tag in rows[0].cells[0].value] == ["late parcel", "vip"]
    assert rows[0].tags == []  # not said twice
    assert "<bdi>vip</bdi>" in page.content.decode()
    misread = client_of(cora).get(address, {"q": "status:open"}).content.decode()
    assert "“status:open” is searched as text" in misread
