"""Markdown of answers as HTML that can do nothing: no HTML of theirs, no scripts, no images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from otto_web.lib.words import clean

LONGEST = 40_000  # characters; what is longer stays plain text
MOST_SIGNS = 2_000  # of those that mark something up: many that close nothing cost much time
SIGNS = re.compile(r"[\[\]*_`~<(|]")
SCHEMES = {"http", "https", "mailto"}
BARE = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s/]", re.IGNORECASE)
TAGS = set("a blockquote br code del div em hr li mark ol p pre span strong table tbody".split())
TAGS |= set("td th thead tr ul".split())
ATTRIBUTES = {
    "a": {"href"},
    "div": {"class", "role", "tabindex", "aria-label"},
    "mark": {"class"},
    "ol": {"start"},
    "span": {"class"},
}
ALWAYS = {"a": {"target": "_blank"}, "pre": {"tabindex": "0"}}
TABLE = '<div class="markdown-table" role="region" tabindex="0" aria-label="Table"><table>\n'

Span = tuple[int, int]


class _Renderer(RendererHTML):
    """The library's renderer, with signs for control characters and marks in the text."""

    def text(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return str(tokens[idx].meta.get("html") or escape(clean(tokens[idx].content)))

    def code_inline(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<code>{self.text(tokens, idx)}</code>"

    def fence(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<pre><code>{self.text(tokens, idx)}</code></pre>\n"

    def heading_open(self, *_: Any) -> str:
        return "<p><strong>"  # the page's own headings say where things stand

    def heading_close(self, *_: Any) -> str:
        return "</strong></p>\n"

    def table_open(self, *_: Any) -> str:
        return TABLE

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    """Return what reads Markdown: line ends stay, and indented text is no code."""
    options = {"html": False, "breaks": True}
    reader = MarkdownIt("commonmark", options, renderer_cls=_Renderer)
    reader.enable(["table", "strikethrough"])
    reader.disable(["image", "code", "reference", "html_block", "html_inline"])
    reader.validateLink = lambda url: bool(ADDRESS.match(url))  # type: ignore[method-assign]
    return reader


def render(text: str, marks: tuple[Span, ...] = (), note: str = "") -> SafeString:
    """Return the text as HTML, with `note` said aloud behind each of the marked spans.

    `marks` count characters of the text, in order, without overlap. A mark is never lost: where
    markup swallows what it marks, the whole text stays as it was written. Nothing is kept for a
    next time: the words may be deleted before.
    """
    html = None
    if len(text) <= LONGEST and len(SIGNS.findall(text)) <= MOST_SIGNS:
        html = _marked_up(text, marks, note)
    if html is None:
        html = f"<p>{_with_marks(text, range(len(text)), marks, note)}</p>"
        html = html.replace("\n", "<br>\n")
    safe = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        set_tag_attribute_values=ALWAYS,
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(safe.strip())  # noqa: S308 - sanitised in the line above


def _marked_up(text: str, marks: tuple[Span, ...], note: str) -> str | None:
    """Return the text as its Markdown says; None where a mark would not be seen."""
    reader = _reader()
    source = text.replace("\r\n", " \n")  # as long as before: places stay
    tokens = reader.parse(source)
    seen = [""] * len(marks)
    for token, places, is_linked in _pieces(source, tokens):
        html = ""
        for start, end, is_address in _addresses(token.content, is_linked=is_linked):
            words = _with_marks(token.content[start:end], places[start:end], marks, note)
            address = escape(token.content[start:end])
            html += f'<a href="{address}">{words}</a>' if is_address else words
        token.meta = {"html": html}
        for sign, place in zip(token.content, places, strict=True) if marks else ():
            for number, (start, end) in enumerate(marks):
                if start <= place < end:
                    seen[number] += sign
    wanted = [source[start:end] for start, end in marks]
    if any(_letters(one) != _letters(other) for one, other in zip(seen, wanted, strict=True)):
        return None
    return str(reader.renderer.render(tokens, reader.options, {}))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _addresses(content: str, *, is_linked: bool) -> Iterator[tuple[int, int, bool]]:
    """Yield the parts of a text, each with whether it is an address to be followed."""
    end = 0
    for found in () if is_linked else BARE.finditer(content):
        address = found[0].rstrip(".,:;!?'\"*_)")
        yield end, found.start(), False
        end = found.start() + len(address)
        yield found.start(), end, bool(ADDRESS.match(address))
    yield end, len(content), False


def _pieces(source: str, tokens: Iterable[Token]) -> Iterator[tuple[Token, Sequence[int], bool]]:
    """Yield each piece of text, where its characters stand in the source, whether it is a link's.

    A character that stands nowhere, of a reference like `&amp;`, has the place -1.
    """
    ends = [0, *(found.end() for found in re.finditer("\n", source)), len(source)]
    place, limit = 0, len(source)
    for token in tokens:
        if token.map:
            first, last = token.map
            place, limit = max(place, ends[first]), ends[min(last, len(ends) - 1)]
        is_linked = False
        for part in token.children or [token]:
            if part.type in {"link_open", "link_close"}:
                is_linked = part.type == "link_open"
            elif part.type in {"text", "code_inline", "fence"}:
                places = _places(source, part.content, place, limit)
                place = max(place, 1 + max(places, default=-1))
                yield part, places, is_linked or part.type != "text"


def _places(source: str, content: str, start: int, end: int) -> Sequence[int]:
    found = source.find(content, start, end)
    if found >= 0:
        return range(found, found + len(content))
    places = []
    for sign in content:  # markup or a reference stood between them
        found = source.find(sign, start, end)
        places.append(found)
        start = found + 1 if found >= 0 else start
    return places


def _with_marks(content: str, places: Sequence[int], marks: Iterable[Span], note: str) -> str:
    """Return the content escaped, with those of its characters marked whose place is in a mark."""
    flags = [any(start <= place < end for start, end in marks) for place in places]
    cuts = [at for at in range(1, len(flags)) if flags[at] != flags[at - 1]]
    html = ""
    for start, end in pairwise([0, *cuts, len(content)]):
        words: str = escape(clean(content[start:end]))
        if start < end and flags[start]:
            aside = f'<span class="visually-hidden"> ({escape(note)})</span>' if note else ""
            words = f'<mark class="unsupported">{words}{aside}</mark>'
        html += words
    return html
