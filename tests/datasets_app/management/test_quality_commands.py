"""`check_quality` and `freeze` for scripts: the answer, the exit status, the filtered version."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from datasets_app.corpus.layouts.registry import LAYOUTS
from datasets_app.jobs.freezing import freeze_version
from datasets_app.models import Version
from datasets_app.sample import conversations as sample
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add, support_dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def servers_of_the_test(monkeypatch, redis_server, postgres_server):
    """Let commands use the servers that the tests use."""
    monkeypatch.setenv("DATABASE_URL", postgres_server.url())
    monkeypatch.setenv("REDIS_URL", redis_server)


def run(capsys, *arguments):
    """Run a command; return its exit status and what it printed."""
    try:
        call_command(*arguments)
    except SystemExit as end:
        return end.code, capsys.readouterr().out
    return 0, capsys.readouterr().out


@pytest.fixture
def bad(cora):
    made = create_dataset("bad", by=cora)
    add(made, [row.conversation for row in sample.generate(count=400) if row.planted == "empty"])
    add(made, sample.bad_sample())
    return made


@pytest.mark.checklist(154, 155, 167)
def test_a_good_dataset_exits_0_with_its_score(cora, capsys):
    support_dataset(cora)
    status, out = run(capsys, "check_quality", "Support", "--json")
    report = json.loads(out)
    assert (status, report["verdict"]) == (0, "good")
    assert (report["total_conversations"], report["valid_conversations"]) == (32, 30)
    assert report["quality_score"] == pytest.approx(30 / 32)
    assert report["issue_summary"]["empty_outputs"] == 1


@pytest.mark.checklist(167, 171)
def test_a_critical_dataset_exits_1(bad, capsys):
    status, out = run(capsys, "check_quality", "bad")
    assert status == 1
    assert "quality score 0 %" in out


@pytest.mark.checklist(168, 169)
def test_filtering_makes_a_version_and_exits_0_although_the_original_is_critical(cora, capsys):
    mixed = create_dataset("mixed", by=cora)
    add(mixed, [*sample.bad_sample(), *sample.good_sample()[:4]])
    assert run(capsys, "check_quality", "mixed")[0] == 1
    status, out = run(capsys, "check_quality", "mixed", "--filter", "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["original"], answer["filtered"], answer["removed"]) == (12, 4, 8)
    assert Version.objects.get().name == "mixed_filtered"
    assert mixed.conversations.count() == 12


def test_freezing_by_command_prints_the_manifest(cora, capsys):
    support_dataset(cora)
    status, out = run(capsys, "freeze", "Support", "--name", "first", "--json")
    assert status == 0
    assert json.loads(out)["manifest"] == Version.objects.get(name="first").manifest_sha256


def test_an_unknown_dataset_is_answered_with_the_names_there_are(cora, capsys):
    support_dataset(cora)
    with pytest.raises(CommandError, match="Datasets: Support"):
        call_command("freeze", "Suport")


@pytest.mark.slow
def test_a_version_is_written_in_any_layout(cora, capsys, tmp_path):
    version = freeze_version(support_dataset(cora), user=cora)
    for name, layout in LAYOUTS.items():
        path = tmp_path / f"{name}.{layout.suffix}"
        status, out = run(
            capsys, "export_rows", str(version.pk), str(path), "--layout", name, "--json"
        )
        answer = {"version": str(version.pk), "layout": name, "rows": 30, "file": str(path)}
        assert (status, json.loads(out)) == (0, answer)
        data = path.read_bytes()
        assert data[:4] == b"PAR1" if name == "parquet" else b"parcel number 0" in data
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_rows", str(version.pk), str(path))
    with pytest.raises(CommandError):
        call_command("export_rows", "nothing of this name", str(tmp_path / "x"))
