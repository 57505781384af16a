"""Office files are zips: one is checked as a whole before any library looks into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from datasets_app.corpus.archives.limits import ArchiveStop, MemberStop, Meter
from datasets_app.corpus.archives.zipped import (
    Entry,
    check_local,
    entry_fault,
    read_directory,
    read_entry,
)

FAULTS = {
    "encrypted": "It is protected by a password. Save it without one and upload that.",
    "bad_method": "It is packed in a way that Office does not write. Open it, save it again and "
    "upload that.",
}


@dataclass(slots=True)
class Package:
    """The members of an Office file, none of which is larger than its packed size allows."""

    file: BinaryIO
    meter: Meter
    members: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def checked(cls, file: BinaryIO, meter: Meter) -> Package:
        """Open a package; raises ArchiveStop for one that is not sound or would grow too far."""
        try:
            entries = read_directory(file, meter)
            for entry in entries:
                check_local(file, entry)
        except ArchiveStop as stop:
            message = f"The document is damaged. {stop.message}. Open it, save it again and upload"
            raise ArchiveStop("bad_document", f"{message} that.", stop.at) from None
        for entry in entries:
            fault = entry_fault(entry)
            if fault in FAULTS:
                raise ArchiveStop(fault, FAULTS[fault])
            _refuse_growth(entry, meter)
        meter.produced = meter.consumed = 0
        meter.packed = sum(entry.packed for entry in entries)
        return cls(file, meter, {entry.name: entry for entry in entries})

    def xml(self, name: str) -> Iterator[tuple[str, Element]]:
        """Yield the starts and ends of a member's elements (see `local` for their tags).

        What is defined inside the file or fetched from outside is refused, never expanded.
        """
        entry = self.members[name]
        pieces = read_entry(self.file, entry, self.meter)
        with xml_faults(name):
            parsed = defusedxml.ElementTree.iterparse(
                _Stream(pieces), events=("start", "end"), forbid_dtd=True
            )
            yield from parsed


def _refuse_growth(entry: Entry, meter: Meter) -> None:
    """Hold the stated sizes against the limits: no reader takes more out than is stated."""
    meter.begin_member()
    try:
        meter.add(entry.size, entry.packed)
    except ArchiveStop as stop:
        message = f"“{entry.name}” inside it would grow far more than in a real document."
        raise ArchiveStop(stop.code, message) from None


@contextmanager
def xml_faults(name: str) -> Iterator[None]:
    """Turn what is wrong with XML into a sentence."""
    try:
        yield
    except DefusedXmlException:
        message = (
            "It defines entities of its own, which no Office program writes and which can be a "
            "trap. Open it, save it again and upload that."
        )
        raise ArchiveStop("bad_document", message) from None
    except ParseError as error:
        message = f"“{name}” inside it is damaged in line {error.position[0]:,}."
        raise ArchiveStop("bad_document", message) from None
    except MemberStop as stop:
        raise ArchiveStop("bad_document", f"“{name}” inside it is damaged: {stop}") from None


@dataclass(slots=True)
class _Stream:
    """Pieces of bytes as the file that a parser reads from."""

    pieces: Iterator[bytes]

    def read(self, _size: int = -1) -> bytes:
        return next((piece for piece in self.pieces if piece), b"")


def local(tag: str) -> str:
    """Return a tag or key without its namespace: there are two generations of those."""
    return tag.rpartition("}")[2]


def attribute(element: Element, name: str) -> str:
    """Return an attribute by its name without a namespace, or ""."""
    return next((text for key, text in element.items() if local(key) == name), "")


def number(text: str) -> int:
    """Return a small number that an attribute holds, or 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
