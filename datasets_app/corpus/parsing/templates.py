"""Sentences with `{{column}}` in them, filled from the cells of a row; no program, only words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.parsing.cells import date_words, number_words, tidy

FILTERS: dict[str, Callable[[str], str]] = {
    "date": date_words,
    "number": number_words,
    "lower": str.lower,
    "upper": str.upper,
}
LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class _Field:
    """A place that a cell fills; `otherwise` stands there where the cell is empty."""

    column: str
    filters: tuple[str, ...] = ()
    otherwise: str = ""

    def filled(self, cells: Mapping[str, str]) -> str:
        cell = tidy(cells.get(self.column, ""))
        for name in self.filters:
            cell = FILTERS[name](cell)
        return cell or self.otherwise


_Part = str | _Field


@dataclass(frozen=True, slots=True)
class Template:
    """Words and fields; a part in `[[ ]]` goes where one of its own cells is empty."""

    parts: tuple[tuple[bool, tuple[_Part, ...]], ...]

    @classmethod
    def of(cls, text: str, columns: Sequence[str]) -> Template:
        """Return the template of a text; raises CorpusError for what is not understood in it."""
        if len(text) > LONGEST:
            raise CorpusError(f"A template has at most {LONGEST:,} signs.")
        parts = tuple((may_go, tuple(_parsed(piece, columns))) for may_go, piece in _pieces(text))
        if not any(isinstance(part, _Field) for _, piece in parts for part in piece):
            raise CorpusError("Name at least one column, as in {{name}}: else all rows are alike.")
        return cls(parts)

    def filled(self, cells: Mapping[str, str]) -> str:
        """Return the words of a row; "" where a cell outside `[[ ]]` is empty."""
        told = []
        for may_go, parts in self.parts:
            words = [part if isinstance(part, str) else part.filled(cells) for part in parts]
            if all(words):
                told += words
            elif not may_go:
                return ""
        return "".join(told).strip()


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the pieces of a template and whether each may go."""
    for number, piece in enumerate(text.split("[[")):
        inside, closed, behind = piece.partition("]]") if number else ("", "", piece)
        if number and not closed:
            raise CorpusError("A part that begins with [[ has to end with ]].")
        if "]]" in behind:
            raise CorpusError("]] stands where no [[ is open.")
        if inside:
            yield True, inside
        if behind:
            yield False, behind


def _parsed(piece: str, columns: Sequence[str]) -> Iterator[_Part]:
    for number, part in enumerate(piece.split("{{")):
        inside, closed, behind = part.partition("}}") if number else ("", "", part)
        if number and not closed:
            raise CorpusError("A column that begins with {{ has to end with }}.")
        if number:
            yield _field(inside, columns)
        if behind:
            yield behind


def _field(inside: str, columns: Sequence[str]) -> _Field:
    name, *told = (word.strip() for word in inside.split("|"))
    by_plain = {column.casefold(): column for column in reversed(columns)}
    column = name if name in columns else by_plain.get(name.casefold())
    if column is None:
        near = get_close_matches(name.casefold(), by_plain, n=1, cutoff=0.4)
        hint = f" Did you mean “{by_plain[near[0]]}”?" if near else ""
        raise CorpusError(f"There is no column “{name}”.{hint}")
    filters, otherwise = [], ""
    for word in told:
        if word in FILTERS:
            filters.append(word)
        elif word.startswith("or:"):
            otherwise = word.removeprefix("or:").strip().strip('"“”')
        else:
            known = ", ".join((*FILTERS, 'or:"…"'))
            raise CorpusError(f"“{word}” is not known behind a |. Known are: {known}.")
    return _Field(column, tuple(filters), otherwise)
