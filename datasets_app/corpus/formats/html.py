"""Web pages: sections under their headings, and questions with their answers.

Menus, banners, scripts and styles are counted and left out. The page is parsed in the limited
child, so nothing in it runs and nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email import message_from_binary_file, policy
from itertools import groupby
from typing import BinaryIO

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.chunks.headings import marked_headings
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats import jsonl
from datasets_app.corpus.formats.format import Document, Format, Prose, Reader
from datasets_app.corpus.pages.chats import PageChat, chat_of
from datasets_app.corpus.pages.page import Answered, Page, Section, page_of
from datasets_app.corpus.pages.tree import decoded
from datasets_app.corpus.readers.passages import FITTING_APART, pieces

TAGS = re.compile(r"(?i)<(html|head|body|div|p|span|table|ul|a|br|h[1-6]|script)\b")
FITTING = 2_000  # characters: sections are put together up to there; chosen by hand
SHORTEST_REST = 50  # beside answered questions, less is a line of the layout
SHOWN_HEADING = 80
MOST_MESSAGES = 10_000  # of a chat in one line of JSON, which may be 16 MiB long
PAGES = frozenset({"text/html", "application/xhtml+xml"})
SAVED_BY = re.compile(rb"(?i)^(?:snapshot-content-location:|from: <saved by )", re.MULTILINE)


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


def is_saved(head: bytes) -> bool:
    """Say whether a browser wrote a page and its pictures as the parts of one mail."""
    start = head.lstrip(b"\xef\xbb\xbf\r\n")[:4_000].replace(b"\r\n", b"\n").split(b"\n\n")[0]
    return bool(SAVED_BY.search(start)) and b"multipart/related" in start.lower()


def extract(file: BinaryIO, out: Out, _section: int, is_apart: bool = False) -> None:  # noqa: FBT001, FBT002 - an argument of the child
    """Tell the questions and sections of a page, each as a line of JSON; or the chat that it is."""
    _tell_page(decoded(file.read()), out, FITTING_APART if is_apart else FITTING)


def extract_saved(file: BinaryIO, out: Out, _section: int, is_apart: bool = False) -> None:  # noqa: FBT001, FBT002 - an argument of the child
    """Tell the page that a browser saved in one file with its pictures."""
    _tell_page(_saved_page(file), out, FITTING_APART if is_apart else FITTING)


def extract_text(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the text of a page in Markdown, section by section, or what is said in the chat."""
    _tell_text(decoded(file.read()), out)


def extract_saved_text(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the text of a page that a browser saved in one file with its pictures."""
    _tell_text(_saved_page(file), out)


def _saved_page(file: BinaryIO) -> str:
    for part in message_from_binary_file(file, policy=policy.compat32).walk():
        data = part.get_payload(decode=True) if part.get_content_type() in PAGES else None
        if isinstance(data, bytes):
            return decoded(data)
    raise ArchiveStop("bad_document", "No page is inside this file.")


def _tell_text(text: str, out: Out) -> None:
    if chat := chat_of(text):
        for number, message in enumerate(chat.messages, 1):
            out.part(f"{message['from']}: {message['text']}\n", f"message {number:,}")
        return
    for number, item in enumerate(_page(text).items, 1):
        if isinstance(item, Section):
            told, heading = item.whole, item.heading
        else:
            told, heading = f"{item.question}\n\n{item.answer}", item.question
        shown = f" (“{heading[:SHOWN_HEADING]}”)" if heading else ""
        out.part(f"{told}\n\n", f"section {number:,}{shown}")


def _tell_chat(chat: PageChat, out: Out) -> None:
    for first in range(0, len(chat.messages), MOST_MESSAGES):
        told = chat.messages[first : first + MOST_MESSAGES]
        place = f"messages {first + 1:,} to {first + len(told):,}"
        out.part(f"{json.dumps({'messages': told}, ensure_ascii=False)}\n", place)
    for number in range(1, chat.notices + 1):
        out.part("", f"notice {number:,} of the app", "furniture")


def _tell_page(text: str, out: Out, fitting: int) -> None:
    if chat := chat_of(text):
        _tell_chat(chat, out)
        return
    page = _page(text)
    for number, (told, heading) in enumerate(_told(page, fitting), 1):
        shown = f" (“{heading[:SHOWN_HEADING]}”)" if heading else ""
        place = f"section {number:,}{shown}"
        if "question" not in told and len(told["text"]) < SHORTEST_REST and _has_answers(page):
            out.part("", place, "furniture")
        else:
            out.part(f"{json.dumps(told, ensure_ascii=False)}\n", place)
    for number in range(1, page.left_out + 1):
        out.part("", f"part {number:,} around the text", "furniture")


def _page(text: str) -> Page:
    page = page_of(text)
    if page.needs_script:
        message = (
            "This page shows nothing without JavaScript. Open it in a browser, save it there as a "
            "complete page, and upload that."
        )
        raise ArchiveStop("needs_script", message)
    return page


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
    prose=Prose(marked_headings, extract_text),
    reader=Reader("page", 3, jsonl.read),
    of_text=tell,
)
SAVED = Format(
    kind="mhtml",
    name="a web page saved in one file",
    endings=("mhtml", "mht"),
    fits=("eml", "txt"),
    document=Document(extract_saved, "section", keeps_apart=True),
    prose=Prose(marked_headings, extract_saved_text),
    reader=Reader("saved page", 2, jsonl.read),
    of_bytes=is_saved,
)
