"""A document's text told apart: headings, paragraphs, lists and their sentences, with places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["heading", "paragraph", "list", "other"]
LONGEST_SENTENCE = 500  # characters; what is longer is a table or a list without marks
FENCES = ("```", "~~~")
SIGNS = frozenset("{}|<>=\\$^~")  # of code, tables and templates: no sentence for a question
ABBREVIATIONS = frozenset(
    "e.g. i.e. mr. mrs. ms. dr. st. no. vs. etc. approx. inc. ltd. co. u.s. jr. fig. cf.".split()
)
UNDERLINES = frozenset("=-~^\"'*+#`:.")
MARK = re.compile(r"[ \t]{0,12}(?:[-*+•‣◦]|\d{1,3}[.)]|\([a-z0-9]\))[ \t]{1,8}(?=\S)")
ATX = re.compile(r"[ ]{0,3}(#{1,6})[ \t]{1,8}(?=\S)")
LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\n]{0,600}\)")
TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
ANCHOR = re.compile(r"\{#[^{}\n]{0,100}\}")
ROLE = re.compile(r":[a-z]{2,12}:`([^`<>]{1,200})`")
HREF = re.compile(r"`([^`<>\n]{1,200}) <[^<>\n]{1,300}>`__?")
STOPS = re.compile(r"[.!?][\"”’)\]*_]{0,3}(?=\s)|[。！？]")
SPACES = re.compile(r"\s++")
WORD = re.compile(r"[^\W\d_]++")


def plain(text: str) -> str:
    """Return the words of a text without its marks of emphasis, links and tags, on one line."""
    text = LINK.sub(r"\1", text)
    text = HREF.sub(r"\1", ROLE.sub(r"\1", text))
    text = ANCHOR.sub("", TAG.sub("", text))
    for mark in ("**", "``", "`"):
        text = text.replace(mark, "")
    return " ".join(word.strip("*") for word in text.split()).strip()


@dataclass(frozen=True, slots=True)
class Sentence:
    """One whole sentence at `[start, end)` of the document."""

    start: int
    end: int
    text: str  # its words without marks


@dataclass(slots=True)
class Block:
    """A heading, a paragraph or a whole list at `[start, end)`; `items` are the places of a list's.

    `path` are the headings above it, the widest first.
    """

    kind: Kind
    start: int
    end: int
    path: tuple[str, ...] = ()
    level: int = 0
    items: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Page:
    """A document's text with its blocks in order."""

    text: str
    title: str
    language: str
    blocks: list[Block]
    _sentences: dict[int, list[Sentence]] = field(default_factory=dict)

    @cached_property
    def names(self) -> frozenset[str]:
        """The words, in small letters, that stand in sentences with a capital letter mostly."""
        large, small = Counter[str](), Counter[str]()
        for block in self.blocks:
            if block.kind not in {"paragraph", "list"}:
                continue
            for sentence in self.sentences(block):
                for word in WORD.findall(sentence.text)[1:]:
                    (small if word.islower() else large)[word.lower()] += 1
        return frozenset(word for word, count in large.items() if count > small[word])

    def said(self, start: int, end: int) -> str:
        """Return what stands there: word for word, with the lines of a sentence joined."""
        return SPACES.sub(" ", self.text[start:end]).strip()

    def plain(self, block: Block) -> str:
        return plain(ATX.sub("", self.text[block.start : block.end], count=1).strip("# \t\n"))

    def sentences(self, block: Block) -> list[Sentence]:
        """Return the whole sentences of a paragraph, or of each point of a list."""
        found = self._sentences.get(block.start)
        if found is None:
            spans = block.items if block.kind == "list" else [(block.start, block.end)]
            found = [one for start, end in spans for one in sentences(self.text, start, end)]
            self._sentences[block.start] = found
        return found


