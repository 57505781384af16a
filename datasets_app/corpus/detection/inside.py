"""What lies inside a zip or a packed stream, as far as its kind depends on it."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from pathlib import Path

from datasets_app.corpus.formats.archived import EMPTY_TAR_BYTES, is_tar
from datasets_app.corpus.formats.format import Format
from datasets_app.corpus.formats.registry import FORMATS

HEAD_BYTES = 4096
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


def _zip_names(path: Path) -> set[bytes]:
    """Return the names in the last MiB of a zip's directory; enough to tell documents apart."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - (1 << 20)))
        tail = stream.read()
    names, at = set(), tail.find(b"PK\x01\x02")
    while at >= 0 and at + 46 <= len(tail):
        (length,) = struct.unpack_from("<H", tail, at + 28)
        names.add(tail[at + 46 : at + 46 + length])
        at = tail.find(b"PK\x01\x02", at + 46 + length)
    return names
