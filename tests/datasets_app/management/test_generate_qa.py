"""`generate_qa`, and files of pairs in the earlier layout: written, and brought in again."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from datasets_app.jobs.generating import generate_pairs
from datasets_app.models import Dataset, Pair, PairGeneration

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir", "given_servers"),
]
FIRST = "The shop opens at nine. You may come on any working day you like."
SECOND = "If you lose your card, call the desk at once."
CHUNKS = {
    "metadata": {"source_file": "guide.md"},
    "chunks": [{"content": FIRST}, {"content": SECOND}],
}


@pytest.fixture
def given_servers(monkeypatch, postgres_server, redis_server):
    monkeypatch.setenv("DATABASE_URL", postgres_server.url())
    monkeypatch.setenv("REDIS_URL", redis_server)


def run(capsys, *arguments):
    call_command("generate_qa", *arguments, "--json")
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_folder_of_chunks_becomes_pairs_that_go_out_and_come_in_again(
    tmp_path, capsys, client, cora
):
    (tmp_path / "guide_chunks.json").write_text(json.dumps(CHUNKS), "utf-8")
    out = tmp_path / "out"
    given = ["--input-dir", str(tmp_path), "--dataset", "Guide", "--output-dir", str(out)]
    told = run(capsys, *given, "--questions-per-chunk", "2", "--verbose")
    assert (told["state"], told["chunks"], told["achieved"], told["asked"]) == (
        "succeeded",
        2,
        2,
        4,
    )
    assert told["patterns"] == {"What to do in a case": 1, "What may or must be done": 1}
    again = run(capsys, *given, "--resume")
    assert (again["order"], again["new"]) == (told["order"], 2)
    file = json.loads((out / "guide_qa.json").read_text("utf-8"))
    assert file["metadata"]["status"] == "completed"
    assert file["metadata"]["qa_count"] == 2
    assert file["completed_chunks"] == ["guide_chunk_0", "guide_chunk_1"]
    first, second = file["training_pairs"]
    assert (first["question"], first["file_type"]) == (
        "May I come on any working day I like?",
        "md",
    )
    assert (second["answer"], second["chunk_index"], second["source_text"]) == (SECOND, 1, SECOND)
    assert first["source_text"][first["answer_start"] : first["answer_end"]] == first["answer"]
    _goes_out_and_comes_in(client, cora, told["order"], file)


def _goes_out_and_comes_in(client, cora, order_id, file):
    client.force_login(cora)
    source = Dataset.objects.get(name="Guide")
    sent = client.get(reverse("pairs-download", args=[source.pk, order_id]))
    with zipfile.ZipFile(io.BytesIO(b"".join(sent.streaming_content))) as archive:
        assert json.loads(archive.read("guide_qa.json")) == file

    for pair in file["training_pairs"]:  # as the earlier pipeline counted: index × step
        pair["chunk_start"], pair["chunk_end"] = pair["chunk_index"] * 800, 0
    other = Dataset.objects.create(name="Other", policy=source.policy)
    address = reverse("pairs-bring", args=[other.pk])
    body = SimpleUploadedFile("guide_qa.json", json.dumps(file).encode())
    answer = client.post(address, {"sent": [body], "name": "Brought"})
    assert answer.status_code == 302
    order = PairGeneration.objects.latest("created_at")
    generate_pairs(order.pk)
    order.refresh_from_db()
    assert (order.state, order.n_new, order.by) == ("succeeded", 2, "local:built-in")
    for pair in Pair.objects.filter(item__generation=order):
        text = pair.chunk.document.text
        assert text[pair.start : pair.end] == pair.conversation.turns[1]["text"]
    bad = SimpleUploadedFile("x_qa.json", b'{"training_pairs": [{}]}')
    refused = client.post(address, {"sent": [bad], "name": "Bad"})
    assert refused.status_code == 422
    assert "pair 1 needs" in refused.content.decode()


def test_what_cannot_be_says_why(tmp_path, capsys):
    for given, words in (
        (["--input-dir", str(tmp_path / "no")], "no folder"),
        (["--input-dir", str(tmp_path)], "no file"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("generate_qa", *given, "--dataset", "Guide")
    (tmp_path / "guide_chunks.json").write_text(json.dumps(CHUNKS), "utf-8")
    given = ["--input-dir", str(tmp_path), "--dataset", "Guide"]
    with pytest.raises(CommandError, match="no provider"):
        call_command("generate_qa", *given, "--provider", "openai")
    with pytest.raises(CommandError, match="has no chunks"):
        call_command("generate_qa", "--chunk-set", "Nothing", "--dataset", "Guide")
