"""Archives, whose files are read one by one, and single packed files."""

from __future__ import annotations

from datasets_app.corpus.archives.openers import open_single, open_tar, open_zip
from datasets_app.corpus.formats.format import Archive, Format

EMPTY_TAR_BYTES = 10_240


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


ZIP = Format(
    kind="zip",
    name="a zip archive",
    endings=("zip",),
    magic=(b"PK\x03\x04", b"PK\x05\x06"),
    archive=Archive(open_zip),
)
TAR = Format(
    kind="tar", name="a tar archive", endings=("tar",), of_bytes=is_tar, archive=Archive(open_tar)
)
TAR_GZ = Format(
    kind="tar.gz",
    name="a packed tar archive",
    endings=("tar.gz", "tgz"),
    fits=("gz",),
    archive=Archive(open_tar, "gz"),
)
TAR_BZ2 = Format(
    kind="tar.bz2",
    name="a packed tar archive",
    endings=("tar.bz2", "tbz2"),
    fits=("bz2",),
    archive=Archive(open_tar, "bz2"),
)
TAR_XZ = Format(
    kind="tar.xz",
    name="a packed tar archive",
    endings=("tar.xz",),
    fits=("xz",),
    archive=Archive(open_tar, "xz"),
)
GZ = Format(
    kind="gz",
    name="a file packed with gzip",
    endings=("gz",),
    magic=(b"\x1f\x8b",),
    archive=Archive(open_single, "gz"),
)
BZ2 = Format(
    kind="bz2",
    name="a file packed with bzip2",
    endings=("bz2",),
    magic=(b"BZh",),
    archive=Archive(open_single, "bz2"),
)
XZ = Format(
    kind="xz",
    name="a file packed with xz",
    endings=("xz",),
    magic=(b"\xfd7zXZ\x00",),
    archive=Archive(open_single, "xz"),
)
FORMATS = (ZIP, TAR, TAR_GZ, TAR_BZ2, TAR_XZ, GZ, BZ2, XZ)
