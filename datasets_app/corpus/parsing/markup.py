"""The words of HTML in which a message was exported."""

from __future__ import annotations

import re
from html.parser import HTMLParser

TAGGED = re.compile(
    r"\A\s*<(p|div|span|br|ul|ol|table|html|body|blockquote|h[1-6])\b", re.IGNORECASE
)
QUOTES = ("gmail_quote", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "divrplyfwdmsg")
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
BLOCKS = frozenset("p div br li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote pre hr".split())
UNSEEN = frozenset("script style head title template noscript".split())


class _Bare(HTMLParser):
    """The words between tags; a block begins a line of its own.

    What no reader of the page sees is passed over, and so are quoted mails where asked for.
    """

    def __init__(self, *, passes_quotes: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._passes_quotes = passes_quotes
        self._passed = ""  # the tag that is being passed over
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._passed:
            self._depth += tag == self._passed
        elif tag in UNSEEN or (self._passes_quotes and _is_quote(tag, attrs)):
            self._passed, self._depth = tag, 1
        elif tag in BLOCKS:
            self.parts.append("\n")
        elif tag == "emoji" or (tag == "img" and _is_emoji(attrs)):
            self.parts.append(next((value or "" for key, value in attrs if key == "alt"), ""))

    def handle_endtag(self, tag: str) -> None:
        if self._passed:
            self._depth -= tag == self._passed
            if not self._depth:
                self._passed = ""
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._passed:
            self.parts.append(data.replace("\n", " "))


def _is_emoji(attrs: list[tuple[str, str | None]]) -> bool:
    """Say whether a picture is one sign of the text, as chat programs draw them."""
    named = " ".join(value or "" for key, value in attrs if key in {"class", "itemtype"})
    return any(word in named.casefold() for word in ("emoji", "emoticon"))


def _is_quote(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    if tag in VOID:
        return False
    named = " ".join(value or "" for key, value in attrs if key in {"class", "id"}).casefold()
    is_cited = tag == "blockquote" and any(
        key == "cite" or (key == "type" and value == "cite") for key, value in attrs
    )
    return is_cited or any(name in named for name in QUOTES)


def bare_text(text: str, *, passes_quotes: bool = False) -> str:
    """Return the words of HTML, a line for each block."""
    bare = _Bare(passes_quotes=passes_quotes)
    bare.feed(text)
    bare.close()
    lines = (" ".join(line.split()) for line in "".join(bare.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def without_tags(text: str, notes: list[str]) -> str:
    """Return the words of a message that was exported as HTML; any other text as it is."""
    if not TAGGED.match(text):
        return text
    notes.append("tags of HTML were taken out")
    return bare_text(text)
