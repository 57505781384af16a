"""How each kind of archive is opened, inside the process that has limits of its own."""

from __future__ import annotations

from typing import BinaryIO

from datasets_app.corpus.archives.names import name_fault
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.stream import CappedReader
from datasets_app.corpus.archives.tar import unpack_tar
from datasets_app.corpus.archives.zipped import unpack_zip

STEP = 1 << 16


def open_zip(file: BinaryIO, out: Out, _name: str, _packing: str) -> None:
    """Unpack a zip."""
    unpack_zip(file, out)


def open_tar(file: BinaryIO, out: Out, _name: str, packing: str) -> None:
    """Unpack a tar, packed or not."""
    unpack_tar(CappedReader(file, packing, out.meter), out)


def open_single(file: BinaryIO, out: Out, name: str, packing: str) -> None:
    """Unpack a packed file that is no archive; it is named after its packed file."""
    ending = f".{packing}"
    inner = name[: -len(ending)] if name.casefold().endswith(ending) else name
    inner = inner or "unpacked"
    fault = name_fault(inner, len(inner.encode()))
    if fault and fault != "junk":
        inner = "unpacked"
    reader = CappedReader(file, packing, out.meter)
    data = iter(lambda: reader.read(STEP), b"")
    out.write(inner, data, lambda: "trailing_junk" if reader.has_junk else "")
