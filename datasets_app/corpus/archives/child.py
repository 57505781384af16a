"""The process that opens one archive: `python -m datasets_app.corpus.archives.child SPEC`.

It gets the archive as standard input and an empty folder, limits itself before it opens anything,
writes members as 1, 2, 3 and one line of JSON for each. It imports neither Django nor the project.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
from pathlib import Path
from typing import BinaryIO

from datasets_app.corpus.archives.limits import ArchiveLimits, ArchiveStop, Meter
from datasets_app.corpus.archives.names import name_fault
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.stream import CappedReader
from datasets_app.corpus.archives.tar import unpack_tar
from datasets_app.corpus.archives.zipped import unpack_zip

PACKINGS = {"tar": "", "tar.gz": "gz", "tar.bz2": "bz2", "tar.xz": "xz"}
ENDINGS = {"gz": (".gz",), "bz2": (".bz2",), "xz": (".xz",)}
STEP = 1 << 16
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
OPEN_FILES = 64


def limit_this_process(limits: ArchiveLimits) -> None:
    """Give this process its memory, time and file limits; they cannot be raised again."""
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.member_bytes + STEP),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    os.nice(10)


def unpack(file: BinaryIO, kind: str, name: str, out: Out) -> None:
    """Unpack an archive of any kind."""
    if kind == "zip":
        unpack_zip(file, out)
    elif kind in PACKINGS:
        reader = CappedReader(file, PACKINGS[kind], out.meter)
        unpack_tar(reader, out)
    else:
        _unpack_single(CappedReader(file, kind, out.meter), kind, name, out)


def _unpack_single(reader: CappedReader, kind: str, name: str, out: Out) -> None:
    """Unpack a packed file that is no archive; it is named after its packed file."""
    inner = name
    for ending in ENDINGS[kind]:
        inner = name[: -len(ending)] if name.casefold().endswith(ending) else inner
    inner = inner or "unpacked"
    fault = name_fault(inner, len(inner.encode()))
    if fault and fault != "junk":
        inner = "unpacked"
    data = iter(lambda: reader.read(STEP), b"")
    out.write(inner, data, lambda: "trailing_junk" if reader.has_junk else "")


def main(spec: str) -> int:
    """Unpack what standard input holds and report on standard output; 0 unless it was stopped."""
    given = json.loads(spec)
    limits = ArchiveLimits(**given["limits"])
    limit_this_process(limits)
    out = Out(Path(given["into"]), sys.stdout, Meter(limits))
    try:
        with os.fdopen(0, "rb") as file:
            unpack(file, given["kind"], given["name"], out)
    except ArchiveStop as stop:
        out.say(error=stop.code, message=stop.message, at=stop.at)
        return 1
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        out.say(error="disk_full", message="The disk has no room for this.", at=0)
        return 1
    except MemoryError:
        out.say(error="stopped", message="It needed more memory than one archive may use.", at=0)
        return 1
    out.say(done=True, produced=out.meter.produced)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
