"""The command that loads files without a browser."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from datasets_app.corpus.source import Mapping
from datasets_app.management.commands import import_files
from datasets_app.models import Conversation, Dataset
from datasets_app.services.mappings import save_mapping

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


def ended_with_one(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        call_command("import_files", *map(str, args), "--json")
    assert ended.value.code == 1
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_files_and_folders_go_into_one_dataset_by_name(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.jsonl").write_text(CHATS)
    (tmp_path / "in" / "b.jsonl").write_text(CHATS * 2)
    answer = told(capsys, tmp_path, "--dataset", "hats")
    assert answer["conversations"] == 3
    assert {file["dataset"] for file in answer["files"]} == {"hats"}
    assert Dataset.objects.get().conversations.count() == 3


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_who_answers_can_be_said_beforehand(tmp_path, capsys):
    said = [{"sender_name": "Ann", "content": "Is it back?"}]
    said.append({"sender_name": "Lamp Desk", "content": "Yes, since Monday."})
    path = tmp_path / "call.json"
    path.write_text(json.dumps({"messages": said}), "utf-8")
    (file,) = ended_with_one(capsys, path, "--dataset", "Calls")["files"]
    assert (file["state"], file["waiting"]) == ("waiting", 1)
    other = tmp_path / "call 2.json"
    other.write_text(json.dumps({"messages": said, "id": 2}), "utf-8")
    call_command("import_files", str(other), dataset="Calls", json=True, assistant=["lamp desk"])
    assert json.loads(capsys.readouterr().out)["conversations"] == 1
    assert [t["role"] for t in Conversation.objects.get().turns] == ["user", "assistant"]


@pytest.mark.slow
def test_skipped_files_are_counted_with_their_kinds(tmp_path, capsys):
    packed = tmp_path / "mixed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jsonl", CHATS)
        archive.writestr("__MACOSX/._a.jsonl", "x")
        for name in ("b.png", "c.png"):
            archive.writestr(name, b"\x89PNG\r\n\x1a\n" + name.encode())
    answer = told(capsys, packed)
    assert (answer["skipped"], answer["files"][0]["skipped_kinds"]) == (2, "image")
    call_command("import_files", str(packed), "--again", "--dataset", "hats")
    assert "1 conversations into hats, 2 files skipped (image)" in capsys.readouterr().out


@pytest.mark.slow
def test_columns_and_encoding_can_be_said_beforehand(tmp_path, capsys):
    table = tmp_path / "a.csv"
    table.write_bytes("Anliegen|Auskunft\nKäse?|für Gäste\n".encode("cp850"))
    said = ("--question", "Anliegen", "--answer", "Auskunft", "--delimiter", "|")
    answer = told(capsys, table, "--dataset", "hats", *said, "--encoding", "IBM850")
    assert answer["conversations"] == 1
    assert [t["text"] for t in Conversation.objects.get().turns] == ["Käse?", "für Gäste"]


@pytest.mark.slow
def test_an_encoding_is_only_for_what_is_no_unicode(tmp_path, capsys):
    words = "Ich möchte die Größe ändern.\nWir müssen über die Straße."
    (tmp_path / "a.txt").write_bytes(words.encode("cp1252"))
    (tmp_path / "b.txt").write_text(words + "!", "utf-8")
    assert told(capsys, tmp_path, "--dataset", "d", "--encoding", "cp850")["conversations"] == 2
    texts = {row.turns[0]["text"] for row in Conversation.objects.all()}
    assert texts == {words.encode("cp1252").decode("cp850"), words + "!"}


def test_a_mapping_is_read_from_a_file(tmp_path, capsys):
    mapping, talk = tmp_path / "m.json", tmp_path / "a.csv"
    roles = {"dora": "user", "lamp desk": "assistant", "*": "user"}
    columns = {"speaker": "who", "words": "said", "conversation": "no"}
    mapping.write_text(json.dumps({**columns, "roles": roles}))
    talk.write_text("no,who,said\n1,Dora,Is it back?\n1,Lamp Desk,Yes\n")
    assert told(capsys, talk, "--dataset", "d", "--mapping", mapping)["conversations"] == 1
    assert [t["role"] for t in Conversation.objects.get().turns] == ["user", "assistant"]
    mapping.write_text("[]")
    for wrong in (("--mapping", mapping), ("--encoding", "made-up"), ("--question", "a")):
        assert ended_with_one(capsys, talk, *wrong)["error"]


def test_an_unanswered_question_and_a_wrong_path_are_told_as_json(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("red,big\nblue,small\n" * 5)
    (file,) = ended_with_one(capsys, tmp_path / "a.csv", "--dataset", "d")["files"]
    assert (file["state"], file["conversations"], file["waiting"]) == ("waiting", 0, 1)
    assert "no file or folder" in ended_with_one(capsys, "/nope")["error"]
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(30))
    (file,) = ended_with_one(capsys, tmp_path / "b.png")["files"]
    assert (file["state"], file["skipped"]) == ("succeeded", 1)


@pytest.mark.slow
def test_a_mapping_that_is_kept_is_taken_by_its_name(tmp_path, capsys, cora):
    pair = Mapping(question="asked of us", answer="we said")
    save_mapping("Calls", ["asked of us", "we said", "day"], pair, by=cora)
    path = tmp_path / "calls.csv"
    path.write_text("asked of us,we said,day\nWhere is it?,It is here.,Monday\n")
    assert told(capsys, path, "--mapping", "Calls")["conversations"] == 1
    refused = ended_with_one(capsys, path, "--mapping", "Nobody")
    assert "no mapping is kept under that name" in refused["error"]
