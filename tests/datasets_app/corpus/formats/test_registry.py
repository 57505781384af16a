"""What every format of the registry states, and what the documentation says about them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from datasets_app.corpus.conversation import Turn
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.formats.registry import (
    FORMATS,
    archive_endings,
    has_columns,
    readable_endings,
    reader_of,
)
from datasets_app.corpus.parsing.lines import split_lines
from datasets_app.corpus.readers import reading
from datasets_app.corpus.readers.job import decoded
from datasets_app.corpus.source import CorpusError, Record

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_is_whole(kind):
    found = FORMATS[kind]
    assert found.name[0].islower() or found.name.split()[0].isupper() or found.reader
    assert len(kind) <= 30  # as long as the column that keeps it
    for ending in (*found.endings, *found.fits):
        assert ending == ending.casefold().lstrip(".")
    if found.refusal:
        assert found.refusal.endswith(".")
        with pytest.raises(CorpusError, match=r"^[A-Z].*\.$"):
            reader_of(kind)


def test_no_two_formats_claim_one_ending_or_mark():
    endings = Counter(ending for found in FORMATS.values() for ending in found.endings)
    marks = Counter(mark for found in FORMATS.values() for mark in found.magic)
    assert max(endings.values()) == max(marks.values()) == 1


def test_a_format_is_read_opened_or_refused():
    with pytest.raises(ValueError, match="either"):
        Format(kind="new", name="a new one")


def test_only_tables_have_columns():
    assert has_columns("csv")
    assert not has_columns("txt")
    assert not has_columns("a kind of an earlier release")


def test_the_documentation_lists_what_is_read_and_opened():
    text = (ROOT / "docs/FEATURES.md").read_text("utf-8")
    (line,) = (part for part in text.replace("\n  ", " ").split("\n") if "`Name:` lines" in part)
    words = set(line.replace(",", " ").replace(".\n", " ").replace(". ", " ").split())
    missing = {*readable_endings(), *archive_endings()} - {word.rstrip(".") for word in words}
    assert not missing, sorted(missing)


@pytest.fixture
def with_one_more():
    """Give a function that changes the registry, whose order counts, until the test is over."""
    before = dict(FORMATS)

    def changed(formats):
        FORMATS.clear()
        FORMATS.update(formats)

    yield changed
    changed(before)


@pytest.mark.checklist(144)
def test_a_new_format_is_told_read_and_listed_by_its_one_entry(with_one_more, tmp_path):
    def read(job):
        for line in split_lines(job.stream):
            yield Record(line.start, line.end, (Turn("text", decoded(line.data).strip()),))

    found = Format(
        kind="sample",
        name="a sample of a format",
        endings=("sample",),
        reader=Reader("sample", 1, read),
        of_text=lambda head: "it begins so" if head.text.startswith("%sample") else None,
    )
    with_one_more({found.kind: found, **FORMATS})
    assert "sample" in readable_endings()
    path = tmp_path / "notes"
    path.write_text("%sample\none line of it\n")
    identified = identify(path, "notes")
    assert (identified.kind, identified.format.name) == ("sample", "a sample of a format")
    told = [item.turns[0].text for item in reading.read(path, identified)]
    assert told == ["%sample", "one line of it"]
    recipe = (ROOT / "docs/CONTRIBUTING.md").read_text("utf-8")
    assert "## Recipe: add a file format" in recipe
