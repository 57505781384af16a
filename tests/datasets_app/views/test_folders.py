"""Folders of the server: what the operator names is shown and loaded, and nothing else ever is."""

from __future__ import annotations

import os

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import CorpusError
from datasets_app.jobs.folders import load_folder
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation, FolderLoad, Upload
from datasets_app.selectors.folders import place_in
from datasets_app.services import folders
from datasets_app.services.folders import opened, order_load

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
AT = reverse("folder-list")
ROWS = b'{"question": "Where is parcel %d?", "answer": "It is on its way to you."}\n'


@pytest.fixture
def root(tmp_path, settings):
    found = tmp_path / "exports"
    (found / "2026").mkdir(parents=True)
    (found / "a b.jsonl").write_bytes(ROWS % 1)
    (found / "2026" / "more.jsonl").write_bytes(ROWS % 2)
    (found / ".secret").write_bytes(b"hidden")
    (tmp_path / "outside.jsonl").write_bytes(ROWS % 3)
    (found / "leads-out.jsonl").symlink_to(tmp_path / "outside.jsonl")
    (found / "folder-out").symlink_to(tmp_path)
    (found / "same.jsonl").symlink_to(found / "a b.jsonl")
    os.mkfifo(found / "pipe")
    settings.OTTO_SERVER_FOLDERS = [str(found)]
    return found


@pytest.mark.slow
@pytest.mark.checklist(409)
def test_files_are_chosen_copied_and_read_and_stay_as_they_are(client_of, cora, root):
    client = client_of(cora)
    assert AT in client.get(reverse("upload-list")).content.decode()
    assert str(root) in client.get(AT).content.decode()
    shown = client.get(f"{AT}?folder=0").content.decode()
    assert all(name in shown for name in ("a b.jsonl", "2026", "same.jsonl"))
    assert not any(name in shown for name in (".secret", "leads-out", "folder-out", "pipe"))
    assert "more.jsonl" in client.get(f"{AT}?folder=0&in=2026").content.decode()
    before = {path: path.read_bytes() for path in root.rglob("*.jsonl")}
    answer = client.post(f"{AT}?folder=0", {"file": ["a b.jsonl", "2026/more.jsonl"]})
    assert answer.status_code == 302
    order = FolderLoad.objects.get()
    load_folder(order.pk, seconds=-1)  # one file, then others may have the worker
    order.refresh_from_db()
    assert (order.state, order.done) == ("queued", 1)
    load_folder(order.pk)
    order.refresh_from_db()
    assert (order.state, order.done) == ("succeeded", 2)
    uploads = list(Upload.objects.order_by("created_at"))
    assert [(one.name, one.created_by) for one in uploads] == [
        ("a b.jsonl", cora),
        ("more.jsonl", cora),
    ]
    for upload in uploads:
        assert import_upload(upload.pk)
    assert Conversation.objects.count() == 2
    assert {path: path.read_bytes() for path in root.rglob("*.jsonl")} == before
    assert "2 of 2" in " ".join(client.get(AT).content.decode().split())


@pytest.mark.slow
def test_nothing_outside_and_nothing_hidden_is_ever_loaded(client_of, cora, root):
    client = client_of(cora)
    for name in (
        *("../outside.jsonl", "/etc/passwd", "leads-out.jsonl", "folder-out/outside.jsonl"),
        *(".secret", "2026/../../outside.jsonl", "nothing.jsonl", "a\0b", "2026", "pipe", ""),
    ):
        assert client.post(f"{AT}?folder=0", {"file": [name]}).status_code == 422, name
        with pytest.raises(CorpusError), opened(root, name):
            pass
    assert not FolderLoad.objects.exists()


def test_a_file_swapped_for_a_link_behind_the_check_is_refused(root, tmp_path, monkeypatch):
    file = root / "a b.jsonl"
    known = place_in(root, file.name)
    file.unlink()
    file.symlink_to(tmp_path / "outside.jsonl")
    monkeypatch.setattr(folders, "place_in", lambda *_: known)
    with pytest.raises(CorpusError), opened(root, file.name):
        pass
    (root / "moved").symlink_to(tmp_path)
    monkeypatch.setattr(folders, "place_in", lambda *_: root / "moved" / "outside.jsonl")
    with pytest.raises(CorpusError), opened(root, "moved/outside.jsonl"):
        pass


def test_a_file_that_goes_meanwhile_ends_in_a_sentence(cora, root):
    order = order_load(root, ["2026/more.jsonl"], "", by=cora)
    (root / "2026" / "more.jsonl").unlink()
    load_folder(order.pk)
    order.refresh_from_db()
    assert order.state == "failed"
    assert "more.jsonl" in order.message


def test_a_folder_that_the_operator_no_longer_names_is_closed(client_of, cora, root, settings):
    order = order_load(root, ["a b.jsonl"], "", by=cora)
    settings.OTTO_SERVER_FOLDERS = []
    load_folder(order.pk)
    order.refresh_from_db()
    assert "does not name" in order.message
    client = client_of(cora)
    assert "OTTO_SERVER_FOLDERS" in client.get(AT).content.decode()
    assert client.get(f"{AT}?folder=0").status_code == 422
    assert client.post(AT, {"file": ["a b.jsonl"]}).status_code == 422
    assert AT not in client.get(reverse("upload-list")).content.decode()


def test_hostile_addresses_and_members_get_an_answer(client_of, cora, mia, root):
    client = client_of(cora)
    for query in ("folder=-1", "folder=9", "folder=0&in=..", "folder=0&in=%00", "folder=0&in=/etc"):
        assert client.get(f"{AT}?{query}").status_code in {200, 404, 422}
    assert client.post(f"{AT}?folder=0", {}).status_code == 422
    for name in ("a\0b", "x" * 10_000):
        chosen = {"file": ["a b.jsonl"], "dataset": name}
        assert client.post(f"{AT}?folder=0", chosen).status_code == 302
    assert client_of(mia).get(AT).status_code == 403
    assert client.put(AT).status_code == 405
