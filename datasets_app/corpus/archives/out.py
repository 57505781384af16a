"""Where the limited child puts members and parts, and how it tells the job about them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from datasets_app.corpus.archives.limits import ArchiveStop, MemberStop, Meter

DISK_CHECK_BYTES = 64 << 20


class Out:
    """Numbers members, writes them as 1, 2, 3 and reports each one in a line of JSON."""

    def __init__(self, folder: Path, pipe: TextIO, meter: Meter) -> None:
        self._folder = folder
        self._pipe = pipe
        self.meter = meter
        self._number = 0
        self._since_check = DISK_CHECK_BYTES

    def list(self, name: str, verdict: str, reason: str, size: int = 0) -> None:
        """Report a member that is not written."""
        self._number += 1
        self._say(name, size, verdict, reason)

    def write(self, name: str, pieces: Iterator[bytes], reason: Callable[[], str] = str) -> None:
        """Write a member and report it; a member that stops leaves no file behind.

        `reason` is asked once everything was read.
        """
        self._number += 1
        path = self._folder / str(self._number)
        self.meter.begin_member()
        size = 0
        try:
            with path.open("xb") as file:
                for piece in pieces:
                    self._check_disk(len(piece))
                    size += len(piece)
                    file.write(piece)
        except MemberStop as stop:
            path.unlink()
            self._say(name, size, "failed", stop.code)
        except ArchiveStop:
            path.unlink()
            raise
        else:
            self._say(name, size, "ok", reason())

    def section(self, name: str, section: int, size: int, reason: str = "") -> None:
        """Report a member that is no file of its own and is read from the same file later.

        With a `reason` a person is asked first whether it shall be.
        """
        self._number += 1
        self._say(name, size, "ok", reason, section=section)

    def part(self, text: str, place: str, reason: str = "") -> None:
        """Tell one part of a document; a `reason` says why it has no text, or what is odd in it."""
        self.meter.tell(len(text))
        self._pipe.write(json.dumps((text, place, reason)) + "\n")

    def say(self, **line: object) -> None:
        """Send one line to the job."""
        self._pipe.write(json.dumps(line) + "\n")
        self._pipe.flush()

    def _say(self, name: str, size: int, verdict: str, reason: str, **more: object) -> None:
        shown = name.encode("utf-8", "replace")[:1024].decode("utf-8", "ignore")
        told = {"number": self._number, "name": shown, "size": size}
        self.say(**told, verdict=verdict, reason=reason, **more)

    def _check_disk(self, count: int) -> None:
        self._since_check += count
        if self._since_check < DISK_CHECK_BYTES:
            return
        self._since_check = 0
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self.meter.limits.free_disk_bytes:
            raise ArchiveStop("disk_full", "There is not enough free space to unpack this.")
