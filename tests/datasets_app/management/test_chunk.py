"""The command that cuts the documents of a folder."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from datasets_app.models import Chunk, ChunkSet

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir", "given_servers"),
]


@pytest.fixture
def given_servers(monkeypatch, postgres_server, redis_server):
    monkeypatch.setenv("DATABASE_URL", postgres_server.url())
    monkeypatch.setenv("REDIS_URL", redis_server)


@pytest.mark.slow
def test_a_folder_is_cut_goes_on_and_is_written_in_the_earlier_layout(tmp_path, capsys):
    (tmp_path / "in" / "more").mkdir(parents=True)
    (tmp_path / "in" / "a.md").write_text("# Hours\n\nWe open at nine.\n")
    (tmp_path / "in" / "marks.txt").write_text("--- *** ---\n")
    options = ["--output", "Guides", "--chunk-size", "100", "--chunk-overlap", "20"]
    command = ["chunk", str(tmp_path / "in"), *options, "--strategy", "html", "--verbose"]
    with pytest.raises(SystemExit):
        call_command(*command)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("a.md: 1 chunks in ")
    assert told[1:] == [
        "marks.txt: There is no word in it.",
        "Guides: 1 chunks of 1 documents, 1 failed.",
    ]
    (tmp_path / "in" / "marks.txt").unlink()
    (tmp_path / "in" / "more" / "b.txt").write_text("We close at six.\n")
    first = Chunk.objects.get().pk
    with pytest.raises(SystemExit):  # what failed before is tried again, and fails again
        call_command(*command, "--resume", "--json", "--output-dir", str(tmp_path / "out"))
    answer = json.loads(capsys.readouterr().out)
    assert [(one["document"], one["state"]) for one in answer["documents"]] == [
        ("a.md", "done"),
        ("marks.txt", "failed"),
        ("b.txt", "done"),
    ]
    assert answer["documents"][0]["already_done"]
    assert Chunk.objects.filter(pk=first).exists()
    found = ChunkSet.objects.get()
    assert (found.name, found.settings["strategy"], found.dataset.name) == (
        *("Guides", "headings", "Guides"),
    )
    written = json.loads((tmp_path / "out" / "a_chunks.json").read_text())
    assert written["metadata"]["splitting_strategy"] == "html"
    assert [chunk["content"] for chunk in written["chunks"]] == ["# Hours\n\nWe open at nine."]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Name a folder"),
        (["{}"], "There is no file in it."),
        (["{}/none"], "There is no file or folder"),
        (["{}", "--chunk-overlap", "1000"], "The overlap is smaller"),
        (["{}", "--chunk-overlap", "501"], "The overlap is at most half of the chunk"),
    ],
)
def test_what_cannot_be_is_said_before_any_server_starts(options, said, tmp_path):
    if "--chunk-overlap" in options:
        (tmp_path / "a.txt").write_text("We open at nine.")
    with pytest.raises(CommandError, match=said):
        call_command("chunk", *(one.format(tmp_path) for one in options))
