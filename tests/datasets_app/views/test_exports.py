"""Files of versions and of what a table shows: their pages, their rows, and who may have them."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.layouts.registry import LAYOUTS
from datasets_app.jobs import freezing
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Dataset
from datasets_app.services.datasets import create_dataset
from datasets_app.services.receiving import NewUpload, receive_whole
from datasets_app.services.versions import order_version
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


@pytest.fixture
def curator(client_of, cora):
    return client_of(cora)


def body(answer):
    return b"".join(answer.streaming_content)


def test_the_table_goes_out_as_its_filter_shows_it(dataset, curator):
    address = reverse("dataset-download", args=[dataset.pk, "jsonl"])
    lines = body(curator.get(f"{address}?status=excluded")).splitlines()
    rows = [json.loads(line) for line in lines]
    asked = ["How do I reset my password?", "Tell me about returns"]
    assert [row["messages"][0]["content"] for row in rows] == asked
    assert rows[0]["otto"]["status"] == "excluded"
    assert rows[0]["otto"]["reasons"] == ["empty"]
    assert rows[0]["otto"]["id"] == dataset.conversations.get(position=31).pk
    assert len(body(curator.get(address)).splitlines()) == 32


@pytest.mark.slow
def test_both_pages_show_the_first_rows_in_each_layout(dataset, curator, cora):
    version = freezing.freeze_version(dataset, user=cora)
    for address in (
        reverse("version-export", args=[version.pk]),
        reverse("dataset-export", args=[dataset.pk]),
    ):
        for name, layout in LAYOUTS.items():
            page = curator.get(f"{address}?layout={name}&status=kept").content.decode()
            assert "Where is my parcel number 0?" in page
            assert f"{layout.about[1:]}." in page
            assert "Download 30 conversations" in page


def test_a_version_under_way_has_no_file_to_show(dataset, curator, cora):
    version = order_version(dataset, user=cora)
    assert curator.get(reverse("version-export", args=[version.pk])).status_code == 404


def test_members_get_no_rows_and_an_unknown_layout_is_not_found(dataset, curator, client_of, mia):
    for name in ("dataset-export", "dataset-download"):
        layout = ["jsonl"] if name == "dataset-download" else []
        address = reverse(name, args=[dataset.pk, *layout])
        assert client_of(mia).get(address).status_code == 403
        assert curator.post(address).status_code == 405
    address = reverse("dataset-download", args=[dataset.pk, "floppy"])
    assert curator.get(address).status_code == 404


@pytest.mark.slow
@pytest.mark.checklist(152)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_download_that_is_uploaded_gives_the_same_rows(curator, cora, layout):
    made = create_dataset("Asked at the desk", by=cora)
    talk = Conversation(
        (
            Turn("system", "You are the lamp desk."),
            Turn("user", '=HYPERLINK("x")\n\nUser: "quoted", really; 你好'),
            Turn("assistant", "-5 °C\nAssistant: <b>no</b> <|im_end|>", is_learnt=False),
            Turn("user", "<p>And now?</p>"),
            Turn("assistant", "@home, since 1 < 2. שלום 😀"),
        )
    )
    greeted = Conversation((Turn("assistant", "Lamp desk, hello."), *talk.turns[1:]))
    add(made, [talk, greeted, pair("Is it open?", "It is open until nine."), pair("Hm?", "")])
    version = freezing.freeze_version(made, user=cora, choice="all")
    name = f"again.{LAYOUTS[layout].suffix}"
    kept = made.conversations.filter(status="kept").order_by("position")
    for number, (rows, address) in enumerate(
        (
            (
                version.rows.order_by("position"),
                reverse("version-download", args=[version.pk, layout]),
            ),
            (kept, reverse("dataset-download", args=[made.pk, layout]) + "?status=kept"),
        )
    ):
        data = body(curator.get(address))
        upload = receive_whole(NewUpload(name, len(data), dataset=f"Back {number}"), data, by=cora)
        import_upload(upload.pk)
        back = Dataset.objects.get(uploads=upload)
        hashes = back.conversations.order_by("position").values_list("row_hash", flat=True)
        assert list(hashes) == list(rows.values_list("row_hash", flat=True))
        assert back.uploads.get().files.get().n_issues == 0
