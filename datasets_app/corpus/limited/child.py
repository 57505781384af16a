"""The process that opens one file nobody trusts: `python -m datasets_app…limited.child SPEC`.

It gets the file as standard input and limits itself before it loads or opens anything. The spec
names the function that reads the file; what that one tells goes to standard output, a line of
JSON each, and what is for our log to standard error. Neither Django nor the project's settings
are there.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from pathlib import Path
from pkgutil import resolve_name

from datasets_app.corpus.archives.limits import ArchiveLimits, ArchiveStop, Meter
from datasets_app.corpus.archives.out import Out
from otto_web.lib.disk import is_disk_full

STEP = 1 << 16
OPEN_FILES = 64
OURS = Path(__file__).resolve().parents[2]
NO_MEMORY = ("failed to map segment", "allocate memory")
STOPPED = {"error": "stopped", "message": "It needed more memory than one file may use."}
OWN_FAULT = "own_fault"
OWN_FAULT_MESSAGE = "OTTO made a mistake while reading this file. The log has the details."


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


def main(spec: str) -> int:
    """Read what standard input holds and tell it; 0 unless it was stopped."""
    given = json.loads(spec)
    limits = ArchiveLimits(**given["limits"])
    limit_this_process(limits)
    out = Out(Path.cwd(), sys.stdout, Meter(limits))
    try:
        with os.fdopen(0, "rb") as file:
            resolve_name(given["function"])(file, out, *given["arguments"])
    except ArchiveStop as stop:
        out.say(error=stop.code, message=stop.message, at=stop.at)
        return 1
    except OSError as error:
        full = {"error": "disk_full", "message": "The disk has no room for this."}
        damaged = {"error": "bad_document", "message": f"It could not be read: {error}."}
        traceback.print_exc()
        out.say(**(full if is_disk_full(error) else damaged), at=0)
        return 1
    except MemoryError:
        out.say(**STOPPED, at=0)
        return 1
    except Exception as error:  # noqa: BLE001 - whatever a library makes of a hostile file
        traceback.print_exc()
        out.say(**_fault(error), at=0)
        return 1
    out.say(done=True, produced=out.meter.produced)
    return 0


def _fault(error: Exception) -> dict[str, str]:
    """Return what an unexpected error means: damage that a library found, or a mistake of ours."""
    innermost = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    if isinstance(error, ImportError) and any(word in str(error) for word in NO_MEMORY):
        return STOPPED
    if isinstance(error, ImportError) or innermost.is_relative_to(OURS):
        return {"error": OWN_FAULT, "message": OWN_FAULT_MESSAGE}
    message = "It could not be read to its end: it is damaged, or not what its name says"
    return {"error": "bad_document", "message": f"{message} ({type(error).__name__})."}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
