"""Word documents: the text of the body, paragraph by paragraph, in the order of the page.

Deleted words are left out and inserted ones kept. Pictures, comments, headers and footers are
counted. Macros are never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import Element

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import Package, attribute, local, number
from datasets_app.corpus.chunks.headings import marked_headings
from datasets_app.corpus.formats import transcript
from datasets_app.corpus.formats.format import Document, Format, Prose, Reader
from datasets_app.corpus.readers import passages
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import Item

BODY = re.compile(r"word/document\d{0,3}\.xml")
ASIDE = re.compile(r"word/(comments|header|footer)\d{0,4}\.xml")
LEFT_OUT = frozenset({"del", "moveFrom", "Fallback", "rt"})
"""What is deleted, or says again what stands beside it: a fallback, the sounds above a ruby."""
BREAKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
PASSED_OVER = {"blip": "picture", "imagedata": "picture", "altChunk": "file in the document"}
OFF = frozenset({"0", "false", "off"})
OWN_SIGNS = range(0xE000, 0xF900)
"""Numbers of signs that each font draws in its own way: what they mean stands nowhere."""
HEADING = re.compile(r"heading ([1-6])|(title)", re.IGNORECASE)
CONTENTS = re.compile(r"toc \d|toc heading", re.IGNORECASE)
SIGN = re.compile(r"[0-9A-Fa-f]{1,4}")
NOTES = ("word/footnotes.xml", "word/endnotes.xml")


@dataclass(slots=True)
class _Paragraph:
    """A paragraph that is still open: a text box may stand in the middle of another one."""

    pieces: list[str] = field(default_factory=list)
    style: str = ""
    level: int = 0
    is_listed: bool = False
    is_hidden: bool = False
    """Whether the words that come next are."""

    @property
    def text(self) -> str:
        return "".join(self.pieces).replace("\r", "\n").strip()


@dataclass(slots=True)
class Writer:
    """Tells parts of a document: like ones follow each other, others stand below a blank line."""

    out: Out
    before: str = ""
    remark: str = ""
    """What is odd in the text that will be told next."""
    counts: dict[str, int] = field(default_factory=dict)

    def tell(self, text: str, unit: str, *, sort: str) -> None:
        gap = "\n" if self.before and (sort == "paragraph" or sort != self.before) else ""
        self.out.part(f"{gap}{text}\n", self.place(unit), self.remark)
        self.before, self.remark = sort, ""

    def pass_over(self, unit: str) -> None:
        """Count a part that holds nothing to load."""
        self.out.part("", self.place(unit), "no_text")

    def place(self, unit: str) -> str:
        self.counts[unit] = self.counts.get(unit, 0) + 1
        return f"{unit} {self.counts[unit]:,}"


@dataclass(slots=True)
class _Body:
    """What is open while the elements of a document pass by."""

    writer: Writer
    styles: dict[str, str]
    unit: str = "paragraph"
    paragraphs: list[_Paragraph] = field(default_factory=list)
    rows: list[list[list[str]]] = field(default_factory=list)
    """Of each open table row, its cells; of each cell, its lines."""
    boundaries: list[int] = field(default_factory=list)
    """How many paragraphs were open where each open cell began."""

    def begin(self, tag: str) -> None:
        if tag == "p":
            self.paragraphs.append(_Paragraph())
        elif tag == "tr":
            self.rows.append([])
        elif tag == "tc" and self.rows:
            self.rows[-1].append([])
            self.boundaries.append(len(self.paragraphs))

    def end(self, tag: str, element: Element) -> None:
        if tag == "p":
            self._end_paragraph(self.paragraphs.pop())
        elif tag == "tc" and self.rows:
            self.boundaries.pop()
        elif tag == "tr":
            self._end_row(self.rows.pop())
        elif tag in PASSED_OVER:
            self.writer.pass_over(PASSED_OVER[tag])
        elif self.paragraphs:
            self._inside(self.paragraphs[-1], tag, element)

    def _inside(self, paragraph: _Paragraph, tag: str, element: Element) -> None:
        if tag == "t":
            self._add_text(paragraph, element.text or "")
        elif tag == "sym":
            self._add_sign(paragraph, attribute(element, "char"))
        elif tag == "vanish":
            paragraph.is_hidden = attribute(element, "val") not in OFF
        elif tag in {"r", "pPr"}:
            paragraph.is_hidden = False
        elif tag in BREAKS:
            paragraph.pieces.append(BREAKS[tag])
        elif tag == "pStyle":
            paragraph.style = self.styles.get(attribute(element, "val"), "")
        elif tag == "outlineLvl":
            level = number(attribute(element, "val")) + 1
            paragraph.level = level if level <= 6 else 0
        elif tag == "numPr":
            paragraph.is_listed = True

    def _add_text(self, paragraph: _Paragraph, text: str) -> None:
        paragraph.pieces.append(text)
        if paragraph.is_hidden and text.strip():
            self.writer.remark = "hidden_text"

    def _add_sign(self, paragraph: _Paragraph, digits: str) -> None:
        """Add a sign that is stated by its number."""
        code = int(digits, 16) if SIGN.fullmatch(digits) else OWN_SIGNS.start
        if code in OWN_SIGNS:
            self.writer.pass_over("sign of a font")
        else:
            paragraph.pieces.append(chr(code))

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        text = paragraph.text
        if not text:
            return
        if self.boundaries and len(self.paragraphs) >= self.boundaries[-1] and self.rows[-1]:
            self.rows[-1][-1].append(text)
        elif CONTENTS.fullmatch(paragraph.style):
            self.writer.pass_over("line of contents")
        elif found := HEADING.fullmatch(paragraph.style):
            self._tell_heading(text, int(found[1] or 1))
        elif paragraph.level:
            self._tell_heading(text, paragraph.level)
        elif paragraph.is_listed or paragraph.style.casefold().startswith("list "):
            self.writer.tell(f"- {text}", self.unit, sort="list")
        else:
            self.writer.tell(text, self.unit, sort="paragraph")

    def _tell_heading(self, text: str, level: int) -> None:
        self.writer.tell(f"{'#' * level} {' '.join(text.split())}", self.unit, sort="paragraph")

    def _end_row(self, cells: list[list[str]]) -> None:
        texts = ["\n".join(lines) for lines in cells]
        if not any(texts):
            return
        line = " | ".join(text.replace("\n", " ") for text in texts) if len(texts) > 1 else texts[0]
        if self.rows and self.rows[-1]:  # a table inside a cell
            self.rows[-1][-1].append(line)
        else:
            self.writer.tell(line, "table row", sort="row")


def extract(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the parts of a document; raises ArchiveStop for one that is not sound."""
    package = Package.checked(file, out.meter)
    (body, *_) = sorted(filter(BODY.fullmatch, package.members)) or [""]
    if not body:
        raise ArchiveStop("bad_document", "The text is missing inside this Word document.")
    styles = _styles(package)
    writer = Writer(out)
    _tell(_Body(writer, styles), package.xml(body))
    for name in NOTES:
        if name in package.members:
            _tell(_Body(writer, styles, "note"), package.xml(name))
    for name in sorted(package.members):
        if found := ASIDE.fullmatch(name):
            writer.pass_over(found[1])


