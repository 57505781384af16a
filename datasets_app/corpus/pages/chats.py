"""Chats that apps export as web pages: who wrote what, in order, and none of the page around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datasets_app.corpus.pages.tree import LONGEST, parsed

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

LOOKED_AT = 1 << 18  # characters in which a page shows whose export it is


@dataclass(frozen=True, slots=True)
class _Look:
    """How an app writes a message: where it begins, and the elements that hold its parts."""

    begins: str
    mark: str
    message: str
    name: str
    text: str
    date: str
    notice: str = ""
    is_newest_first: bool = False


TELEGRAM = _Look(
    begins='<div class="message ',
    mark="from_name",
    message="div.message.default",
    name="div.from_name",
    text="div.text",
    date="div.date[title]",
    notice="div.message.service",
)
DISCORD = _Look(
    begins="<div class=chatlog__message-container",
    mark="chatlog__content",
    message="div.chatlog__message",
    name=".chatlog__author, .chatlog__author-name",
    text=".chatlog__content",
    date=".chatlog__timestamp",
    notice=".chatlog__system-notification",
)
FACEBOOK = _Look(
    begins='<div class="_3-95 _a6-g">',
    mark="_a6-p",
    message="div._a6-g",
    name="div._a6-h",
    text="div._a6-p",
    date="div._a6-o",
    is_newest_first=True,
)
OLDER_FACEBOOK = _Look(
    begins='<div class="pam ',
    mark="_2let",
    message="div.pam",
    name="div._2lek",
    text="div._2let",
    date="div._2lem",
    is_newest_first=True,
)
LOOKS = (TELEGRAM, DISCORD, FACEBOOK, OLDER_FACEBOOK)


@dataclass(slots=True)
class PageChat:
    """The messages of a page as its app exports them elsewhere, and how many notices it has."""

    messages: list[dict[str, str]] = field(default_factory=list)
    notices: int = 0


def chat_of(text: str) -> PageChat | None:
    """Return the chat that a page is the export of, or None for any other page."""
    head = text[:LOOKED_AT]
    look = next((one for one in LOOKS if one.begins in head and one.mark in head), None)
    if look is None:
        return None
    chat, name = PageChat(), ""
    for piece in _pieces(text, look.begins):
        tree = parsed(piece)
        chat.notices += len(tree.css(look.notice)) if look.notice else 0
        for node in tree.css(look.message):
            name = _words(_writer(node, look.name)) or name
            words = _words(node.css_first(look.text))
            if name and words:
                message = {"type": "message", "from": name, "text": words}
                date = node.css_first(look.date)
                told = (date.attributes.get("title") or _words(date)) if date else ""
                chat.messages.append({**message, "date": told} if told else message)
    if look.is_newest_first:
        chat.messages.reverse()
    return chat if chat.messages else None


def _pieces(text: str, begins: str) -> Iterator[str]:
    """Yield a page in pieces that can be parsed at once, cut before a message."""
    start = 0
    while len(text) - start > LONGEST:
        cut = text.rfind(begins, start + 1, start + LONGEST)
        if cut < 0:
            break
        yield text[start:cut]
        start = cut
    yield text[start:]


def _writer(node: LexborNode, selector: str) -> LexborNode | None:
    """Return the element that names who wrote a message, and not whom it forwards."""
    for named in node.css(selector):
        around = named.parent.attributes.get("class") if named.parent else ""
        if "forwarded" not in (around or ""):
            return named
    return None


def _words(node: LexborNode | None) -> str:
    """Return what an element says, line by line."""
    if node is None:
        return ""
    for line_end in node.css("br"):
        line_end.replace_with("\n")
    lines = (line.strip() for line in node.text(deep=True).split("\n"))
    return "\n".join(lines).strip()
