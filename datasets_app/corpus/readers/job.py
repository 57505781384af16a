"""What every reader is given, and the two ways it makes text safe to store."""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass, field, replace

from datasets_app.corpus.conversation import Turn
from datasets_app.corpus.detection.encoding import clean_text, is_clean
from datasets_app.corpus.parsing.tables import Layout
from datasets_app.corpus.parsing.view import ByteStream
from datasets_app.corpus.source import Mapping

SAMPLE_CHARACTERS = 120
LONGEST = 8000
"""Characters of a passage, unless somebody wants shorter ones."""
EMBEDDED = re.compile(
    r"(?:!\[[^\[\]\n]{0,200}\]\()?data:[a-z]{3,20}/[\w.+-]{1,80}(?:;[\w=.-]{1,60}){0,3};base64,"
    r"[A-Za-z0-9+/_-]{40,}+(?:\r?\n[A-Za-z0-9+/_-]{60,}+)*+(?:\r?\n[A-Za-z0-9+/_-]{1,59}+={1,2})?"
    r"={0,2}\)?"
)
MARK = "[file]"
"""What stands in a text for a picture or another file that was written into it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to read: its UTF-8 stream, its first MiB, and what a person has chosen."""

    stream: ByteStream
    head: bytes
    mapping: Mapping | None = None
    name: str = ""
    layout: Layout | None = None  # of a table, where it need not be guessed
    people: typing.Mapping[str, str] = field(default_factory=dict)  # names that stand elsewhere
    is_apart: bool = False  # what stands below different headings is in records of its own
    longest: int = LONGEST  # characters of a passage

    @property
    def roles(self) -> dict[str, str]:
        """Return what a person said about who speaks, by canonical names."""
        return (self.mapping.roles if self.mapping else None) or {}

    @property
    def is_whole(self) -> bool:
        """Say whether a person wants a chat of many days to be one conversation."""
        return bool(self.mapping and self.mapping.pauses == "whole")

    @property
    def columns(self) -> Mapping | None:
        """Return what a person said about the columns, if anything."""
        return self.mapping if self.mapping and self.mapping.has_columns else None

    @property
    def head_text(self) -> str:
        return self.head.decode("utf-8", "ignore")


def clean_turns(turns: tuple[Turn, ...]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """Return the turns as PostgreSQL takes them, and a note when something was replaced.

    Every line end is LF, wherever the text comes from.
    """
    turns, notes = _without_files(turns)
    if any("\r" in turn.text for turn in turns):
        turns = tuple(replace(turn, text=with_lf(turn.text)) for turn in turns)
    if all(is_clean(turn.text) and is_clean(turn.role) for turn in turns):
        return turns, tuple(notes)
    nuls = surrogates = 0
    clean: list[Turn] = []
    for turn in turns:
        role, text = clean_text(turn.role).text, clean_text(turn.text)
        nuls += text.nuls
        surrogates += text.surrogates
        clean.append(replace(turn, role=role, text=text.text))
    if nuls:
        notes.append(f"{nuls} zero characters were removed")
    if surrogates:
        notes.append(f"{surrogates} half characters were replaced by \ufffd")
    return tuple(clean), tuple(notes)


def _without_files(turns: tuple[Turn, ...]) -> tuple[tuple[Turn, ...], list[str]]:
    """Return the turns with a mark for each file that was written into the text as base64."""
    if not any(";base64," in turn.text for turn in turns):
        return turns, []
    told = [EMBEDDED.subn(MARK, turn.text) for turn in turns]
    pairs = zip(turns, told, strict=True)
    clean = tuple(Turn(turn.role, text) for turn, (text, _) in pairs)
    count = sum(found for _, found in told)
    files = "1 file" if count == 1 else f"{count} files"
    return clean, [f"{files} inside the text became {MARK}"] if count else []


def decoded(data: bytes) -> str:
    """Decode a line or passage with every line end as LF."""
    return with_lf(data.decode("utf-8", "replace"))


def with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def sample(data: bytes | str) -> str:
    """Return the beginning of something that was not loaded, safe to store and to show."""
    text = (
        data[: 4 * SAMPLE_CHARACTERS].decode("utf-8", "replace")
        if isinstance(data, bytes)
        else data
    )
    return clean_text(text[:SAMPLE_CHARACTERS]).text
