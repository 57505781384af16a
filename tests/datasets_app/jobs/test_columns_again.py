"""A table that was loaded under the wrong columns is read anew under others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from datasets_app.corpus.source import Mapping
from datasets_app.jobs.freezing import freeze_version
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Decision, Status, Upload, VersionRow
from datasets_app.selectors.origin_keys import current_rows
from datasets_app.services import choices, curation, removal
from otto_web.lib.models import AuditEntry
from otto_web.lib.work.claims import LostLease

pytestmark = pytest.mark.django_db(transaction=True)
SWAPPED = {"question": "we say", "answer": "customer says"}
RIGHT = {"question": "customer says", "answer": "we say"}


def table(count):
    rows = (f"Where is my parcel {n}?,Parcel {n} left our house today.\n" for n in range(count))
    return b"customer says,we say\n" + "".join(rows).encode()


@pytest.fixture
def swapped(imported, cora):
    """Give a function that imports a table whose question and answer were mixed up."""

    def made(count):
        upload = imported("calls.csv", table(count))
        choices.choose_columns([upload.files.get()], Mapping(**SWAPPED), by=cora)
        assert import_upload(upload.pk)
        upload.refresh_from_db()
        file = upload.files.get()
        assert file.n_records == count
        return upload, file

    return made


def questions(file):
    rows = current_rows(file).order_by("position").values_list("turns", flat=True)
    return [turns[0]["text"] for turns in rows]


def version_as_stored(version):
    """Return the manifest beside what its rows say now."""
    lines = VersionRow.objects.filter(version=version).order_by("position")
    told = lines.values_list("row_hash", "conversation__row_hash", "conversation__turns", "split")
    return [*told], version.manifest_sha256


@pytest.mark.slow
def test_thousands_of_rows_are_read_anew_and_a_version_stays(swapped, client_of, cora):
    upload, file = swapped(3_500)
    ids = list(upload.dataset.conversations.order_by("position").values_list("pk", flat=True))
    curation.decide_rows(upload.dataset, ids[:1_500], Decision.EXCLUDE, by=cora)
    version = freeze_version(upload.dataset, user=cora)
    before = version_as_stored(version)
    curator = client_of(cora)
    address = reverse("file-columns-again", args=[file.pk])
    assert address in curator.get(reverse("file-detail", args=[file.pk])).content.decode()
    page = " ".join(curator.get(address).content.decode().split())
    assert "compared with its 3,500 conversations" in page
    assert "1,500 decisions, 0 edited, 0 with tags" in page
    assert "A frozen version holds 2,000 of them" in page
    for _ in range(2):  # the second click finds it chosen
        assert curator.post(address, RIGHT).status_code == 302
    assert AuditEntry.objects.filter(verb="file.columns_again").count() == 1
    assert import_upload(upload.pk)
    lost = {"rows": 3_500, "held": 2_000, "decided": 1_500, "edited": 0, "tagged": 0, "judged": 0}
    assert curator.post(reverse("file-anew", args=[file.pk]), {"choice": "agree"} | lost)
    assert import_upload(upload.pk)
    assert curator.post(address, RIGHT | {"delimiter": ""}).status_code == 302
    file.refresh_from_db()
    assert (file.verdict, file.n_records, file.n_known, file.n_issues) == ("loaded", 3_500, 0, 0)
    assert questions(file) == [f"Where is my parcel {n}?" for n in range(3_500)]
    old = upload.dataset.conversations.filter(version_rows__version=version)
    assert set(old.values_list("status", "decision")) == {(Status.EXCLUDED, Decision.EXCLUDE)}
    assert upload.dataset.conversations.count() == 3_500 + 2_000
    version.refresh_from_db()
    assert version_as_stored(version) == before
    assert not import_upload(upload.pk)


@pytest.mark.slow
def test_the_first_columns_may_come_back_though_a_version_holds_their_rows(swapped, cora):
    upload, file = swapped(12)
    freeze_version(upload.dataset, user=cora)
    for mapping in (RIGHT, SWAPPED):
        file.refresh_from_db()
        assert choices.choose_columns_again(file, Mapping(**mapping), by=cora)
        assert import_upload(upload.pk)
    file.refresh_from_db()
    assert questions(file)[0] == "Parcel 0 left our house today."
    assert (len(questions(file)), file.n_known) == (12, 0)
    assert not choices.choose_columns_again(file, Mapping(**SWAPPED), by=cora)


@pytest.mark.slow
def test_a_worker_lost_between_the_old_rows_and_the_new_ones_doubles_nothing(
    swapped, cora, monkeypatch
):
    monkeypatch.setattr(removal, "SLICE", 4)
    upload, file = swapped(12)
    choices.choose_columns_again(file, Mapping(**RIGHT), by=cora)
    slices = []

    real = removal.remove_or_keep

    def lost_at_the_second(*args, **kept):
        slices.append(args)
        if len(slices) == 2:
            raise LostLease("another worker has it")
        real(*args, **kept)

    with monkeypatch.context() as broken:
        broken.setattr(removal, "remove_or_keep", lost_at_the_second)
        assert not import_upload(upload.pk)
    assert len(questions(file)) == 12 + 8  # the new ones are there, of the old ones four are gone
    Upload.objects.filter(pk=upload.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert import_upload(upload.pk)
    assert questions(file) == [f"Where is my parcel {n}?" for n in range(12)]


@pytest.mark.slow
def test_only_curators_choose_again_and_only_where_there_are_columns(
    swapped, imported, client_of, cora, mia
):
    _, file = swapped(12)
    address = reverse("file-columns-again", args=[file.pk])
    assert client_of(mia).get(address).status_code == 403
    assert client_of(mia).post(address, RIGHT).status_code == 403
    curator = client_of(cora)
    assert curator.post(address, {"question": "we say"}).status_code == 422
    assert curator.post(address, SWAPPED | {"delimiter": ""}).status_code == 302
    assert questions(file)[0] == "Parcel 0 left our house today."  # it was that already
    other = imported("chats.jsonl", b'{"input": "Hello you?", "output": "Good day."}\n').files.get()
    elsewhere = reverse("file-columns-again", args=[other.pk])
    assert elsewhere not in curator.get(reverse("file-detail", args=[other.pk])).content.decode()
    assert curator.get(elsewhere).status_code == 302
