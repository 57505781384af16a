"""The counts written beside the public data sets, where that folder stands next to the project."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from pathlib import Path

import pytest

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.archives.unpack import unpack
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.readers.reading import read
from datasets_app.corpus.source import ByteTally, Item, Problem, Record, WaitingError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not here")


def items(path: Path, name: str = "") -> list[Item]:
    """Return a file's items after checking that they tile it."""
    found = list(read(path, identify(path, name or path.name), name=name or path.name))
    at, tally = 0, ByteTally()
    for item in found:
        assert item.start == at
        at = item.end
        tally.add(item)
    assert at == tally.total == path.stat().st_size
    return found


def records(path: Path, name: str = "") -> list[Record]:
    return [item for item in items(path, name) if isinstance(item, Record)]


@pytest.mark.checklist(51, 52)
def test_cucom_gives_6000_conversations_with_assistants(tmp_path):
    (path,) = DATA.glob("cucom-ecommerce/**/*.zip")
    found: list[Record] = []
    for member in unpack(
        path, identify(path, path.name).format.archive, tmp_path, ArchiveLimits(), bool
    ):
        assert member.path
        found += records(member.path, member.name)
    assert len(found) == 6000
    assert {turn.role for record in found for turn in record.turns} == {"user", "assistant"}
    doubled = sum(
        any(a.role == b.role for a, b in zip(record.turns, record.turns[1:], strict=False))
        for record in found
    )
    assert doubled == 172
    assert list(tmp_path.iterdir()) == []


def test_sgd_gives_4598_conversations():
    found = records(DATA / "sgd-dialogues" / "derived_train_dialogs.jsonl")
    assert len(found) == 4598
    assert {turn.role for record in found for turn in record.turns} == {"user", "assistant"}


@pytest.mark.parametrize(
    ("pattern", "count", "talks"),
    [
        ("calltranscripts/**/*.json", 112, False),
        ("convo_*.json", 5, True),
        ("sample_processed_data.json", 188, True),
    ],
)
def test_each_call_is_one_record(pattern, count, talks):
    paths = sorted((DATA / "ms-call-transcripts").glob(pattern))
    found = [record for path in paths for record in records(path)]
    assert len(found) == count
    assert all((len(record.turns) > 1) is talks for record in found)


def test_calls_whose_speakers_say_their_role_once_are_talks_and_three_others_ask():
    found, asking = [], []
    for path in (DATA / "ms-call-transcripts").glob("transcriptsdata/**/*.json"):
        try:
            found += records(path)
        except WaitingError as error:  # as where `Operator` answers the phone, and `Ben` all else
            asking.append(error.waiting.code)
    assert (len(found), asking) == (102, ["needs_speakers"] * 3)
    for record in found:
        assert {turn.role for turn in record.turns} == {"user", "assistant"}
        assert len(record.turns) > 3


def test_the_table_about_the_calls_waits_for_its_columns():
    (path,) = (DATA / "ms-call-transcripts").glob("**/*.csv")
    with pytest.raises(WaitingError):
        items(path)


def test_tinyshakespeare_gives_144_passages():
    (path,) = (DATA / "tinyshakespeare").glob("*input*.txt")
    found = records(path)
    assert len(found) == 144
    data = path.read_bytes()
    kept = b"".join(data[record.start : record.end] for record in found)
    assert kept.replace(b"\n", b"") == data.replace(b"\n", b"")


def test_csv_spectrum_waits_and_its_rows_are_as_its_json_says():
    paths = sorted((DATA / "csv-spectrum" / "csvs").glob("*.csv"))
    assert len(paths) == 12
    for path in paths:
        told = json.loads((DATA / "csv-spectrum" / "json" / f"{path.stem}.json").read_text())
        with pytest.raises(WaitingError) as waiting:
            items(path)
        shown = waiting.value.waiting
        rows = [dict(zip(shown.columns, row, strict=True)) for row in shown.rows]
        told = told if isinstance(told, list) else [told]
        if path.stem == "location_coordinates":  # its JSON has another number than its CSV
            told[0]["Contact Phone Number"] = "2095257564"
        newlines = json.loads(json.dumps(rows).replace("\\r\\n", "\\n"))
        assert newlines == json.loads(json.dumps(told).replace("\\r\\n", "\\n")), path.name


def test_json_test_suite_never_crashes():
    ends: Counter[str] = Counter()
    for path in sorted((DATA / "json-test-suite").rglob("*.json")):
        if not identify(path, path.name).format.reader:
            ends["refused"] += 1
            continue
        try:
            found = items(path)
        except WaitingError:
            ends["waiting"] += 1
            continue
        problems = [item for item in found if isinstance(item, Problem)]
        assert all(problem.line >= 1 and problem.message for problem in problems)
        ends["read"] += 1
    assert sum(ends.values()) == 340


def test_naughty_strings_are_unchanged():
    path = DATA / "naughty-strings" / "blns.json"
    assert [r.turns[0].text for r in records(path)] == json.loads(path.read_text())
    assert len(records(path)) == 515
    assert records(DATA / "naughty-strings" / "blns.txt")


def test_faqs_and_shopping_lists_of_many_shapes():
    assert len(records(DATA / "dstc9-faq" / "knowledge.json")) == 2900
    squad = [record for path in (DATA / "squad2-dev").glob("*.json") for record in records(path)]
    assert len(squad) == 2910
    xquad = [len(records(path)) for path in sorted((DATA / "xquad").glob("*.json"))]
    assert xquad == [1190] * 8
    korean = DATA / "korean-chatbot"
    (path,) = korean.glob("*.csv")
    with path.open(newline="", encoding="utf-8") as file:
        assert len(records(path)) == sum(1 for _ in csv.DictReader(file)) == 11_823


@pytest.mark.slow
def test_every_file_of_every_set_is_read_refused_or_waits():
    for path in sorted(DATA.rglob("*")):
        found = identify(path, path.name).format if path.is_file() else None
        if found and found.reader and not found.document:
            try:
                items(path)
            except WaitingError as waiting:
                assert waiting.waiting.why  # noqa: PT017


def test_json_lines_are_read_at_ten_megabytes_a_second(tmp_path):
    line = (DATA / "sgd-dialogues" / "derived_train_dialogs.jsonl").read_bytes()
    path = tmp_path / "big.jsonl"
    path.write_bytes(line * 4)
    found = identify(path, path.name)
    start = time.process_time()
    count = sum(isinstance(item, Record) for item in read(path, found))
    speed = path.stat().st_size / (time.process_time() - start) / 1e6
    assert count == 4 * 4598
    assert speed >= 10, speed
