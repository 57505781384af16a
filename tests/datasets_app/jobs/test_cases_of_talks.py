"""Inputs that others' tools stumbled over, through the whole import."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.urls import reverse

CASES = Path(__file__).resolve().parents[4] / "shared/cases"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CASES.exists(), reason="the cases lie beside the repository only"),
]


def talks_of(upload):
    rows = upload.dataset.conversations.order_by("position")
    return [[(turn["role"], turn["text"]) for turn in row.turns] for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("a-08-mail/Archive.mbox", 4),
        ("a-08-mail/Inbox.mbox", 5),
        ("a-08-mail/gmail_saved.eml", 1),
        ("a-08-mail/relayed.eml", 1),
        ("b-12-mail-headers-trained-as-text/received.eml", 1),
    ],
)
def test_headers_of_mails_are_no_text(imported, place, count):
    path = CASES / place
    upload = imported(path.name, path.read_bytes())
    talks = talks_of(upload)
    assert [len(talk) for talk in talks] == [1] * count
    assert {role for talk in talks for role, _ in talk} == {"user"}
    shown = str(talks)
    assert "lamp" in shown
    assert not any(word in shown for word in ("Subject", "Return-Path", "Message-ID", "example"))
    file = upload.files.get()
    assert (file.n_loaded, file.n_failed, file.encoding) == (path.stat().st_size, 0, "")


@pytest.mark.slow
def test_questions_in_xml_beside_a_note_are_read(imported):
    path = CASES / "b-13-skipped-files-invisible/mixed.zip"
    upload = imported(path.name, path.read_bytes())
    talks = talks_of(upload)
    assert [("user", "Is lamp 2 in stock?"), ("assistant", "Yes, we have 4 of them.")] in talks
    assert len(talks) == 4
    assert not upload.files.filter(n_skipped__gt=0).exists()


@pytest.mark.slow
def test_skipped_files_are_named_in_the_list_and_on_the_page(imported, client_of, cora):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("rows.jsonl", '{"question": "Is it open?", "answer": "Until six."}\n')
        for number in range(3):
            archive.writestr(f"lamp{number}.png", b"\x89PNG\r\n\x1a\n" + bytes([number]) * 50)
    upload = imported("mixed.zip", body.getvalue())
    curator = client_of(cora)
    for address in (reverse("upload-list"), reverse("upload-detail", args=[upload.pk])):
        page = " ".join(curator.get(address).content.decode().split())
        assert "3 files skipped (image)" in page


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stdin.zip", "stdout.zip"])
def test_a_zip_that_went_through_a_pipe_is_opened(imported, name):
    path = CASES / "a-06-zip-from-a-pipe" / name
    upload = imported(name, path.read_bytes())
    (member,) = upload.files.exclude(parent=None)
    assert (member.name, member.n_records) == ("-" if name == "stdin.zip" else "rows.jsonl", 5)
    assert len(talks_of(upload)) == 5


@pytest.mark.slow
def test_a_picture_inside_a_text_becomes_a_mark(imported):
    path = CASES / "a-17-base64-picture/rows.jsonl"
    upload = imported(path.name, path.read_bytes())
    talks = talks_of(upload)
    assert len(talks) == 61
    assert max(len(text) for talk in talks for _, text in talk) < 200
    row = upload.dataset.conversations.get(text__contains="[file]")
    assert row.meta["notes_of_otto"] == ["1 file inside the text became [file]"]
