"""Inputs that others' tools stumbled over, through the whole import."""

from __future__ import annotations

from pathlib import Path

import pytest

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
