"""OpenDocument texts: headings, paragraphs, lists and tables in the order of the page.

Deleted words are left out and inserted ones kept. Pictures, comments, headers and footers are
counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import Element

from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import Package, attribute, local, number
from datasets_app.corpus.chunks.headings import marked_headings
from datasets_app.corpus.formats import docx
from datasets_app.corpus.formats.format import Document, Format, Prose, Reader
from datasets_app.corpus.formats.opendocument import CONTENT, STYLES, hidden_styles, opened, words

LEFT_OUT = {"tracked-changes": "", "table-of-content": "line of contents", "annotation": "comment"}
"""What is passed over whole, and what its paragraphs, or it itself, count as."""
PASSED_OVER = {"image": "picture", "object": "object"}
CONTAINERS = frozenset({"list-item", "list-header", "table-cell", "table-row", "note-body"})
DEEPEST_HEADING = 6


@dataclass(slots=True)
class _Body:
    """What is open while the elements of a text pass by."""

    writer: docx.Writer
    hidden: set[str]
    around: list[str] = field(default_factory=list)
    rows: list[list[list[str]]] = field(default_factory=list)
    """Of each open table row, its cells; of each cell, its lines."""
    notes: list[str] = field(default_factory=list)
    passed: str = ""
    """What is being passed over."""

    def begin(self, tag: str) -> None:
        self.around.append(tag)
        if self.passed:
            return
        if tag in LEFT_OUT:
            self.passed = tag
        elif tag == "table-row":
            self.rows.append([])
        elif tag == "table-cell" and self.rows:
            self.rows[-1].append([])

    def end(self, element: Element) -> None:
        tag = self.around.pop()
        if self.passed:
            self._pass_over(tag)
        elif tag in {"p", "h"}:
            self._tell(tag, element)
        elif tag == "table-row" and self.rows:
            self._end_row(self.rows.pop())
        elif tag in PASSED_OVER:
            self.writer.pass_over(PASSED_OVER[tag])
        if "p" not in self.around and "h" not in self.around:
            element.clear()

    def _pass_over(self, tag: str) -> None:
        unit = LEFT_OUT[self.passed]
        is_over = tag == self.passed and tag not in self.around
        if unit and (is_over if self.passed == "annotation" else tag == "p"):
            self.writer.pass_over(unit)
        if is_over:
            self.passed = ""

    def _tell(self, tag: str, element: Element) -> None:
        text = words(element)
        if not text:
            return
        if self._is_hidden(element):
            self.writer.remark = "hidden_text"
        inside = next((name for name in reversed(self.around) if name in CONTAINERS), "")
        if inside == "note-body":
            self.notes.append(text)
        elif inside == "table-cell" and self.rows and self.rows[-1]:
            self.rows[-1][-1].append(text)
        elif tag == "h":
            level = min(max(1, number(attribute(element, "outline-level"))), DEEPEST_HEADING)
            line = f"{'#' * level} {' '.join(text.split())}"
            self.writer.tell(line, "paragraph", sort="paragraph")
        elif inside == "list-item":
            self.writer.tell(f"- {text}", "paragraph", sort="list")
        else:
            self.writer.tell(text, "paragraph", sort="paragraph")

    def _is_hidden(self, element: Element) -> bool:
        if not self.hidden:
            return False
        return any(attribute(inner, "style-name") in self.hidden for inner in element.iter())

    def _end_row(self, cells: list[list[str]]) -> None:
        texts = [" ".join(lines).replace("\n", " ") for lines in cells]
        line = " | ".join(texts)
        if any(texts) and self.rows and self.rows[-1]:  # a table inside a cell
            self.rows[-1][-1].append(line)
        elif any(texts):
            self.writer.tell(line, "table row", sort="row")


def extract(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the parts of a text; raises ArchiveStop for one that is not sound."""
    package = opened(file, out)
    writer = docx.Writer(out)
    body = _Body(writer, hidden_styles(package, "text", "display", "none"))
    is_inside = False
    for event, element in package.xml(CONTENT):
        tag = local(element.tag)
        if tag == "text" and not body.around:
            is_inside = event == "start"
        elif is_inside and event == "start":
            body.begin(tag)
        elif is_inside:
            body.end(element)
    for text in body.notes:
        writer.tell(text, "note", sort="paragraph")
    _count_aside(package, writer)


def _count_aside(package: Package, writer: docx.Writer) -> None:
    """Count the headers and footers that say anything."""
    for event, element in package.xml(STYLES) if STYLES in package.members else ():
        tag = local(element.tag)
        if event == "end" and tag in {"header", "footer"} and "".join(element.itertext()).strip():
            writer.pass_over(tag)


FORMAT = Format(
    kind="odt",
    name="an OpenDocument text",
    endings=("odt",),
    mimetype=b"application/vnd.oasis.opendocument.text",
    document=Document(extract, "part"),
    prose=Prose(marked_headings),
    reader=Reader("odt", 1, docx.read),
)
