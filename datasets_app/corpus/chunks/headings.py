"""Where headings stand in a text: their positions, levels and words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

DEEPEST = 6
LONGEST = 300  # signs; a longer line is no heading
UNDERLINES = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
FENCES = ("```", "~~~")


class Heading(NamedTuple):
    """A heading at a position of a text, the widest of level 1."""

    start: int
    level: int
    title: str


def no_headings(_text: str) -> list[Heading]:
    """Return none: plain text has no headings."""
    return []


def marked_headings(text: str) -> list[Heading]:
    """Return lines that begin with up to six #, as texts of documents and pages have them."""
    found = (_marked(start, line) for start, line in _lines(text) if line.startswith("#"))
    return [heading for heading in found if heading]


def markdown_headings(text: str) -> list[Heading]:
    """Return the headings of Markdown: those with # and underlined ones; none inside code."""
    found: list[Heading] = []
    fence, before, start_before, is_alone = "", "", 0, True
    for start, line in _lines(text):
        bare = line.strip()
        if fence:
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
            before = ""
            continue
        if bare.startswith(FENCES) and len(line) - len(line.lstrip()) < 4:
            fence = bare[:3]
        elif bare.startswith("#") and len(line) - len(line.lstrip()) < 4:
            heading = _marked(start + line.index("#"), bare)
            found += [heading] if heading else []
        elif is_alone and before and _is_underline(bare, "=-") and len(bare) > 1:
            found.append(Heading(start_before, 1 if bare[0] == "=" else 2, _plain(before)))
        is_alone = not before
        may_be_title = bare and not bare.startswith(("#", "|", ">", "-", "*", "+", "<", *FENCES))
        before, start_before = (bare if may_be_title and len(bare) <= LONGEST else ""), start
        is_alone = is_alone or not bare
    return found


def rst_headings(text: str) -> list[Heading]:
    """Return the headings of reStructuredText: the first style of underline is the widest."""
    levels: dict[tuple[str, bool], int] = {}
    found: list[Heading] = []
    over, before, start_before = "", "", 0
    for start, line in _lines(text):
        bare = line.rstrip()
        if (
            before.strip()
            and _is_underline(bare)
            and len(bare) >= min(4, len(before.strip()))
            and not _is_underline(before)
            and (over == bare or not before[0].isspace())
        ):
            style = (bare[0], over == bare)
            level = levels.setdefault(style, len(levels) + 1)
            if level <= DEEPEST and len(before) <= LONGEST:
                at = start_before - len(over) - 1 if over == bare else start_before
                found.append(Heading(at, level, before.strip()))
            over, before = "", ""
            continue
        over = before if _is_underline(before) else ""
        is_title = over or not before.strip()
        before, start_before = (bare if is_title or not bare else f"\0{bare}"), start
        before = "" if before.startswith("\0") else before
    return found


def above(headings: Iterable[Heading], position: int) -> tuple[str, ...]:
    """Return the titles above a position, the widest first."""
    path: list[Heading] = []
    for heading in headings:
        if heading.start > position:
            break
        _enter(path, heading)
    return tuple(heading.title for heading in path)


def paths(headings: Iterable[Heading]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each heading's position with the titles that hold from there on."""
    path: list[Heading] = []
    for heading in headings:
        _enter(path, heading)
        yield heading.start, tuple(one.title for one in path)


def _enter(path: list[Heading], heading: Heading) -> None:
    while path and path[-1].level >= heading.level:
        path.pop()
    path.append(heading)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1


def _marked(start: int, line: str) -> Heading | None:
    marks = len(line) - len(line.lstrip("#"))
    rest = line[marks:]
    title = _plain(rest.strip().rstrip("#"))
    if marks > DEEPEST or not rest[:1].isspace() or not title or len(title) > LONGEST:
        return None
    return Heading(start, marks, title)


def _plain(title: str) -> str:
    """Return a title without the marks of an anchor behind it, like `{ #payment }`."""
    title = title.strip()
    before, brace, name = title.rpartition("{")
    is_anchor = brace and title.endswith("}") and name.lstrip().startswith(("#", ":"))
    return before.strip() if is_anchor else title


def _is_underline(line: str, signs: Iterable[str] = UNDERLINES) -> bool:
    return len(line) > 1 and line[0] in signs and not line.strip(line[0])
