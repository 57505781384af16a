from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.corpus.archives.limits import ArchiveLimits, Meter
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.kinds import Identified, identify
from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.readers.reading import read
from datasets_app.corpus.readers.rendition import Rendition
from datasets_app.corpus.source import REASONS, Gap, Mapping, PartTally, Record
from tests.datasets_app.corpus.conftest import read_file
from tests.datasets_app.office import paragraph, workbook
from tests.datasets_app.office import written as written_docx

SIGNS = st.sampled_from(
    [
        *("{", "}", "[", "]", '"', ",", ":", "\\", "\n", "\r", "\r\n", "\t", ";", "//", "/*", "*/"),
        *('{"input":"a","output":"b"}', '"messages":', '{"role":"user","content":"x"}', "NaN"),
        *("Agent: hi there you", "Customer: yes, of course", "**Q:** ", "question,answer", "---"),
        *("\ufeff", "\u2028", "\0", "é", "\ud7ff", "1e999", "null", "word. ", "\n\n", "```"),
    ]
)
TEXTS = st.lists(SIGNS, max_size=60).map(lambda parts: "".join(parts).encode())
MIXED = st.tuples(TEXTS, st.binary(max_size=5)).map(b"".join)
BYTES = st.one_of(st.binary(max_size=400), TEXTS, MIXED)


def written(folder: str, data: bytes) -> Path:
    path = Path(folder) / "blob"
    path.write_bytes(data)
    return path


def is_sound(item):
    """See that an item is one that can be stored, and shown with a sentence."""
    if isinstance(item, Record):
        for turn in item.turns:
            (turn.role + turn.text).encode()
            assert "\0" not in turn.text
            assert "\r" not in turn.text
    elif isinstance(item, Gap):
        assert item.reason in REASONS
    else:
        assert item.code in REASONS


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", sorted(kind for kind, found in FORMATS.items() if found.reader and not found.document)
)
@settings(max_examples=60, deadline=None)
@given(data=BYTES)
def test_any_bytes_tile_or_are_refused_in_a_sentence(kind, data):
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, data)
        for choices in ({}, {"encoding": "cp1252"}, {"mapping": Mapping(text="a")}):
            try:
                reading = read_file(path, "x", Identified(kind, ()), **choices)
            except CorpusError as error:
                assert str(error)  # noqa: PT017 - every refusal is a sentence
                continue
            for item in reading.items:
                is_sound(item)


def of_word(text):
    return written_docx("".join(paragraph(escape(line)) for line in text.split("\n\n")))


def of_page(text):
    parts = text.split("\n\n")
    return "".join(f"<h2>{part[:9]}</h2><p>{part}<b>?</b></p>{part}" for part in parts).encode()


def of_xml(text):
    parts = (f"<q>{escape(part)}</q><a>{escape(part)}</a>" for part in text.split("\n\n"))
    return f"<?xml version='1.0'?><faq>{''.join(parts)}</faq>".encode()


def of_sheet(text):
    return workbook(A=[line.split(",") for line in text.split("\n")])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "made"), [("docx", of_word), ("sheet", of_sheet), ("html", of_page), ("xml", of_xml)]
)
@settings(max_examples=40, deadline=None)
@given(
    text=TEXTS.map(
        lambda data: re.sub(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", data.decode())
    )
)
def test_whatever_stands_in_a_document_tiles_and_each_part_counts(kind, made, text):
    told, found = io.StringIO(), FORMATS[kind]
    out = Out(Path(), told, Meter(ArchiveLimits.of_document()))
    found.document.extract(io.BytesIO(made(text)), out, 1)
    parts = [json.loads(line) for line in told.getvalue().splitlines()]
    for mapping in (None, Mapping(text="a")):
        tally, at = PartTally(), 0
        rendition = Rendition(iter(parts), tally)
        job = Job(rendition, rendition.peek(1 << 20), mapping)
        try:
            for item in rendition.items(found.reader.read(job)):
                is_sound(item)
                assert item.start == at
                at = item.end
        except CorpusError as error:
            assert str(error)  # noqa: PT017 - every refusal is a sentence
            continue
        assert at == sum(len(part[0].encode()) for part in parts)
        assert tally.total == sum(1 for text, place, reason in parts if reason or (place and text))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=BYTES, name=st.sampled_from(["a", "a.json", "a.jsonl", "a.csv", "a.md", "a.zip"]))
def test_any_bytes_have_a_kind(data, name):
    with tempfile.TemporaryDirectory() as folder:
        found = identify(written(folder, data), name)
        assert found.kind in FORMATS


def test_a_kind_without_a_reader_is_refused_with_the_next_step(tmp_path):
    path = written(str(tmp_path), b"{\\rtf1 x}")
    with pytest.raises(CorpusError, match=r"\.txt"):
        next(read(path, Identified("rtf", ())))
