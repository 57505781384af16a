"""The command that loads files without a browser."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from datasets_app.management.commands import import_files
from datasets_app.models import Conversation, Dataset

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir", "given_servers"),
]
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
CHATS = '{"input": "Where is my hat?", "output": "It is on its way."}\n'


@pytest.fixture
def given_servers(monkeypatch, postgres_server, redis_server):
    monkeypatch.setenv("DATABASE_URL", postgres_server.url())
    monkeypatch.setenv("REDIS_URL", redis_server)


def told(capsys, *args):
    call_command("import_files", *map(str, args), "--json")
    return json.loads(capsys.readouterr().out)


def test_files_and_folders_go_into_one_dataset_by_name(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.jsonl").write_text(CHATS)
    (tmp_path / "in" / "b.jsonl").write_text(CHATS * 2)
    answer = told(capsys, tmp_path, "--dataset", "hats")
    assert answer["conversations"] == 3
    assert {file["dataset"] for file in answer["files"]} == {"hats"}
    assert Dataset.objects.get().conversations.count() == 3


def test_a_known_file_is_named_and_not_doubled(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text(CHATS)
    told(capsys, tmp_path / "a.jsonl", "--dataset", "hats")
    again = told(capsys, tmp_path / "a.jsonl", "--dataset", "hats")
    assert again["files"][0]["reason"] == "already_uploaded"
    assert Conversation.objects.count() == 1
    anew = told(capsys, tmp_path / "a.jsonl", "--dataset", "hats", "--again")
    assert anew["files"][0]["known"] == 1
    assert Conversation.objects.count() == 1


def test_a_missing_path_stops_with_a_sentence():
    with pytest.raises(CommandError, match="There is no file or folder"):
        call_command("import_files", "/nowhere/at/all")


def test_a_failed_file_gives_exit_status_one(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04" + b"x" * 50)
    with pytest.raises(SystemExit) as ended:
        call_command("import_files", str(tmp_path / "cut.zip"))
    assert ended.value.code == 1


def test_links_inside_folders_are_not_followed(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    assert list(import_files.files_of([str(tmp_path)])) == [tmp_path / "a.txt"]


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not here")
def test_the_support_conversations_load_all_6000(capsys):
    (path,) = (DATA / "cucom-ecommerce").glob("**/*.zip")
    answer = told(capsys, path, "--dataset", "cucom")
    assert answer["conversations"] == Conversation.objects.count() == 6000


def test_who_answers_can_be_said_beforehand(tmp_path, capsys):
    said = [{"sender_name": "Ann", "content": "Is it back?"}]
    said.append({"sender_name": "Lamp Desk", "content": "Yes, since Monday."})
    path = tmp_path / "call.json"
    path.write_text(json.dumps({"messages": said}), "utf-8")
    call_command("import_files", str(path), dataset="Calls", json=True)
    assert json.loads(capsys.readouterr().out)["files"][0]["waiting"] == 1
    other = tmp_path / "call 2.json"
    other.write_text(json.dumps({"messages": said, "id": 2}), "utf-8")
    call_command("import_files", str(other), dataset="Calls", json=True, assistant=["lamp desk"])
    assert json.loads(capsys.readouterr().out)["conversations"] == 1
    assert [t["role"] for t in Conversation.objects.get().turns] == ["user", "assistant"]


def test_skipped_files_are_counted_with_their_kinds(tmp_path, capsys):
    packed = tmp_path / "mixed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jsonl", CHATS)
        archive.writestr("__MACOSX/._a.jsonl", "x")
        for name in ("b.xml", "c.xml"):
            archive.writestr(name, f"<?xml version='1.0'?><q>{name}</q>")
    answer = told(capsys, packed)
    assert (answer["skipped"], answer["files"][0]["skipped_kinds"]) == (2, "XML")
    call_command("import_files", str(packed), "--again", "--dataset", "hats")
    assert "1 conversations into hats, 2 files skipped (XML)" in capsys.readouterr().out
