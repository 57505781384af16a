"""`judge`, `format_pairs` and `combine` with files of the earlier pipeline."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from datasets_app.models import Dataset, Scoring

PASSAGE = "The gift shop opens at 9:30 and closes at 17:00. Anna Berg looks after the garden."
PAIRS = [
    ("When does the gift shop open?", "The gift shop opens at 9:30 and closes at 17:00."),
    ("Who looks after the garden?", "Anna Berg looks after the garden."),
    ("When does the gift shop close?", "The gift shop closes at 23:45."),
]


@pytest.fixture
def servers_of_the_test(monkeypatch, redis_server, postgres_server):
    """Let commands use the servers that the tests use."""
    monkeypatch.setenv("DATABASE_URL", postgres_server.url())
    monkeypatch.setenv("REDIS_URL", redis_server)


@pytest.fixture
def qa_file(tmp_path):
    told = [
        {"question": asked, "answer": said, "source_file": "shop.md", "source_text": PASSAGE}
        for asked, said in PAIRS
    ]
    path = tmp_path / "shop_qa.json"
    path.write_text(json.dumps({"metadata": {"status": "completed"}, "training_pairs": told}))
    return path


def told(capsys):
    return capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("servers_of_the_test", "data_dir")
def test_a_file_of_pairs_is_judged_and_written_as_training_text(qa_file, tmp_path, capsys):
    report, filtered = tmp_path / "shop_validation.json", tmp_path / "kept.json"
    files = {"output": str(report), "filtered_output": str(filtered)}
    call_command("judge", input=str(qa_file), **files, filter_threshold=7.0, verbose=True)
    said = told(capsys)
    assert "PASS: 2 (66.7%)" in said
    assert "FAIL: 1 (33.3%)" in said
    assert "FAIL: When does the gift shop close? (" in said
    assert "is not in the source" in said
    assert "Overall: 9-10: 2 (66.7%)" in said
    assert json.loads(report.read_text())["summary_statistics"]["fail_count"] == 1
    assert len(json.loads(filtered.read_text())["filtered_pairs"]) == 2
    assert Dataset.objects.get().name == "shop_qa"
    call_command("judge", input="shop_qa", resume=True, json=True)
    assert json.loads(told(capsys).splitlines()[-1])["PASS"] == 2
    assert Scoring.objects.count() == 1  # it went on with the one there is
    out = tmp_path / "training_data_final.jsonl"
    call_command("format_pairs", input=str(report), output=str(out), verbose=True)
    assert "2 of 3 kept" in (said := told(capsys))
    assert "dropped" in said
    line = json.loads(out.read_text().splitlines()[0])
    assert line["text"].startswith("### Instruction:\nWhen does the gift shop open?")
    assert line["source_file"] == "shop.md"
    call_command("format_pairs", input=str(report), output=str(out), threshold=0.0)
    assert "3 of 3 kept" in told(capsys)
    Dataset.objects.create(name="Empty")
    with pytest.raises(CommandError, match="no pairs"):
        call_command("judge", input="Empty")


@pytest.mark.checklist(329, 330, 331)
def test_files_are_combined_once_each_with_where_they_came_from(qa_file, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a_qa.json").write_bytes(qa_file.read_bytes())
    more = [{"question": PAIRS[0][0], "answer": PAIRS[0][1]}, {"question": "Q?", "answer": "A."}]
    (folder / "b.jsonl").write_text("\n".join(map(json.dumps, more)))
    (folder / "c.json").write_text("no json")
    (folder / "notes.txt").write_text("not looked at")
    out = tmp_path / "all.json"
    call_command("combine", input_dir=str(folder), output=str(out), verbose=True)
    said = told(capsys)
    assert "4 pairs of 3 files; 1 said twice" in said
    assert "b.jsonl: 2 pairs, 1 repeated" in said
    assert "a_qa.json: 3 pairs, 0 repeated" in said
    assert "Expecting value" in said
    value = json.loads(out.read_text())
    assert value["metadata"]["sources"]["a_qa.json"] == {"pairs": 3, "repeated": 0}
    assert value["metadata"]["repeated"] == 1
    assert [one["source_file"] for one in value["filtered_pairs"]] == [*["shop.md"] * 3, "b.jsonl"]
    for wrong in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(CommandError):
            call_command("combine", input_dir=str(tmp_path / wrong), output=str(out))


def test_what_is_no_report_is_said(tmp_path):
    wrong = tmp_path / "x.json"
    wrong.write_text("{}")
    with pytest.raises(CommandError, match="no file of pairs"):
        call_command("format_pairs", input=str(wrong), output=str(tmp_path / "y"))