def _tell(body: _Body, elements: Iterator[tuple[str, Element]]) -> None:
    depth = 0
    for event, element in elements:
        tag = local(element.tag)
        if tag in LEFT_OUT:
            depth += 1 if event == "start" else -1
        elif depth:
            pass
        elif event == "start":
            body.begin(tag)
        else:
            body.end(tag, element)
        if event == "end" and tag in {"p", "tr", "tbl", *LEFT_OUT}:
            element.clear()


def _styles(package: Package) -> dict[str, str]:
    """Return the names of the styles by their ids; those differ with the language of Word."""
    if "word/styles.xml" not in package.members:
        return {}
    names: dict[str, str] = {}
    style = ""
    for event, element in package.xml("word/styles.xml"):
        tag = local(element.tag)
        if event == "start" and tag == "style":
            style = attribute(element, "styleId")
        elif event == "end" and tag == "name" and style:
            names[style] = attribute(element, "val")
    return names


def read(job: Job) -> Iterator[Item]:
    """Yield the turns of a talk, or else passages that are cut where paragraphs end."""
    if transcript.speakers_of(job.head_text):
        return transcript.read(job)
    return passages.read_markdown(job)


FORMAT = Format(
    kind="docx",
    name="a Word document",
    endings=("docx", "docm"),
    in_zip=lambda members: any(BODY.fullmatch(name.decode("latin-1")) for name in members),
    document=Document(extract, "part"),
    prose=Prose(marked_headings),
    reader=Reader("docx", 3, read),
)
