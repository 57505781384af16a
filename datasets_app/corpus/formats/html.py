"""Web pages: sections under their headings, and questions with their answers.

Menus, banners, scripts and styles are counted and left out. The page is parsed in the limited
child, so nothing in it runs and nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats import jsonl
from datasets_app.corpus.formats.format import Document, Format, Reader
from datasets_app.corpus.pages.page import Answered, Page, Section, page_of
from datasets_app.corpus.readers.passages import FITTING_APART, pieces

TAGS = re.compile(r"(?i)<(html|head|body|div|p|span|table|ul|a|br|h[1-6]|script)\b")
FITTING = 2_000  # characters: sections are put together up to there; chosen by hand
SHORTEST_REST = 50  # beside answered questions, less is a line of the layout
SHOWN_HEADING = 80


def tell(head: TextHead) -> str | None:
    """Say why a text is a web page."""
    start = head.text.lstrip()[:200].casefold()
    if start.startswith(("<!doctype html", "<html")):
        return "it begins like a web page"
    if start.startswith("<?xml"):
        return "it begins like XML" if "<html" in head.text[:2000].casefold() else None
    known = {tag.casefold() for tag in TAGS.findall(head.text[:20_000])}
    if start.startswith("<") and len(known) >= 3:
        return "it begins with a tag and has several known ones"
    if head.ending in FORMAT.endings and known:
        return "its name says so, and it has tags"
    return None


def extract(file: BinaryIO, out: Out, _section: int, is_apart: bool = False) -> None:  # noqa: FBT001, FBT002 - an argument of the child
    """Tell the questions and sections of a page, each as a line of JSON."""
    page = page_of(file.read())
    if page.needs_script:
        message = (
            "This page shows nothing without JavaScript. Open it in a browser, save it there as a "
            "complete page, and upload that."
        )
        raise ArchiveStop("needs_script", message)
    fitting = FITTING_APART if is_apart else FITTING
    for number, (told, heading) in enumerate(_told(page, fitting), 1):
        shown = f" (“{heading[:SHOWN_HEADING]}”)" if heading else ""
        place = f"section {number:,}{shown}"
        if "question" not in told and len(told["text"]) < SHORTEST_REST and _has_answers(page):
            out.part("", place, "furniture")
        else:
            out.part(f"{json.dumps(told, ensure_ascii=False)}\n", place)
    for number in range(1, page.left_out + 1):
        out.part("", f"part {number:,} around the text", "furniture")


def _has_answers(page: Page) -> bool:
    return any(isinstance(item, Answered) for item in page.items)


def _told(page: Page, fitting: int) -> Iterator[tuple[dict[str, str], str]]:
    """Yield what the reader gets of each section, and its heading."""
    title = {"title": page.title} if page.title else {}
    for sort, items in groupby(page.items, type):
        if sort is Answered:
            for item in (one for one in items if isinstance(one, Answered)):
                below = {"heading": item.heading} if item.heading else {}
                told = {"question": item.question, "answer": item.answer}
                yield {**told, **title, **below}, item.question
        else:
            for text, heading in _packed(
                [one for one in items if isinstance(one, Section)], fitting
            ):
                below = {"heading": heading} if heading else {}
                for piece in pieces(text):
                    yield {"text": piece.strip("\n"), **title, **below}, heading


def _packed(sections: list[Section], fitting: int) -> Iterator[tuple[str, str]]:
    """Yield sections, short ones together; each is called by its first heading."""
    held: list[Section] = []
    for section in sections:
        if held and sum(len(one.whole) for one in (*held, section)) > fitting:
            yield "\n\n".join(one.whole for one in held), held[0].heading
            held.clear()
        held.append(section)
    if held:
        first = next((one.heading for one in held if one.heading), "")
        yield "\n\n".join(one.whole for one in held), first


FORMAT = Format(
    kind="html",
    name="a web page",
    endings=("html", "htm", "xhtml"),
    fits=("txt", "xml"),
    document=Document(extract, "section", keeps_apart=True),
    reader=Reader("page", 1, jsonl.read),
    of_text=tell,
)
