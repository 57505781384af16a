from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.kinds import Identified, identify
from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.corpus.readers.reading import read
from datasets_app.corpus.source import REASONS, Gap, Mapping, Record
from tests.datasets_app.corpus.conftest import read_file

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
                if isinstance(item, Record):
                    for turn in item.turns:
                        (turn.role + turn.text).encode()
                        assert "\0" not in turn.text
                elif isinstance(item, Gap):
                    assert item.reason in REASONS
                else:
                    assert item.code in REASONS


@settings(max_examples=200, deadline=None)
@given(data=BYTES, name=st.sampled_from(["a", "a.json", "a.jsonl", "a.csv", "a.md", "a.zip"]))
def test_any_bytes_have_a_kind(data, name):
    with tempfile.TemporaryDirectory() as folder:
        found = identify(written(folder, data), name)
        assert found.kind in FORMATS


def test_a_kind_without_a_reader_is_refused_with_the_next_step(tmp_path):
    path = written(str(tmp_path), b"%PDF-1.7")
    with pytest.raises(CorpusError, match=r"\.txt"):
        next(read(path, Identified("pdf", ())))