def sentences(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield the sentences of `[start, end)` that end like one; code and templates are left out."""
    at = start
    for stop in STOPS.finditer(text, start, min(len(text), end + 1)):
        close = min(stop.end(), end)
        if text[stop.start()] == "." and _goes_on(text, at, close, end):
            continue
        yield from _sentence(text, at, close)
        at = close
    if at < end and text[at:end].rstrip().endswith((".", "!", "?", ":")):
        yield from _sentence(text, at, end)


def _goes_on(text: str, at: int, close: int, end: int) -> bool:
    """Tell whether the point belongs to an abbreviation or a number of a list."""
    last = text[max(at, close - 12) : close].split()[-1:] or [""]
    word = last[0].strip('(*_"”').lower()
    following = text[close:end].lstrip()[:1]
    is_number = word[:-1].isdigit() and not text[at : close - len(word)].strip()
    return word in ABBREVIATIONS or is_number or following.islower()


def _sentence(text: str, start: int, end: int) -> Iterator[Sentence]:
    raw = text[start:end]
    start += len(raw) - len(raw.lstrip())
    end -= len(raw) - len(raw.rstrip())
    if not 8 < end - start <= LONGEST_SENTENCE:
        return
    words = plain(text[start:end])
    if words and not SIGNS.intersection(words) and "://" not in words:
        yield Sentence(start, end, words)


def page_of(
    text: str, *, title: str = "", language: str = "", headings: Sequence[tuple[int, int]] = ()
) -> Page:
    """Tell the blocks of a text; `headings` are the places and levels of those known already."""
    known = dict(headings)
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    page = Page(text, title, language, blocks)
    for block in _blocks(text, known):
        if block.kind == "heading":
            while path and path[-1][0] >= block.level:
                path.pop()
            block.path = tuple(words for _, words in path)
            path.append((block.level, page.plain(block)))
        else:
            block.path = tuple(words for _, words in path)
        blocks.append(block)
    return page


@dataclass(slots=True)
class _Teller:
    """Puts lines together to blocks."""

    text: str
    known: dict[int, int]
    done: list[Block] = field(default_factory=list)
    held: Block | None = None
    is_code: bool = False
    gap: bool = False

    def close(self) -> None:
        if self.held:
            self.done.append(self.held)
        self.held = None

    def take(self, start: int, end: int) -> None:
        line = self.text[start:end]
        bare = line.strip()
        end = start + len(line.rstrip())
        is_fence = bare.startswith(FENCES) and bool(bare.strip("~") or len(bare) == len(FENCES[1]))
        if is_fence or self.is_code:
            self.is_code ^= is_fence
            self.close()
            return
        kind = _kind(line, bare, self.held)
        level = self.known.get(start, 0) or (len(found[1]) if (found := ATX.match(line)) else 0)
        if kind == "blank":
            self.gap = True
            if self.held and self.held.kind != "list":  # points of a list may stand apart
                self.close()
            return
        if level:
            self.close()
            self.done.append(Block("heading", start, end, level=level))
        elif kind == "underline" and self.held and "\n" not in self._held_text():
            self.held.kind, self.held.level = "heading", "=-~^\"'".find(bare[0]) + 2
            self.close()
        elif kind == "item":
            self._item(start, end)
        elif kind == "text":
            self._text(line, start, end)
        else:
            self.close()
        self.gap = False

    def _held_text(self) -> str:
        return self.text[self.held.start : self.held.end] if self.held else ""

    def _item(self, start: int, end: int) -> None:
        if self.held is None or self.held.kind != "list":
            self.close()
            self.held = Block("list", start, end)
        mark = MARK.match(self.text, start)
        self.held.items.append((mark.end() if mark else start, end))
        self.held.end = end

    def _text(self, line: str, start: int, end: int) -> None:
        if self.held is None or (self.held.kind == "list" and self.gap and line[0] not in " \t"):
            self.close()
            self.held = Block("paragraph", start, end)
        elif self.held.kind == "list":
            self.held.items[-1] = (self.held.items[-1][0], end)
        self.held.end = end


def _blocks(text: str, known: dict[int, int]) -> list[Block]:
    teller = _Teller(text, known)
    for start, end in _lines(text):
        teller.take(start, end)
    teller.close()
    return teller.done


def _is_underline(bare: str) -> bool:
    return len(bare) > 2 and bare[0] in UNDERLINES and bare.count(bare[0]) == len(bare)


def _kind(line: str, bare: str, held: Block | None) -> str:
    if not bare:
        return "blank"
    if held and held.kind == "paragraph" and _is_underline(bare):
        return "underline"
    if MARK.match(line):
        return "item"
    is_odd = bare[0] in "|<:{%" or bare.startswith(("..", "---", "===", "***", "//", "!["))
    is_indented = line.startswith(("    ", "\t")) and not (held and held.kind == "list")
    return "other" if is_odd or is_indented else "text"


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of the lines, without the front matter of a Markdown file."""
    start = 0
    if text.startswith("---\n") and (end := text.find("\n---\n", 4)) > 0:
        start = end + 5
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1
