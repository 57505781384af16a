"""Reads zip files without a library: what two readers could see differently is refused."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

from datasets_app.corpus.archives.limits import ArchiveLimits, ArchiveStop, MemberStop, Meter
from datasets_app.corpus.archives.names import decode_name, name_fault
from datasets_app.corpus.archives.out import Out

BLOCK = 1 << 16
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
STORED, DEFLATED = 0, 8
ENCRYPTED, DESCRIPTOR = 1, 8
LARGE, MANY = 0xFFFFFFFF, 0xFFFF


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory is and how many entries it claims."""

    count: int
    size: int
    start: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the central directory states it."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int

    @property
    def name(self) -> str:
        return decode_name(self.raw_name)


def unpack_zip(file: BinaryIO, out: Out) -> None:
    """Write every sound member; raises ArchiveStop for a container that cannot be trusted."""
    for entry in read_directory(file, out.meter):
        if not entry.raw_name.endswith(b"/"):
            _unpack_entry(file, entry, out)


def read_directory(file: BinaryIO, meter: Meter) -> list[Entry]:
    """Return the members; raises ArchiveStop when two readers could see different ones."""
    directory = find_directory(file, meter.limits)
    file.seek(directory.start)
    entries = list(_entries(file.read(directory.size), directory))
    for _ in entries:
        meter.count_header(directory.start)
    _refuse_twins(entries, directory)
    _refuse_overlaps(file, entries, directory)
    return entries


def bad(message: str, at: int) -> ArchiveStop:
    return ArchiveStop("bad_archive", f"{message} (byte {at:,})", at)


def find_directory(file: BinaryIO, limits: ArchiveLimits) -> Directory:
    """Return the one central directory; its size is checked before any of it is read."""
    size = file.seek(0, 2)
    tail_start = max(0, size - MANY - END.size - LOCATOR.size - END64.size)
    file.seek(tail_start)
    tail = file.read()
    at = _end_record(tail)
    if at < 0:
        raise bad("The zip is cut short, or bytes follow its end", size)
    _, disk, first_disk, here, count, length, start, _ = END.unpack_from(tail, at)
    directory = Directory(count, length, start)
    end = tail_start + at
    # A zipper that reads from a pipe writes the large record although nothing is large.
    is_large = tail[max(0, at - LOCATOR.size) :].startswith(b"PK\x06\x07")
    if is_large or MANY in {count, here} or LARGE in {length, start}:
        directory, end = _end64(file, tail, at, end)
    elif disk or first_disk or here != count:
        raise bad("The zip is one part of several", end)
    _check_directory(directory, end, limits)
    if tail.count(b"PK\x05\x06", max(0, directory.start - tail_start)) > 1:
        raise bad("The zip has two end records", end)
    return directory


def _end_record(tail: bytes) -> int:
    """Return the place of the end record whose comment reaches exactly to the end."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + END.size <= len(tail):
            comment = END.unpack_from(tail, at)[7]
            if at + END.size + comment == len(tail):
                return at
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return -1


def _end64(file: BinaryIO, tail: bytes, at: int, end: int) -> tuple[Directory, int]:
    """Read the larger end record, which must agree with the small one."""
    if at < LOCATOR.size or tail[at - LOCATOR.size :][:4] != b"PK\x06\x07":
        raise bad("The zip's large end record is missing", end)
    _, _, offset, disks = LOCATOR.unpack_from(tail, at - LOCATOR.size)
    if disks > 1 or offset + END64.size + LOCATOR.size != end:
        raise bad("The zip's end records contradict each other", end)
    file.seek(offset)
    mark, _, _, _, disk, first, here, count, length, start = END64.unpack(file.read(END64.size))
    if mark != b"PK\x06\x06" or disk or first or here != count:
        raise bad("The zip's end records contradict each other", offset)
    small = END.unpack_from(tail, at)
    told = zip((small[4], small[5], small[6]), (count, length, start), strict=True)
    if any(short not in {full, MANY, LARGE} for short, full in told):
        raise bad("The zip's end records contradict each other", end)
    return Directory(count, length, start), offset


def _check_directory(directory: Directory, end: int, limits: ArchiveLimits) -> None:
    if directory.count > limits.members:
        message = f"The archive holds {directory.count:,} files; at most {limits.members:,} are"
        raise ArchiveStop("too_many", f"{message} unpacked at once.", end)
    if directory.size > limits.directory_bytes:
        raise ArchiveStop("too_many", "The zip's list of files is longer than 32 MiB.", end)
    if directory.start + directory.size != end or directory.size < CENTRAL.size * directory.count:
        raise bad("The zip's list of files is not where its end record says", end)


def _entries(data: bytes, directory: Directory) -> Iterator[Entry]:
    at = 0
    for _ in range(directory.count):
        if at + CENTRAL.size > len(data) or data[at : at + 4] != b"PK\x01\x02":
            raise bad("The zip's list of files is damaged", directory.start + at)
        fields = CENTRAL.unpack_from(data, at)
        _, _, _, flags, method, _, _, crc, packed, size, named, extra, comment = fields[:13]
        name_end = at + CENTRAL.size + named
        entry = Entry(
            data[at + CENTRAL.size : name_end],
            flags,
            method,
            crc,
            packed,
            size,
            offset=fields[16],
            mode=fields[15] >> 16,
        )
        yield _with_zip64(entry, data[name_end : name_end + extra], directory.start + at)
        at = name_end + extra + comment
    if at != len(data):
        raise bad("The zip's list of files is longer than its entries", directory.start + at)


def _with_zip64(entry: Entry, extra: bytes, at: int) -> Entry:
    """Return the entry with its large sizes, where the small fields point to them."""
    wanted = [name for name in ("size", "packed", "offset") if getattr(entry, name) == LARGE]
    if not wanted:
        return entry
    while len(extra) >= 4:
        tag, length = struct.unpack_from("<2H", extra)
        if tag == 1 and length >= 8 * len(wanted) and len(extra) >= 4 + length:
            numbers = struct.unpack_from(f"<{len(wanted)}Q", extra, 4)
            return replace(entry, **dict(zip(wanted, numbers, strict=True)))
        extra = extra[4 + length :]
    raise bad("The zip states large sizes without giving them", at)


def _refuse_twins(entries: list[Entry], directory: Directory) -> None:
    if len({entry.raw_name for entry in entries}) < len(entries):
        raise bad("The zip lists one name twice", directory.start)


def _refuse_overlaps(file: BinaryIO, entries: list[Entry], directory: Directory) -> None:
    spans = []
    for entry in entries:
        start = _local_data(file, entry, directory.start)
        spans.append((entry.offset, start + entry.packed))
    spans.sort()
    for (_, end), (start, _) in pairwise([*spans, (directory.start, directory.start)]):
        if end > start:
            raise bad("Two files of the zip overlap", start)


def _local_data(file: BinaryIO, entry: Entry, limit: int) -> int:
    """Return where a member's data begins, from its own header."""
    if entry.offset + LOCAL.size > limit:
        raise bad("A file of the zip lies outside it", entry.offset)
    file.seek(entry.offset)
    header = file.read(LOCAL.size)
    if header[:4] != b"PK\x03\x04":
        raise bad("A file of the zip does not begin where it should", entry.offset)
    named, extra = LOCAL.unpack(header)[9:11]
    return entry.offset + LOCAL.size + int(named) + int(extra)


