from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from datasets_app.corpus.detection import kinds
from datasets_app.corpus.formats.registry import FORMATS

PAIR = b'{"input": "a", "output": "b"}'


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "application/epub+zip" if name == "mimetype" else "x")
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return out.getvalue()


CASES = [
    (b"plain words", "a.txt", "txt"),
    (PAIR, "a.json", "json"),
    (PAIR + b"\n" + PAIR, "a.ndjson", "jsonl"),
    (b"question,answer\na,b\nc,d\n", "a", "csv"),
    (b"q\ta\nb\tc\nd\te\n", "a", "tsv"),
    (b"# T\n\n## U\n\nx\n", "a", "md"),
    (zipped("a.txt"), "a", "zip"),
    (tarred(), "a", "tar"),
    (gzip.compress(tarred()), "a.gz", "tar.gz"),
    (bz2.compress(tarred()), "a", "tar.bz2"),
    (lzma.compress(tarred()), "a", "tar.xz"),
    (gzip.compress(b"text"), "a.gz", "gz"),
    (b"\0" * 10240, "empty.tar", "tar"),
    (zipped("word/document.xml"), "a.zip", "docx"),
    (zipped("xl/workbook.xml"), "a.zip", "xlsx"),
    (zipped("mimetype"), "a.zip", "epub"),
    (zipped("META-INF/MANIFEST.MF"), "a.zip", "jar"),
    (b"%PDF-1.4\n" + zipped("a.txt"), "a.zip", "pdf"),
    (b"\x89PNG\r\n\x1a\n\0\0", "a.md", "image"),
    (b"MZ\x90\0\x03\0\0\0", "x.csv", "program"),
    (b"<!DOCTYPE html><html><body>x</body></html>", "a.txt", "html"),
    (b"From: a@b\nTo: c@d\nSubject: x\n\nHello", "a.txt", "eml"),
    (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi", "a.txt", "subtitle"),
    (b"Rar!\x1a\x07\x00", "a.zip", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "a", "7z"),
    (bytes(range(256)) * 8, "a.txt", "binary"),
    (b"\x80\x04\x95\0\0", "model.txt", "model"),
    (b"ID3\x03\0\0\0\0\x0f\x76" + b"TIT2", "a.mp3", "audio"),
    *(
        (mark + b",question\n1,a\n2,b\n", "a.csv", "csv")
        for mark in (b"ID3", b"OggS", b"fLaC", b"GIF89a", b"GGUF", b"PAR1", b"BZh", b"the ftyp")
    ),
    (b"\n" * (1 << 20) + b"words at last", "a.txt", "txt"),
    (b"\n" * ((1 << 20) + 9), "a.txt", "empty"),
]


@pytest.mark.checklist(44, 57)
@pytest.mark.parametrize("libmagic", [True, False])
@pytest.mark.parametrize(
    ("data", "name", "kind"), CASES, ids=[f"{c[2]}-{c[1]}-{n}" for n, c in enumerate(CASES)]
)
def test_content_decides_the_kind_with_or_without_libmagic(
    kind_of, monkeypatch, data, name, kind, libmagic
):
    if not libmagic:
        monkeypatch.setattr(kinds, "magic", None)
    found = kind_of(data, name)
    assert found.kind == kind
    assert found.why
    assert found.kind in FORMATS


def test_a_document_that_is_stored_in_a_zip_does_not_make_it_one(kind_of):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.docx", zipped("word/document.xml"))
    assert kind_of(out.getvalue()).kind == "zip"
    assert kind_of(out.getvalue()[:-30]).kind == "zip"


@pytest.mark.checklist(44)
def test_a_name_that_promises_another_kind_is_noted(kind_of):
    found = kind_of(b"[" + PAIR + b"]", "a.txt")
    assert found.notes == ("The name ends in .txt, but the file holds json: read as json.",)
    assert kind_of(b"just words", "a.txt").notes == ()
