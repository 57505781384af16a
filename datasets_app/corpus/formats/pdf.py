"""PDF: the text of its pages as passages, or as turns where its lines have speakers.

Lines become paragraphs, columns are read one after the other, and what stands on every page is
left out. A page without text, or with letters that mean nothing, says so; the others load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.chunks.headings import marked_headings
from datasets_app.corpus.formats import docx
from datasets_app.corpus.formats.format import Document, Format, Prose, Reader
from datasets_app.corpus.formats.pdf_lines import Line, lines_of
from datasets_app.corpus.formats.pdf_text import Furniture, Paragraphs, goes_on, is_unreadable

MOST_PAGES = 20_000
PASSWORD = 4  # FPDF_ERR_PASSWORD
NO_TEXT = (
    "This PDF holds pictures of its pages and no text. Have a program recognise the text (OCR), "
    "and upload what that saves."
)


def extract(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the pages; raises ArchiveStop for a file that holds none, or no text at all."""
    document = _opened(file)
    if len(document) > MOST_PAGES:
        message = f"It has {len(document):,} pages; up to {MOST_PAGES:,} are read. Divide it."
        raise ArchiveStop("too_many", message)
    pages = list(_pages(document))
    if not any(lines for lines, _ in pages):
        if all(reason == "bad_page" for _, reason in pages):
            raise ArchiveStop("bad_document", "None of its pages can be read.")
        raise ArchiveStop("needs_ocr", NO_TEXT)
    furniture, paragraphs = Furniture(), Paragraphs()
    for lines, _ in pages:
        furniture.see(lines)
    before = ""
    for number, (lines, reason) in enumerate(pages, 1):
        text = "" if reason else paragraphs.of(furniture.without(lines))
        if text:
            out.part(" " if goes_on(before, text) else "\n\n" if before else "", "")
            before = text
        out.part(text, f"page {number:,}", reason or ("" if text else "no_text"))


def _opened(file: BinaryIO) -> Any:
    from pypdfium2 import PdfDocument, PdfiumError  # noqa: PLC0415 - only the child loads it

    try:
        return PdfDocument(file.read())
    except PdfiumError as error:
        if getattr(error, "err_code", None) == PASSWORD or "password" in str(error).casefold():
            message = "It is protected by a password. Save it without one and upload that."
            raise ArchiveStop("encrypted", message) from None
        message = "The PDF is damaged. Open it, print or save it as a PDF again and upload that."
        raise ArchiveStop("bad_document", message) from None


def _pages(document: Any) -> Iterator[tuple[list[Line], str]]:
    """Yield the lines of each page, and why there are none."""
    from pypdfium2 import PdfiumError  # noqa: PLC0415

    for number in range(len(document)):
        try:
            page = document[number]
            textpage = page.get_textpage()
            lines = lines_of(textpage)
            has_picture = not lines and any(True for _ in page.get_objects(max_depth=3))
            textpage.close()
            page.close()
        except PdfiumError:
            yield [], "bad_page"
            continue
        if is_unreadable(lines):
            yield lines, "unreadable"
        else:
            yield lines, "needs_ocr" if has_picture else ""


FORMAT = Format(
    kind="pdf",
    name="a PDF",
    endings=("pdf",),
    magic=(b"%PDF-",),
    document=Document(extract, "page"),
    prose=Prose(marked_headings),
    reader=Reader("pdf", 1, docx.read),
)
