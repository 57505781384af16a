"""What lies inside a zip or a packed stream, as far as its kind depends on it."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from pathlib import Path

from datasets_app.corpus.formats import refused
from datasets_app.corpus.formats.archived import EMPTY_TAR_BYTES, is_tar
from datasets_app.corpus.formats.format import Format
from datasets_app.corpus.formats.registry import FORMATS

HEAD_BYTES = 4096
TAIL_BYTES = 1 << 20
OFFICE_FIRST = (b"mimetype", b"[Content_Types].xml", b"_rels/.rels", b"docProps/", b"word/", b"xl/")
FIRST_BYTES = EMPTY_TAR_BYTES + 1


def holds_tar(path: Path, packing: str) -> bool:
    """Tell a packed tar from a packed single file by its first unpacked block."""
    return bool(packing) and is_tar(_first_block(path, packing))


def _first_block(path: Path, packing: str) -> bytes:
    """Unpack a little more than an empty tar; of damaged data what came before it."""
    block = b""
    try:
        if packing == "gz":
            gz = zlib.decompressobj(wbits=31)
            return gz.decompress(_read_head(path), FIRST_BYTES)
        packed = (
            bz2.BZ2Decompressor() if packing == "bz2" else lzma.LZMADecompressor(memlimit=128 << 20)
        )
        with path.open("rb") as stream:
            while len(block) < FIRST_BYTES and not packed.eof:
                data = stream.read(HEAD_BYTES) if packed.needs_input else b""
                if packed.needs_input and not data:
                    break
                block += packed.decompress(data, FIRST_BYTES - len(block))
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        return block
    return block


def _read_head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def document_in_zip(path: Path) -> Format | None:
    """Return what document a zip really is, by the names in its directory; None for a plain zip."""
    names = _zip_names(path)
    if b"mimetype" in names:
        return _by_mimetype(_read_head(path))
    return next((found for found in FORMATS.values() if found.in_zip and found.in_zip(names)), None)


def _by_mimetype(head: bytes) -> Format | None:
    start = 30 + struct.unpack_from("<H", head, 26)[0] + struct.unpack_from("<H", head, 28)[0]
    text = head[start:].partition(b"PK")[0]
    return next(
        (found for found in FORMATS.values() if found.mimetype and text == found.mimetype), None
    )


def _local_names(head: bytes) -> set[bytes]:
    """Return the names that stand before the members of an Office file which was cut short.

    Such a file begins with one of its own; what is stored in any other zip says nothing of it.
    """
    if not head.startswith(OFFICE_FIRST, 30):
        return set()
    names, at = set(), head.find(b"PK\x03\x04")
    while at >= 0 and at + 30 <= len(head):
        (length,) = struct.unpack_from("<H", head, at + 26)
        names.add(head[at + 30 : at + 30 + length])
        at = head.find(b"PK\x03\x04", at + 30 + length)
    return names


def document_in_ole(path: Path) -> Format:
    """Return what an older Office file holds, by the streams that its directory names.

    The directory may stand anywhere; its entries are looked for where programs write it: in the
    first or the last MiB, or in the sectors that the header points to.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        found = stream.read(1 << 20)
        (power,) = struct.unpack_from("<H", found.ljust(512, b"\0"), 30)
        (sector,) = struct.unpack_from("<I", found.ljust(512, b"\0"), 48)
        for place in (max(0, size - (1 << 20)), min(size, (sector + 1) << min(power, 12))):
            stream.seek(place)
            found += b"\0" + stream.read(1 << 20)
    return next(
        (
            kind
            for kind in FORMATS.values()
            if any(_ole_entry(name) in found for name in kind.in_ole)
        ),
        refused.OLE,
    )


def _ole_entry(name: str) -> bytes:
    """Return how a directory entry begins: the name in UTF-16, and the zeros up to its length."""
    encoded = name.encode("utf-16-le")
    return encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded) + 2)


def _zip_names(path: Path) -> set[bytes]:
    """Return the names in a zip's directory, in its last MiB; enough to tell documents apart.

    A document that is stored in the zip has a directory, too: only the zip's own one is walked.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - TAIL_BYTES))
        tail = stream.read()
        end = tail.rfind(b"PK\x05\x06")
        comment = int.from_bytes(tail[end + 20 : end + 22], "little")
        if end < 0 or len(tail) - end != 22 + comment:
            stream.seek(0)
            return _local_names(stream.read(TAIL_BYTES))
    (length,) = struct.unpack_from("<I", tail, end + 12)
    at = tail.find(b"PK\x01\x02", max(0, end - length))
    names = set()
    while tail[at : at + 4] == b"PK\x01\x02" and at + 46 <= len(tail):
        named, extra, comment = struct.unpack_from("<3H", tail, at + 28)
        names.add(tail[at + 46 : at + 46 + named])
        at += 46 + named + extra + comment
    return names
