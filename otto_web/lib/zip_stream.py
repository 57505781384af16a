"""What downloads of runs and models consist of, block by block."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.db.models import Model
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from otto_web.lib.file_response import BLOCK_BYTES, Whole, stream


class _Sink:
    """Where a ZIP writer writes to; what was written is taken out again at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is no buffer below."""

    def take(self) -> bytes:
        joined = b"".join(self._parts)
        self._parts.clear()
        return joined


def zip_blocks(folder: Path, *, root: str) -> Iterator[bytes]:
    """Yield a ZIP archive of a folder's files, stored below `root`, in a fixed order."""
    yield from _archive(folder, root, _blocks_of)


def zip_of(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a ZIP archive of files that are made one after the other, by their names."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name, data in members:
            archive.writestr(name, data)
            yield sink.take()
    yield sink.take()


def zip_whole(folder: Path, *, root: str) -> Whole:
    """Return size and tag of what `zip_blocks` yields, without reading the files."""
    facts = hashlib.sha256(root.encode())
    for path in _files(folder):
        stat = path.stat()
        facts.update(f"{path.relative_to(folder)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    size = sum(len(block) for block in _archive(folder, root, _zeros_for))
    return Whole(size, facts.hexdigest()[:32])


def send_folder(request: HttpRequest, folder: Path, *, of: Model, name: str) -> HttpResponseBase:
    """Answer with a folder of a run, a model or an export as a ZIP, whole or in part."""
    if not folder.is_dir():
        raise Http404
    blocks, whole = zip_blocks(folder, root=name), zip_whole(folder, root=name)
    return stream(request, blocks, of=of, name=f"{name}.zip", kind="application/zip", whole=whole)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _archive(
    folder: Path, root: str, content: Callable[[Path], Iterator[bytes]]
) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for path in _files(folder):
            entry = zipfile.ZipInfo(f"{root}/{path.relative_to(folder).as_posix()}")
            entry.file_size = path.stat().st_size
            with archive.open(entry, "w") as member:
                for block in content(path):
                    member.write(block)
                    yield sink.take()
    yield sink.take()


def _blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def _zeros_for(path: Path) -> Iterator[bytes]:
    left, zeros = path.stat().st_size, bytes(BLOCK_BYTES)
    while left:
        yield zeros[:left]
        left -= min(left, BLOCK_BYTES)
