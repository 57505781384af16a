"""Lines of pages become paragraphs: what stands on every page goes, divided words are joined."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from datasets_app.corpus.formats.pdf_lines import SOFT_HYPHENS, Line

EDGE_LINES = 3  # at the top and at the bottom of a page, among which furniture is looked for
ON_PAGES, FEWEST_PAGES = 0.6, 4
MOST_FIGURES = 3  # of such a line: page, pages, and a date; a row of a table has others
HEADING, TITLE = 1.15, 1.5  # times the usual size
LONGEST_HEADING = 120
NEW_PARAGRAPH = 1.45  # times the usual distance of lines
SHORT_LINE = 0.82  # of the widest: a sentence that ends there ends a paragraph
FIGURES = re.compile(r"\d+|\b[ivxlc]{1,7}\b")
BULLET = re.compile(
    r"\A(?:[\u2022\u25cf\u25aa\u25e6\u2023\u00b7\ue000-\uf8ff] ?|[\u2013*-] )(?=\S)"
)
NUMBERED = re.compile(r"\A(?:\(?\d{1,3}[.)]|\(?[a-z][.)]) \S")
LABELLED = re.compile(r"\A(?:\[[\d:. ]{4,14}\] ?)?[^\W\d_][\w.' -]{0,30}: \S")
HYPHENED = re.compile(r"\b[^\W\d_]{1,30}-[^\W\d_]{1,30}\b")
DIVIDED = re.compile(r"([^\W\d_]{1,30})-\Z")
ENDS = (".", "!", "?", ":", "\u3002", "\uff01", "\uff1f", "\u201d", '"', ")")


@dataclass(slots=True)
class Furniture:
    """Lines that stand on most pages at one place: running titles and page numbers."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    pages: int = 0

    def see(self, lines: list[Line]) -> None:
        if lines:
            self.pages += 1
            self.counts.update(set(self._keys(lines).values()))

    def without(self, lines: list[Line]) -> list[Line]:
        """Return the lines of a page that stand on it alone."""
        most = max(FEWEST_PAGES, ON_PAGES * self.pages)
        keys = self._keys(lines)
        return [
            line
            for number, line in enumerate(lines)
            if number not in keys or self.counts[keys[number]] < most
        ]

    def _keys(self, lines: list[Line]) -> dict[int, tuple[str, int]]:
        last = len(lines)
        numbers = {*range(min(EDGE_LINES, last)), *range(max(0, last - EDGE_LINES), last)}
        return {number: _key(lines[number]) for number in numbers}


def _key(line: Line) -> tuple[str, int]:
    """Return what a line has in common with its like on other pages, whose numbers may differ."""
    text = line.text.casefold()
    may_differ = " | " not in text and len(FIGURES.findall(text)) <= MOST_FIGURES
    return FIGURES.sub("0", text) if may_differ else text, round(line.base / 8)


@dataclass(slots=True)
class Paragraphs:
    """Puts the lines of a document together, page by page; it remembers words with a hyphen."""

    compounds: set[str] = field(default_factory=set)

    def of(self, lines: list[Line]) -> str:
        """Return the text of a page in Markdown."""
        if not lines:
            return ""
        usual = _Usual.of(lines)
        for line in lines:
            self.compounds.update(found.casefold() for found in HYPHENED.findall(line.text))
        text, before = "", Line("")
        for line in lines:
            mark, shown = _mark(line, usual)
            gap = self._gap(before, line, usual, is_marked=bool(mark)) if text else ""
            if not gap:
                text, shown = self._joined(text, shown)
            text += f"{gap}{mark}{shown}"
            before = line
        return text

    def _gap(self, before: Line, line: Line, usual: _Usual, *, is_marked: bool) -> str:
        """Return what stands between two lines: nothing where the sentence goes on."""
        distance = before.base - line.base
        is_sized = _level(before, usual) != _level(line, usual)
        if is_sized or distance < -usual.step or distance > NEW_PARAGRAPH * usual.step:
            is_going_on = not is_sized and distance < 0 and not before.text.endswith(ENDS)
            return "" if is_going_on and line.text[:1].islower() else "\n\n"
        if " | " in line.text or " | " in before.text:
            return "\n"
        if is_marked or NUMBERED.match(line.text):
            return "\n"
        if LABELLED.match(line.text) and before.text.endswith(ENDS):
            return "\n\n"
        is_short = before.right - before.left < SHORT_LINE * usual.width
        return "\n\n" if is_short and before.text.endswith(ENDS) else ""

    def _joined(self, text: str, line: str) -> tuple[str, str]:
        """Join a line to the text before it, and the halves of a word that was divided."""
        if text.endswith(SOFT_HYPHENS):
            return text[:-1], line
        found = DIVIDED.search(text[-40:])
        if found and line[:1].islower():
            rest = re.match(r"[^\W\d_]+", line)
            whole = f"{found[1]}-{rest[0] if rest else ''}".casefold()
            return (text, line) if whole in self.compounds else (text[:-1], line)
        is_chinese = text[-1:] >= "\u2e80" and line[:1] >= "\u2e80"
        return (text, line) if is_chinese or not text else (f"{text} ", line)


@dataclass(slots=True)
class _Usual:
    """What most lines of a page are like."""

    size: float
    step: float
    width: float

    @classmethod
    def of(cls, lines: list[Line]) -> _Usual:
        sizes = [line.size for line in lines for _ in range(1 + len(line.text) // 20)]
        steps = [a.base - b.base for a, b in pairwise(lines)]
        steps = [step for step in steps if step > 1]
        size = median(sizes)
        width = max(line.right - line.left for line in lines)
        return cls(size, min(median(steps), 2.2 * size) if steps and size else 12.0, width)


def _level(line: Line, usual: _Usual) -> int:
    if not usual.size or len(line.text) > LONGEST_HEADING:
        return 0
    return 1 if line.size >= TITLE * usual.size else 2 * (line.size >= HEADING * usual.size)


def _mark(line: Line, usual: _Usual) -> tuple[str, str]:
    """Return what Markdown puts before a line, and its text."""
    level = _level(line, usual)
    if level:
        return f"{'#' * level} ", line.text
    if found := BULLET.match(line.text):
        return "- ", line.text[found.end() :]
    return "", line.text


def goes_on(before: str, after: str) -> bool:
    """Say whether a sentence goes on from one page to the next."""
    return bool(before) and not before.endswith(ENDS) and after[:1].islower()


def is_unreadable(lines: Iterable[Line]) -> bool:
    """Say whether the letters of a page are numbers of glyphs and mean nothing."""
    text = "".join(line.text for line in lines)
    bare = text.replace(" ", "")
    odd = sum(sign == "\ufffd" or "\ue000" <= sign <= "\uf8ff" or sign < " " for sign in bare)
    walls = len("".join(re.findall(r"\(cid:\d{1,6}\)|/G[0-9A-Fa-f]{2}|/GLYPH", bare)))
    return len(bare) > 20 and (odd > 0.3 * len(bare) or walls > 0.3 * len(bare))
