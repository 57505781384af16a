"""A file of prose as one text, with the places that people know and its headings."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.chunks.headings import Heading
from datasets_app.corpus.chunks.settings import ChunkError
from datasets_app.corpus.detection import encoding as encodings
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.detection.kinds import Identified
from datasets_app.corpus.formats import markdown
from datasets_app.corpus.formats.format import Format
from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.corpus.limited.run import Call, run_limited
from datasets_app.corpus.parsing.view import open_view
from datasets_app.corpus.readers.job import EMBEDDED, MARK, with_lf
from datasets_app.corpus.readers.passages import BOM, front_matter
from datasets_app.corpus.readers.rendition import LOST
from datasets_app.corpus.source import REASONS, Waiting, WaitingError

MOST_CHARACTERS = 20_000_000
PLACES_NAMED = 3
FRONT_MATTER = 1 << 16
LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Text:
    """All that a file says. `places` are positions with what begins there, like `page 3`.

    Without them, its lines are what people know. `remark` says what could not be read of it.
    """

    text: str
    headings: list[Heading]
    places: list[tuple[int, str]]
    remark: str = ""


def prose_kinds() -> tuple[str, ...]:
    """Return the kinds of files that can be cut into chunks."""
    return tuple(kind for kind, found in FORMATS.items() if found.prose)


def prose_endings() -> tuple[str, ...]:
    """Return the endings that people know them by, the plainest first."""
    known = (found for found in reversed(FORMATS.values()) if found.prose)
    return tuple(ending for found in known for ending in found.endings)


def text_of(
    path: Path,
    identified: Identified,
    *,
    should_stop: Callable[[], bool] = bool,
    seconds: float = 60,
) -> Text:
    """Return the text of a file; its line ends are LF and it holds no NUL.

    Raises ChunkError for a file that holds no prose or no words, WaitingError where a person must
    choose its encoding, and ChildError for a document that cannot be read to its end.
    """
    form = identified.format
    if form.prose is None:
        raise ChunkError(form.refusal or f"This is {form.name}: it holds no text to cut.")
    parts, lost, title = list[tuple[str, str]](), list[tuple[str, str]](), ""
    if form.document:
        for text, place, reason in _told(path, form, should_stop, seconds):
            if text:
                parts.append((text, place))
            if reason in LOST:
                lost.append((place, reason))
    elif form is markdown.FORMAT:
        words = "".join(part for part, _ in _parts_of_text(path, identified))
        title, words = _without_front_matter(words)
        parts.append((words, ""))
    else:
        parts += _parts_of_text(path, identified)
    text, places = _joined(parts)
    if not any(map(str.isalnum, text)):
        raise ChunkError("There is no word in it.")
    headings = form.prose.headings(text)
    if title and title not in {one.title for one in headings if one.level == 1}:
        headings.insert(0, Heading(0, 1, title))
    return Text(text, headings, places, _remark(lost))


def _told(
    path: Path, form: Format, should_stop: Callable[[], bool], seconds: float
) -> Iterator[tuple[str, str, str]]:
    """Yield the parts of a document, which a process with limits of its own opens."""
    most = max(1, round(seconds))
    limits = dataclasses.replace(ArchiveLimits.of_document(), cpu_seconds=most, wall_seconds=most)
    extract = (form.prose.extract if form.prose else None) or (
        form.document.extract if form.document else None
    )
    if extract is None:
        return
    with closing(run_limited(path, Call(extract, (0,), limits), should_stop)) as told:
        yield from told


def _parts_of_text(path: Path, identified: Identified) -> Iterator[tuple[str, str]]:
    found = identified.encoding or encodings.detect(path)
    if isinstance(found, Waiting):
        raise WaitingError(found)
    prose = identified.format.prose
    with closing(open_view(path, found)) as stream:
        if prose and prose.parts:
            yield from prose.parts(stream)
            return
        data = stream.read(4 * MOST_CHARACTERS)
        yield with_lf(data.decode("utf-8", "replace")).removeprefix(BOM), ""


def _without_front_matter(text: str) -> tuple[str, str]:
    """Return the title that stands above a text in Markdown, if any, and the text below that."""
    matter, lines = front_matter(text[:FRONT_MATTER])
    title = matter.get("title", "").strip("\"' ")[:LONGEST_TITLE]
    return title, text.split("\n", lines)[-1] if lines else text


def _joined(parts: Iterable[tuple[str, str]]) -> tuple[str, list[tuple[int, str]]]:
    """Return parts as one text, and where each named one begins."""
    pieces: list[str] = []
    places: list[tuple[int, str]] = []
    size = 0
    for part, place in parts:
        text = clean_text(part).text
        if ";base64," in text:
            text = EMBEDDED.sub(MARK, text)
        if place:
            places.append((size, place))
        pieces.append(text)
        size += len(text)
        if size > MOST_CHARACTERS:
            raise ChunkError(
                f"It holds more than {MOST_CHARACTERS:,} characters. Divide it into several files."
            )
    return "".join(pieces), places


def _remark(lost: list[tuple[str, str]]) -> str:
    """Say which parts could not be read; the rest was."""
    if not lost:
        return ""
    named = ", ".join(place for place, _ in lost[:PLACES_NAMED])
    more = f" and {len(lost) - PLACES_NAMED:,} more" if len(lost) > PLACES_NAMED else ""
    return f"Not read: {named}{more}. {REASONS[lost[0][1]]}"


class Places:
    """Says of a range of a text where people find it."""

    def __init__(self, text: str, places: Iterable[tuple[int, str]]) -> None:
        self._places = list(places)
        self._starts = [start for start, _ in self._places]
        self._line_ends: list[int] = []
        if not self._places:
            at = text.find("\n")
            while at >= 0:
                self._line_ends.append(at)
                at = text.find("\n", at + 1)

    def of(self, start: int, end: int) -> str:
        """Return the place of `[start, end)`: pages or parts, else lines."""
        if not self._places:
            first = bisect_right(self._line_ends, start - 1) + 1
            last = bisect_right(self._line_ends, end - 2) + 1
            return f"line {first:,}" if first == last else f"lines {first:,} to {last:,}"
        one, other = (self._named(at) for at in (start, end - 1))
        return one if one == other else f"{one} to {other}"

    def _named(self, position: int) -> str:
        return self._places[max(0, bisect_right(self._starts, position) - 1)][1]
