"""What a file is: leading bytes first, then parsing; its name is never evidence by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from datasets_app.corpus.detection import encoding, magic_table
from datasets_app.corpus.detection.kind_names import ARCHIVES, READABLE, Kind, refusal
from datasets_app.corpus.detection.text_kinds import text_kind
from datasets_app.corpus.parsing import view
from datasets_app.corpus.source import Waiting

magic: Any
try:
    import magic
except ImportError:  # python-magic loads libmagic when it is imported
    magic = None

HEAD_BYTES = 1 << 20
CONTROL_SHARE = 0.05
TEXT_CONTROLS = frozenset(b"\t\n\r\f\b\x1b")


@dataclass(frozen=True, slots=True)
class Identified:
    """A file's kind, why OTTO thinks so, and what a person should know about it."""

    kind: Kind
    why: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_archive(self) -> bool:
        """Say whether `archives.unpack` opens it."""
        return self.kind in ARCHIVES

    @property
    def is_readable(self) -> bool:
        """Say whether `readers.registry.read` reads it."""
        return self.kind in READABLE

    @property
    def refusal(self) -> str:
        """Return the sentence that refuses it with the next step, or ""."""
        return refusal(self.kind)


def active_detectors() -> tuple[str, ...]:
    """Name the detectors that are at work, for the status page."""
    own = ("leading bytes", "parsing")
    return own if magic is None else (*own, "libmagic")


def identify(path: Path, name: str) -> Identified:
    """Return what the file is; `name` only decides between kinds of text that look alike."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip(b" \t\r\n\xef\xbb\xbf"):
        return Identified(Kind.EMPTY, ("it has no bytes but white space",))
    kind = magic_table.by_leading_bytes(head)
    if kind:
        return _with_name_note(_look_inside(path, kind), name)
    return _with_name_note(_second_opinion(head) or _parse(path, name, head), name)


def _look_inside(path: Path, kind: Kind) -> Identified:
    why = (f"its first bytes are those of {kind}",)
    if kind is Kind.ZIP:
        office = magic_table.office_kind(path)
        return (
            Identified(office, (*why, f"its members are those of {office}"))
            if office
            else (Identified(kind, why))
        )
    if kind in {Kind.GZ, Kind.BZ2, Kind.XZ}:
        inner = magic_table.inside_stream(path, kind)
        return Identified(inner, why if inner is kind else (*why, "a tar archive lies inside"))
    return Identified(kind, why)


LIBMAGIC: dict[str, Kind] = {
    "image/heic": Kind.IMAGE,
    "image/avif": Kind.IMAGE,
    "audio/mpeg": Kind.AUDIO,
    "video/mpeg": Kind.VIDEO,
    "application/x-dosexec": Kind.PROGRAM,
    "application/x-executable": Kind.PROGRAM,
    "application/x-mach-binary": Kind.PROGRAM,
}


def _second_opinion(head: bytes) -> Identified | None:
    """Ask libmagic, where it is installed, about bytes that are not text."""
    if magic is None or b"\0" not in head[:4096]:
        return None
    answer = str(magic.from_buffer(head[:4096], mime=True))
    kind = LIBMAGIC.get(answer)
    return Identified(kind, (f"libmagic calls it {answer}",)) if kind else None


def _parse(path: Path, name: str, head: bytes) -> Identified:
    found = encoding.detect(path)
    if isinstance(found, Waiting):
        if _is_binary(head):
            return Identified(Kind.BINARY, ("its bytes are not text",))
        text, why = head.decode("latin-1"), found.why
    else:
        if found.name in {"utf-8"} | set(encoding.LEGACY) and _is_binary(head):
            return Identified(Kind.BINARY, ("its bytes are not text",))
        stream = view.open_view(path, found)
        text, why = stream.read(HEAD_BYTES).decode("utf-8", "ignore"), found.why[0]
        stream.close()
    is_whole = path.stat().st_size <= HEAD_BYTES
    kind, reason = text_kind(text, name, is_whole=is_whole)
    return Identified(kind, (why, reason))


def _is_binary(head: bytes) -> bool:
    """Say whether control signs are too many for a text."""
    sample = head[:65_536]
    controls = sum(sample.count(sign) for sign in range(32) if sign not in TEXT_CONTROLS)
    return controls > CONTROL_SHARE * len(sample)


SAME = {
    "txt": {Kind.TXT, Kind.TRANSCRIPT},
    "json": {Kind.JSON},
    "jsonl": {Kind.JSONL},
    "ndjson": {Kind.JSONL},
    "csv": {Kind.CSV},
    "tsv": {Kind.TSV},
    "md": {Kind.MD, Kind.TRANSCRIPT},
    "rst": {Kind.RST},
    "zip": {Kind.ZIP},
    "tar": {Kind.TAR},
    "tgz": {Kind.TAR_GZ},
    "gz": {Kind.GZ, Kind.TAR_GZ},
    "bz2": {Kind.BZ2, Kind.TAR_BZ2},
    "pdf": {Kind.PDF},
    "docx": {Kind.DOCX},
    "html": {Kind.HTML},
}


def _with_name_note(found: Identified, name: str) -> Identified:
    """Add a note where the name promises another kind."""
    ending = PurePosixPath(name).suffix.lstrip(".").casefold()
    if found.kind in SAME.get(ending, {found.kind}) or found.kind is Kind.EMPTY:
        return found
    note = f"The name ends in .{ending}, but the file holds {found.kind}: read as {found.kind}."
    return Identified(found.kind, found.why, (*found.notes, note))