def check_local(file: BinaryIO, entry: Entry) -> None:
    """Refuse a member whose own header tells another story than the directory."""
    file.seek(entry.offset)
    _, _, flags, method, _, _, crc, packed, size, named, _ = LOCAL.unpack(file.read(LOCAL.size))
    same = (flags & ENCRYPTED, method) == (entry.flags & ENCRYPTED, entry.method)
    told = ((crc, entry.crc), (packed, entry.packed), (size, entry.size))
    later = 0 if flags & DESCRIPTOR else None
    agrees = all(local in {central, LARGE, later} for local, central in told)
    if not same or not agrees or file.read(named) != entry.raw_name:
        raise bad("A file's own header differs from the zip's list", entry.offset)


def _unpack_entry(file: BinaryIO, entry: Entry, out: Out) -> None:
    check_local(file, entry)
    fault = entry_fault(entry)
    if fault:
        verdict = "failed" if fault in {"encrypted", "bad_method"} else "skipped"
        out.list(entry.name, verdict, fault, entry.size)
        return
    out.write(entry.name, read_entry(file, entry, out.meter))


def entry_fault(entry: Entry) -> str:
    """Return why a member is not unpacked: a code of a reason, or ""."""
    kind = stat.S_IFMT(entry.mode)
    if stat.S_ISFIFO(kind) and entry.size:
        kind = stat.S_IFREG  # what came through a pipe is data; a pipe itself holds none
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "blocked_link"
    fault = name_fault(entry.name, len(entry.raw_name))
    if fault:
        return fault
    if entry.flags & ENCRYPTED:
        return "encrypted"
    return "" if entry.method in {STORED, DEFLATED} else "bad_method"


def read_entry(file: BinaryIO, entry: Entry, meter: Meter) -> Iterator[bytes]:
    """Yield a member's bytes in small steps; size and checksum must be the stated ones."""
    file.seek(_local_data(file, entry, entry.offset + LOCAL.size))
    crc = size = 0
    pieces = _stored(file, entry) if entry.method == STORED else _inflated(file, entry)
    for piece, consumed in pieces:
        meter.add(len(piece), consumed)
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        if size > entry.size:
            raise MemberStop("bad_member", "It is larger than the zip says.")
        yield piece
    if size != entry.size:
        raise MemberStop("bad_member", "It is smaller than the zip says.")
    if crc != entry.crc:
        raise MemberStop("bad_crc", "Its checksum does not match.")


def _stored(file: BinaryIO, entry: Entry) -> Iterator[tuple[bytes, int]]:
    left = entry.packed
    while left:
        piece = file.read(min(BLOCK, left))
        if not piece:
            raise MemberStop("bad_member", "It is cut short.")
        left -= len(piece)
        yield piece, len(piece)


def _inflated(file: BinaryIO, entry: Entry) -> Iterator[tuple[bytes, int]]:
    inflater = zlib.decompressobj(wbits=-15)
    for packed, _ in _stored(file, entry):
        if inflater.eof:
            raise MemberStop("bad_member", "Its packed data does not end where it should.")
        waiting, consumed, is_full = packed, len(packed), True
        while (waiting or is_full) and not inflater.eof:
            try:
                piece = inflater.decompress(waiting, BLOCK)
            except zlib.error:
                raise MemberStop("bad_member", "Its packed data is damaged.") from None
            yield piece, consumed
            waiting, consumed = inflater.unconsumed_tail, 0
            is_full = len(piece) == BLOCK  # zlib may hold more, though it has taken all input
    if not inflater.eof or inflater.unused_data:
        raise MemberStop("bad_member", "Its packed data does not end where it should.")
