"""Small inputs that rules once judged wrongly, as a file is read and judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.readers import reading
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard
from datasets_app.corpus.source import Record

CASES = Path(__file__).resolve().parents[4] / "shared/cases"
pytestmark = pytest.mark.skipif(
    not CASES.exists(), reason="the cases lie beside the repository only"
)


def judged(path: Path) -> list[tuple[str, set[str]]]:
    found = []
    for item in reading.read(path, identify(path, path.name), name=path.name):
        if isinstance(item, Record):
            judgement = judge(item.conversation, standard())
            found.append((judgement.status, {finding.rule for finding in judgement.findings}))
    return found


@pytest.mark.parametrize(
    ("place", "rows"),
    [
        ("b-03-score-100-although-nothing-is-usable/usr_sys.json", 1),
        ("b-05-tool-role/tool.jsonl", 1),
        ("b-07-zh-phone-numbers-are-gibberish/zh_phone.jsonl", 2),
        ("b-08-echo-on-extractive-answers/squad.json", 3),
        ("b-09-echo-with-new-facts-in-digits/echo_number.jsonl", 2),
    ],
)
def test_what_is_right_is_kept(place, rows):
    assert [status for status, _ in judged(CASES / place)] == ["kept"] * rows
