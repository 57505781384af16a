"""Kinds by their leading bytes: OTTO's own table, so that no library decides alone."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from pathlib import Path

from datasets_app.corpus.detection.kind_names import Kind

HEAD_BYTES = 4096
EMPTY_TAR_BYTES = 10_240
FIRST_BYTES = EMPTY_TAR_BYTES + 1

LEADING: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"\x1f\x8b", Kind.GZ),
    (b"BZh", Kind.BZ2),
    (b"\xfd7zXZ\x00", Kind.XZ),
    (b"%PDF-", Kind.PDF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.OLE),
    (b"Rar!\x1a\x07", Kind.RAR),
    (b"7z\xbc\xaf\x27\x1c", Kind.SEVENZIP),
    (b"\x28\xb5\x2f\xfd", Kind.ZSTD),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"GIF87a", Kind.IMAGE),
    (b"GIF89a", Kind.IMAGE),
    (b"II*\x00", Kind.IMAGE),
    (b"MM\x00*", Kind.IMAGE),
    (b"ID3", Kind.AUDIO),
    (b"OggS", Kind.AUDIO),
    (b"fLaC", Kind.AUDIO),
    (b"\x1aE\xdf\xa3", Kind.VIDEO),
    (b"\x7fELF", Kind.PROGRAM),
    (b"MZ", Kind.PROGRAM),
    (b"\xcf\xfa\xed\xfe", Kind.PROGRAM),
    (b"\xca\xfe\xba\xbe", Kind.PROGRAM),
    (b"\x00asm", Kind.PROGRAM),
    (b"SQLite format 3\x00", Kind.DATABASE),
    (b"GGUF", Kind.MODEL),
    (b"\x80\x02", Kind.MODEL),
    (b"\x80\x03", Kind.MODEL),
    (b"\x80\x04\x95", Kind.MODEL),
    (b"\x80\x05\x95", Kind.MODEL),
    (b"{\\rtf", Kind.RTF),
    (b"%!PS", Kind.PDF),
    (b"PAR1", Kind.DATABASE),
)
RIFF: dict[bytes, Kind] = {b"WAVE": Kind.AUDIO, b"AVI ": Kind.VIDEO, b"WEBP": Kind.IMAGE}


def by_leading_bytes(head: bytes) -> Kind | None:
    """Return the kind that the first bytes prove, or None."""
    if head[:4] == b"RIFF":
        return RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return Kind.VIDEO
    if head[:2] in {b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"}:
        return Kind.AUDIO
    if head[:2] == b"BM" and len(head) > 14 and head[6:10] == b"\0\0\0\0":
        return Kind.IMAGE
    if is_tar(head):
        return Kind.TAR
    kind = next((kind for mark, kind in LEADING if head.startswith(mark)), None)
    return None if kind is Kind.PROGRAM and not _is_program(head) else kind


def _is_program(head: bytes) -> bool:
    """Tell a program from a text that begins with the letters MZ."""
    return not head.startswith(b"MZ") or b"\0" in head[:64]


def is_tar(head: bytes) -> bool:
    """Say whether a tar header with a valid checksum begins here; empty blocks count too."""
    if 1024 <= len(head) <= EMPTY_TAR_BYTES and not any(head):
        return True
    if len(head) < 512:
        return False
    header = head[:512]
    stored = header[148:156].strip(b" \0")
    if not stored or any(sign not in b"01234567" for sign in stored):
        return False
    return sum(header[:148]) + 256 + sum(header[156:]) == int(stored, 8)


def inside_stream(path: Path, kind: Kind) -> Kind:
    """Tell a packed tar from a packed single file by its first unpacked block."""
    tars = {Kind.GZ: Kind.TAR_GZ, Kind.BZ2: Kind.TAR_BZ2, Kind.XZ: Kind.TAR_XZ}
    return tars[kind] if is_tar(_first_block(path, kind)) else kind


def _first_block(path: Path, kind: Kind) -> bytes:
    """Unpack a little more than an empty tar; of damaged data what came before it."""
    block = b""
    try:
        if kind is Kind.GZ:
            gz = zlib.decompressobj(wbits=31)
            return gz.decompress(_read_head(path), FIRST_BYTES)
        packed = (
            bz2.BZ2Decompressor() if kind is Kind.BZ2 else lzma.LZMADecompressor(memlimit=128 << 20)
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


OFFICE: tuple[tuple[bytes, Kind], ...] = (
    (b"word/document.xml", Kind.DOCX),
    (b"xl/workbook.xml", Kind.XLSX),
    (b"ppt/presentation.xml", Kind.PPTX),
    (b"META-INF/MANIFEST.MF", Kind.JAR),
    (b"AndroidManifest.xml", Kind.JAR),
)
MIMETYPES: dict[bytes, Kind] = {
    b"application/epub+zip": Kind.EPUB,
    b"application/vnd.oasis.opendocument.text": Kind.ODT,
    b"application/vnd.oasis.opendocument.spreadsheet": Kind.ODS,
    b"application/vnd.oasis.opendocument.presentation": Kind.PPTX,
}


def office_kind(path: Path) -> Kind | None:
    """Return what document a zip really is, by the names in its directory; None for a plain zip."""
    names = _zip_names(path)
    if b"mimetype" in names:
        head = _read_head(path)
        start = 30 + struct.unpack_from("<H", head, 26)[0] + struct.unpack_from("<H", head, 28)[0]
        return next(
            (
                kind
                for text, kind in MIMETYPES.items()
                if head[start:] == text or head[start:].startswith(text + b"PK")
            ),
            None,
        )
    if b"data.pkl" in {name.rsplit(b"/", 1)[-1] for name in names}:
        return Kind.MODEL
    return next((kind for name, kind in OFFICE if name in names), None)


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
