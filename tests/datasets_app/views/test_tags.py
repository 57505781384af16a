"""Tags: put on, taken off, found, renamed, merged; every change is undone in one click."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.tags import TONES, tag_name, tone_of
from datasets_app.jobs.freezing import freeze_version
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Action, RowTag
from datasets_app.selectors import tags as selectors
from datasets_app.selectors.downloads import rows_of_table
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import curation, editing, tagging
from datasets_app.services.editing import Seen
from datasets_app.services.receiving import NewUpload, receive_whole
from tests.datasets_app.makers import pair, support_dataset

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


def ids(dataset):
    return list(dataset.conversations.order_by("position").values_list("pk", flat=True))


def tagged(dataset, tag):
    rows = RowFilter.from_query({"tag": tag}).rows(dataset).order_by("position")
    return list(rows.values_list("pk", flat=True))


def send(client, dataset, decision, tag, query="", **more):
    address = reverse("rows-decide", args=[dataset.pk]) + query
    return client.post(address, {"decision": decision, "scope": "selected", "tag": tag, **more})


@pytest.mark.parametrize(
    ("written", "name"),
    [("  Billing\t Issue ", "billing issue"), ("E\u0301TE\u0301", "été"), ("Straße", "strasse")],
)
def test_a_tag_has_one_spelling(written, name):
    assert tag_name(written) == name
    assert 0 <= tone_of(name) < TONES


@pytest.mark.parametrize("written", ["", "  \n", "None", "x" * 41])
def test_what_is_no_tag_is_refused(written):
    with pytest.raises(CorpusError):
        tag_name(written)


def test_rows_are_tagged_found_and_untagged_again(client_of, cora, theo, dataset):
    rows, curator = ids(dataset), client_of(cora)
    send(curator, dataset, "tag", " Parcel ", row=rows[:3])
    send(curator, dataset, "tag", "parcel", row=rows[2:5])  # the third has it already
    assert tagged(dataset, "parcel") == rows[:5]
    assert tagged(dataset, "none") == rows[5:]
    assert [action.done for action in Action.objects.order_by("pk")] == [3, 2]
    page = curator.get(reverse("dataset-detail", args=[dataset.pk]), {"tag": "parcel"})
    assert page.context["page"].matching.number == 5
    assert [tag.name for tag in page.context["page"].rows[0].tags] == ["parcel"]
    told = page.content.decode()
    assert '<option value="parcel">' in told
    assert "tag: <bdi>parcel</bdi>" in told
    row = curator.get(reverse("conversation-detail", args=[dataset.pk, rows[0]]))
    assert "<bdi>parcel</bdi>" in row.content.decode()
    send(curator, dataset, "untag", "parcel", row=rows[1:2])
    assert tagged(dataset, "parcel") == [rows[0], *rows[2:5]]
    for action in Action.objects.order_by("-pk"):
        curation.undo(action, by=theo)
    assert tagged(dataset, "parcel") == []
    assert (
        "tag: <bdi>parcel"
        in curator.get(
            reverse("dataset-detail", args=[dataset.pk]), {"tag": "parcel"}
        ).content.decode()
    )


def test_all_that_match_are_tagged_only_as_many_as_were_shown(client_of, cora, dataset):
    curator, matching = client_of(cora), {"scope": "matching"}
    answer = send(curator, dataset, "tag", "poor", "?status=excluded", previewed=3, **matching)
    assert answer.status_code == 422
    assert not RowTag.objects.exists()
    send(curator, dataset, "tag", "poor", "?status=excluded", previewed=2, **matching)
    assert len(tagged(dataset, "poor")) == 2
    rows = RowFilter.from_query({"tag": "poor", "status": "kept"})
    assert rows.rows(dataset).count() == 0
    assert RowFilter.from_query({"tag": "poor"}).query() == "tag=poor"


def test_a_tag_is_renamed_merged_deleted_and_all_of_it_comes_back(client_of, cora, dataset):
    rows, curator = ids(dataset), client_of(cora)
    tagging.tag_rows(dataset, rows[:4], "old", has=True, by=cora)
    tagging.tag_rows(dataset, rows[3:6], "new", has=True, by=cora)
    address = reverse("dataset-tags", args=[dataset.pk])
    old = dataset.tags.get(name="old")
    curator.post(address, {"tag": old.pk, "name": "New "})
    assert (tagged(dataset, "old"), tagged(dataset, "new")) == ([], rows[:6])
    merge = Action.objects.latest("pk")
    curator.post(address, {"tag": dataset.tags.get(name="new").pk, "do": "delete"})
    assert tagged(dataset, "new") == []
    assert "No tags yet" in curator.get(address).content.decode()
    undone = curation.undo(Action.objects.latest("pk"), by=cora)
    assert undone.restored == 6
    assert curation.undo(merge, by=cora).skipped == 0
    assert (tagged(dataset, "old"), tagged(dataset, "new")) == (rows[:4], rows[3:6])
    told = " ".join(curator.get(address).content.decode().split())
    assert "<bdi>old</bdi>" in told


def test_an_undo_leaves_what_was_changed_since(cora, theo, dataset):
    rows = ids(dataset)
    action = tagging.tag_rows(dataset, rows[:3], "late", has=True, by=cora)
    tagging.tag_rows(dataset, rows[:1], "late", has=False, by=theo)
    undone = curation.undo(action, by=cora)
    assert (undone.restored, undone.skipped) == (2, 1)


def test_a_common_tag_finds_the_same_rows(cora, dataset, monkeypatch):
    rows = ids(dataset)
    tagging.tag_rows(dataset, rows[:9], "much", has=True, by=cora)
    few = tagged(dataset, "much")
    monkeypatch.setattr(selectors, "FEW", 3)
    assert tagged(dataset, "much") == few == rows[:9]


def test_tags_stand_in_exports_and_in_what_a_version_counts(cora, dataset):
    rows = ids(dataset)
    tagging.tag_rows(dataset, rows[:2], "b", has=True, by=cora)
    tagging.tag_rows(dataset, rows[:1], "a", has=True, by=cora)
    told = [row.told.get("tags") for row in rows_of_table(dataset, RowFilter())]
    assert told[:3] == [["a", "b"], ["b"], None]
    assert json.dumps(told)
    version = freeze_version(dataset, user=cora)
    assert version.counts["tags"] == {"a": 1, "b": 2}


def test_nothing_happens_without_rows_or_a_tag(client_of, mia, cora, dataset):
    rows = ids(dataset)
    assert send(client_of(cora), dataset, "tag", "x").status_code == 422
    assert send(client_of(cora), dataset, "tag", " ", row=rows[:1]).status_code == 422
    assert send(client_of(mia), dataset, "tag", "x", row=rows[:1]).status_code == 403
    assert client_of(mia).get(reverse("dataset-tags", args=[dataset.pk])).status_code == 403
    assert not RowTag.objects.exists()


def test_reading_anew_says_which_work_of_people_goes(client_of, cora, data_dir):
    body = b"question,answer\nWhere is my parcel?,It left our warehouse today.\nWhen?,At nine.\n"
    upload = receive_whole(NewUpload("faq.csv", len(body)), body, by=cora)
    import_upload(upload.pk)
    upload.refresh_from_db()
    first, second = upload.dataset.conversations.order_by("position")
    editing.edit_row(upload.dataset, Seen(first.pk, 1), pair("Where?", "On its way."), by=cora)
    tagging.tag_rows(upload.dataset, [first.pk, second.pk], "desk", has=True, by=cora)
    address = reverse("file-columns-again", args=[upload.files.get().pk])
    told = " ".join(client_of(cora).get(address).content.decode().split())
    assert "1 edited" in told
    assert "2 with tags" in told
    assert "edited=1" in told
