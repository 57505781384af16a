"""Walks tar archives header by header; regular files come out, everything else is listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.names import decode_name, name_fault
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.stream import CappedReader

SIZE = 512
STEP = 1 << 16
REGULAR, FOLDER = frozenset(b"0\x007"), ord("5")
LINKS = frozenset(b"12346")
SPARSE = ord("S")
LARGEST_SIZE = 1 << 60
PAX_RECORD = re.compile(rb"(\d{1,10}) ([^=]{1,512})=")


@dataclass(frozen=True, slots=True)
class Header:
    """One 512-byte header whose checksum is right."""

    raw_name: bytes
    size: int
    kind: int
    is_extended: bool


@dataclass(slots=True)
class _Pending:
    """What extension headers say about the next member."""

    name: bytes | None = None
    size: int | None = None
    is_sparse: bool = False


@dataclass(slots=True)
class _Walk:
    reader: CappedReader
    out: Out
    seen: set[bytes] = field(default_factory=set)


def unpack_tar(reader: CappedReader, out: Out) -> None:
    """Write every regular file, also of tars that were put one behind another.

    Raises ArchiveStop with the position where the walk must end.
    """
    walk = _Walk(reader, out)
    pending = _Pending()
    while header := _next_header(reader, out):
        out.meter.count_header(reader.at)
        if header.kind in b"xgLK":
            _extend(walk, header, pending)
            continue
        _member(walk, header, pending)
        pending = _Pending()


def bad(message: str, at: int) -> ArchiveStop:
    return ArchiveStop("bad_archive", f"{message} (byte {at:,} of the unpacked tar)", at)


def _next_header(reader: CappedReader, out: Out) -> Header | None:
    """Return the next header, or None at the end."""
    at = reader.at
    block = reader.read(SIZE)
    if len(block) < SIZE:
        raise bad("The tar ends without its end mark", at)
    return parse_header(block, at) if any(block) else _behind_the_end(reader, out)


def _behind_the_end(reader: CappedReader, out: Out) -> Header | None:
    """Return the first header of a tar that was put behind this one; zeros may stand between."""
    while block := reader.read(SIZE):
        if not any(block):
            continue
        with suppress(ArchiveStop):
            return parse_header(block.ljust(SIZE, b"\0"), reader.at - len(block))
        out.list("(behind the end of the tar)", "skipped", "trailing_junk")
        return None
    if reader.has_junk:
        out.list("(behind the end of the packed data)", "skipped", "trailing_junk")
    return None


def parse_header(block: bytes, at: int) -> Header:
    """Return the header of a block; raises ArchiveStop when its checksum or size is wrong."""
    stored = number(block[148:156], at)
    unsigned = sum(block[:148]) + 256 + sum(block[156:])
    signed = unsigned - 256 * sum(sign >= 128 for sign in (*block[:148], *block[156:]))
    if stored not in {unsigned, signed}:
        raise bad("A header's checksum is wrong", at)
    name = block[:100].split(b"\0")[0]
    prefix = block[345:500].split(b"\0")[0]
    if block[257:263] == b"ustar\0" and prefix:
        name = prefix + b"/" + name
    return Header(name, number(block[124:136], at), block[156], bool(block[482]))


def number(digits: bytes, at: int) -> int:
    """Return a size or checksum: octal digits, or a positive number in base 256."""
    if digits[0] & 0x80:
        value = int.from_bytes(digits, "big") - (0x80 << (8 * (len(digits) - 1)))
        if value > LARGEST_SIZE:  # a negative number sets the bit below the mark
            raise bad("A header holds an impossible size", at)
        return value
    text = digits.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", text):
        raise bad("A header holds something that is no number", at)
    return int(text or b"0", 8)


def _extend(walk: _Walk, header: Header, pending: _Pending) -> None:
    """Read a long name or a set of extended fields; only name and size are believed."""
    limit = walk.out.meter.limits.header_bytes
    if header.size > limit:
        message = f"A header of the tar is longer than {limit // 1024} KiB"
        raise ArchiveStop("header_cap", f"{message} (byte {walk.reader.at:,})", walk.reader.at)
    data = b"".join(_padded(walk.reader, header.size))
    if header.kind == ord("L"):
        pending.name = data.split(b"\0")[0]
    elif header.kind == ord("x"):
        _apply_pax(data, pending, walk.reader.at)


def _apply_pax(data: bytes, pending: _Pending, at: int) -> None:
    while found := PAX_RECORD.match(data):
        length = int(found[1])
        if not found.end() < length <= len(data):
            raise bad("An extended header is damaged", at)
        value = data[found.end() : length - 1]
        if found[2] == b"path":
            pending.name = value
        elif found[2] == b"size":
            pending.size = _pax_size(value, at)
        elif found[2].startswith(b"GNU.sparse"):
            pending.is_sparse = True
        data = data[length:]


def _pax_size(value: bytes, at: int) -> int:
    if not re.fullmatch(rb"\d{1,19}", value) or int(value) > LARGEST_SIZE:
        raise bad("An extended header holds an impossible size", at)
    return int(value)


def _member(walk: _Walk, header: Header, pending: _Pending) -> None:
    raw_name = header.raw_name if pending.name is None else pending.name
    size = header.size if pending.size is None else pending.size
    name = decode_name(raw_name)
    is_old_folder = header.kind in REGULAR and raw_name.endswith(b"/")
    if header.kind == FOLDER or is_old_folder:
        _skip(walk.reader, size)
    elif header.kind in LINKS:
        walk.out.list(name, "skipped", "blocked_link")
    elif header.kind == SPARSE or pending.is_sparse:
        _skip_sparse(walk.reader, header, size)
        walk.out.list(name, "skipped", "blocked_link")
    else:
        _regular(walk, raw_name, name, size)


def _regular(walk: _Walk, raw_name: bytes, name: str, size: int) -> None:
    fault = name_fault(name, len(raw_name))
    if not fault and size > walk.out.meter.limits.member_bytes:
        fault = "member_cap"
    if fault:
        _skip(walk.reader, size)
        walk.out.list(name, "failed" if fault == "member_cap" else "skipped", fault, size)
        return
    is_repeated = raw_name in walk.seen
    walk.seen.add(raw_name)
    data = _padded(walk.reader, size)
    walk.out.write(name, data, lambda: "repeated_name" if is_repeated else "")


def _skip(reader: CappedReader, size: int) -> None:
    for _ in _padded(reader, size):
        pass


def _skip_sparse(reader: CappedReader, header: Header, size: int) -> None:
    """Pass over the maps of a sparse file and over its data."""
    is_extended = header.is_extended
    while is_extended:
        block = reader.read(SIZE)
        if len(block) < SIZE:
            raise bad("The tar is cut short", reader.at)
        is_extended = bool(block[504])
    _skip(reader, size)


def _padded(reader: CappedReader, size: int) -> Iterator[bytes]:
    """Yield a member's data and pass over the padding behind it."""
    left = size
    while left:
        piece = reader.read(min(STEP, left))
        if not piece:
            raise bad("The tar is cut short", reader.at)
        left -= len(piece)
        yield piece
    padding = -size % SIZE
    if len(reader.read(padding)) < padding:
        raise bad("The tar is cut short", reader.at)
