"""A page as a tree, and which of its branches are no part of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from datasets_app.corpus.detection.encoding import BOMS
from datasets_app.corpus.detection.guessing import guess
from datasets_app.corpus.detection.unmarked import decodes, wide_or_escaped

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

DEEPEST = 400  # open elements; deeper ones lose their tags, for each costs a look at all above it
GUESSED_BYTES = 1 << 16
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
LIGHT = frozenset(
    """area base br col embed hr img input link meta source track wbr p li dt dd option html body
    head thead tbody tfoot tr td th colgroup path""".split()
)
"""Elements that need no end tag, which therefore tell nothing of the depth."""
UNSEEN = frozenset(
    """script style noscript template head nav svg math iframe object embed canvas audio video form
    select textarea input button map dialog menu footer frameset applet""".split()
)
INLINE = frozenset(
    "a abbr b bdi bdo cite code data del dfn em font i ins kbd mark q s samp small span strong sub "
    "sup time tt u var wbr".split()
)
ASIDE_ROLES = frozenset(
    """navigation banner contentinfo search dialog alertdialog complementary menu menubar toolbar
    tablist alert status""".split()
)
FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:cookies?[a-z]*|consent[a-z]*|gdpr|ccpa|nav|navbar|navigation|menu|menubar"
    r"|breadcrumbs?|sidebar|newsletter[a-z]*|subscribe|share|sharing|social|advert[a-z]*|ads|advert"
    r"|popup|skip|skiplink|footer|masthead|pagination|pager|toc|related[a-z]*|recommended|promo"
    r"|signup|login|vote|votes|feedback|headerlink|editsection|noprint)(?:$|[\s_-])",
    re.IGNORECASE,
)
HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
UNSHOWN = re.compile(r"display\s?:\s?none|visibility\s?:\s?hidden", re.IGNORECASE)
FOLDED = re.compile(r"accordion|collaps|answer|faq|panel|tab|toggle|expand", re.IGNORECASE)
WRITTEN_IN = re.compile(r"data:[\w.+/-]{0,100}(?:;[\w=.-]{1,60}){0,3};base64,[A-Za-z0-9+/=_-]*+")
LONGEST = 4 << 20  # characters that are parsed at once: a tree is twenty times as large as its text
CUTS = ("<h1", "<h2", "<h3", "<div", "<tr", "<li", "<p")
MOST_OF_PAGE = 0.4  # of its letters: what holds more is no furniture, whatever it is called


def decoded(data: bytes) -> str:
    """Return the characters of a page: its bytes tell them, and what it declares where they don't.

    Bytes that fit nothing become U+FFFD.
    """
    for mark, name in BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if name := wide_or_escaped(data[:GUESSED_BYTES]) or "":
        return data.decode(name, "replace")
    if decodes(data, "utf-8"):
        return data.decode()
    telling = b"\n".join(line for line in data[: 16 * GUESSED_BYTES].split(b"\n") if _tells(line))
    best = guess(telling[:GUESSED_BYTES], data[:4096]).best.name
    return data.decode(best if telling else "utf-8", "replace")


def _tells(line: bytes) -> bool:
    return not line.isascii()


def parsed(text: str) -> LexborHTMLParser:
    """Return the tree of a page, which is never deeper than a page that somebody wrote."""
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - only who reads pages loads it

    return LexborHTMLParser(_flattened(text.replace("\0", "")))


def _flattened(text: str) -> str:
    """Return the source without the tags of elements that lie too deep."""
    depth, at, kept = 0, 0, list[str]()
    for tag in TAG.finditer(text):
        if tag[2].casefold() in LIGHT:
            continue
        if tag[1]:
            if depth > DEEPEST:
                kept.append(text[at : tag.start()])
                at = _end_of_tag(text, tag.end())
            depth = max(0, depth - 1)
        else:
            depth += 1
            if depth > DEEPEST:
                kept.append(text[at : tag.start()])
                at = _end_of_tag(text, tag.end())
    return "".join((*kept, text[at:])) if kept else text


def _end_of_tag(text: str, start: int) -> int:
    end = text.find(">", start, start + 4096)
    return end + 1 if end >= 0 else start


def pieces(text: str) -> Iterator[str]:
    """Yield the source of a page, a very long one in pieces that begin with an element.

    Files that were written into it are left out.
    """
    text = WRITTEN_IN.sub("", text) if ";base64," in text else text
    start = 0
    while len(text) - start > LONGEST:
        places = (text.rfind(cut, start + LONGEST // 2, start + LONGEST) for cut in CUTS)
        end = next((place for place in places if place > 0), start + LONGEST)
        yield text[start:end]
        start = end
    yield text[start:]


def elements(node: LexborNode) -> Iterator[LexborNode]:
    """Yield what stands directly in an element: elements and texts, in order."""
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def value(node: LexborNode, name: str) -> str:
    """Return an attribute, or ""."""
    return node.attributes.get(name) or ""


def words_of(node: LexborNode) -> str:
    """Return all text of an element in one line."""
    found = list[str]()
    for inner in node.traverse(include_text=True):
        if inner.is_text_node:
            found.append(inner.text_content or "")
        elif inner.tag not in INLINE:
            found.append(" ")
    return " ".join("".join(found).split())


def letters_in(node: LexborNode) -> int:
    """Count what stands in an element, without white space."""
    return len("".join(node.text(deep=True).split()))


class Tree:
    """One page: where its text stands, and what in it is furniture."""

    def __init__(self, text: str) -> None:
        self.parser = parsed(text)
        body = self.parser.body or self.parser.root
        self.letters = letters_in(body) if body is not None else 0
        self.folded = self._folded_ids()
        self.root = self._main(body) if body is not None else None
        self.is_main = self.root is not body

    @property
    def title(self) -> str:
        node = self.parser.css_first("title")
        return words_of(node) if node is not None else ""

    def _main(self, body: LexborNode) -> LexborNode:
        """Return the element that holds the text proper, where the page says which one it is."""
        for selector in ("main", "[role=main]", "article", "[itemprop=articleBody]"):
            found = self.parser.css(selector)
            if len(found) == 1 and letters_in(found[0]) > min(200, MOST_OF_PAGE * self.letters):
                return found[0]
        return body

    def _folded_ids(self) -> set[str]:
        """Return the ids of what a button unfolds: it is hidden, and text all the same."""
        ids = {value(node, "aria-controls") for node in self.parser.css("[aria-controls]")}
        ids |= {value(node, "data-target").lstrip("#") for node in self.parser.css("[data-target]")}
        targets = self.parser.css("[data-bs-target]")
        return ids | {value(node, "data-bs-target").lstrip("#") for node in targets} - {""}

    def is_furniture(self, node: LexborNode) -> bool:
        """Say whether an element is navigation, a banner, a script or hidden: no text of the page.

        A page header is kept for its title only.
        """
        tag = node.tag or ""
        if tag in UNSEEN:
            return tag != "form" or not self._is_most(node)
        given = node.attributes
        if not given:
            return tag in {"header", "aside"} and self._is_beside(node)
        if (given.get("role") or "") in ASIDE_ROLES or self._is_hidden(node, given):
            return not self._is_most(node)
        named = HUMPS.sub("-", f"{given.get('class') or ''} {given.get('id') or ''}"[:1000])
        if tag not in {"html", "body", "main", "article"} and FURNITURE.search(named):
            return not self._is_most(node)
        return tag in {"header", "aside"} and self._is_beside(node)

    def _is_beside(self, node: LexborNode) -> bool:
        """Say whether a header or an aside is that of the page, and not one of its text."""
        if self.is_main or (node.tag == "header" and node.css_first("h1") is not None):
            return False
        above = node.parent
        while above is not None:
            if above.tag in {"article", "main", "section"}:
                return False
            above = above.parent
        return True

    def _is_most(self, node: LexborNode) -> bool:
        return letters_in(node) > MOST_OF_PAGE * self.letters

    def _is_hidden(self, node: LexborNode, given: dict[str, str | None]) -> bool:
        is_hidden = "hidden" in given or given.get("aria-hidden") == "true"
        if not is_hidden and not UNSHOWN.search((given.get("style") or "")[:1000]):
            return False
        named = f"{given.get('class') or ''} {given.get('id') or ''}"
        return not (given.get("id") in self.folded or FOLDED.search(named[:1000]))
