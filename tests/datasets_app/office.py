"""Office files for tests: some by other parties' libraries, some written member by member."""

from __future__ import annotations

import io
import struct
import zipfile

import docx
import openpyxl

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word(*paragraphs: str) -> bytes:
    """Return a Word document of plain paragraphs; `# ` makes a heading."""
    document = docx.Document()
    for text in paragraphs:
        if text.startswith("# "):
            document.add_heading(text[2:], 1)
        else:
            document.add_paragraph(text)
    return saved(document)


def saved(document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def written(body: str, head: str = "", **members: str | bytes) -> bytes:
    """Return a Word document whose body is this XML, with further members beside it."""
    xml = f'<?xml version="1.0"?>{head}<w:document {W}><w:body>{body}</w:body></w:document>'
    return packed({"[Content_Types].xml": "<Types/>", "word/document.xml": xml, **members})


def packed(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


ODF = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        *(("office", "office"), ("text", "text"), ("table", "table"), ("style", "style")),
        *(("draw", "drawing"), ("calcext", "calcext"), ("dc", "dc")),
    )
)


def open_document(kind: str, body: str, styles: str = "", head: str = "", **more: str) -> bytes:
    """Return an OpenDocument `text` or `spreadsheet` with this body, as LibreOffice packs it."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content {ODF} '
        f'office:version="1.3"><office:automatic-styles>{styles}</office:automatic-styles>'
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
        "</office:document-content>"
    )
    manifest = (
        "<manifest:manifest xmlns:manifest='urn:m'><manifest:file-entry/></manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        mimetype = f"application/vnd.oasis.opendocument.{kind}"
        archive.writestr("mimetype", mimetype, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        for name, text in ({"META-INF/manifest.xml": manifest} | more).items():
            archive.writestr(name, text)
    return out.getvalue()


def open_cell(value: object, more: str = "") -> str:
    """Return a cell of an OpenDocument sheet that shows a text or a number."""
    if isinstance(value, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{value}" {more}/>'
    shown = "".join(f"<text:p>{line}</text:p>" for line in str(value).split("\n"))
    return f'<table:table-cell office:value-type="string" {more}>{shown}</table:table-cell>'


def open_sheet(title: str, rows: list[list], more: str = "") -> str:
    """Return a sheet of an OpenDocument workbook."""
    lines = "".join(
        f"<table:table-row>{''.join(map(open_cell, row))}</table:table-row>" for row in rows
    )
    return f'<table:table table:name="{title}" {more}>{lines}</table:table>'


def workbook(**sheets: list[list]) -> bytes:
    """Return a workbook with these rows in these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return saved(book)


def changed(data: bytes, name: str, new: bytes | None) -> bytes:
    """Return a package with one member changed, or left out when that is None."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {found: archive.read(found) for found in archive.namelist()}
    members.pop(name)
    return packed(members if new is None else {**members, name: new})


def ole(*streams: str) -> bytes:
    """Return a compound file as older Office programs write it, with these streams."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0")
    header += struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6)
    header = header.ljust(48, b"\0") + struct.pack("<I", 0)
    entries = b""
    for name in ("Root Entry", *streams):
        encoded = name.encode("utf-16-le")
        entries += (encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded) + 2)).ljust(
            128, b"\0"
        )
    return header.ljust(512, b"\0") + entries.ljust(4096, b"\0")
