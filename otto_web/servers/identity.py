"""PostgreSQL refuses to run as root: who it runs as instead."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from otto_web.servers.errors import ServersError
from otto_web.servers.processes import tethered

STOP_FAST = signal.SIGINT  # PostgreSQL's word for: roll back, close, end
NOBODY = "nobody"


def as_database_user(command: Sequence[str | Path], folder: Path) -> list[str]:
    """Return the command line that runs one of PostgreSQL's programs on `folder`, root or not."""
    if os.geteuid() != 0:
        return tethered(command, stop=STOP_FAST)
    if prefix := namespace_prefix():
        return [*prefix, *tethered(command, stop=STOP_FAST)]
    for needed in (folder, Path(command[0])):
        _refuse_closed(needed)
    _give_to_nobody(folder)
    return tethered(command, stop=STOP_FAST, user=NOBODY)


def let_database_user_read(file: Path) -> None:
    """Give a file to the user as whom PostgreSQL's programs run."""
    if os.geteuid() == 0 and not namespace_prefix():
        person = pwd.getpwnam(NOBODY)
        os.chown(file, person.pw_uid, person.pw_gid)


@cache
def namespace_prefix() -> tuple[str, ...]:
    """Return the words that map root to another user in a namespace; none where refused."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    person = pwd.getpwnam(NOBODY)
    prefix = (unshare, "--user", f"--map-user={person.pw_uid}", f"--map-group={person.pw_gid}")
    allowed = subprocess.run(  # noqa: S603 - our own command line
        [*prefix, "/bin/sh", "-c", "exit 0"], capture_output=True, check=False
    )
    return prefix if allowed.returncode == 0 else ()


def _refuse_closed(path: Path) -> None:
    """Raise when somebody who is not root cannot come as far as the path."""
    closed = next((one for one in path.resolve().parents if not one.stat().st_mode & 0o001), None)
    if closed is not None:
        raise ServersError(
            f"PostgreSQL does not run as root, and the user {NOBODY} cannot reach {path}, "
            f"because {closed} is closed to others. Start OTTO as an ordinary user, or put it "
            "(and OTTO_VAR_DIR) into a folder that everybody may enter."
        )


def _give_to_nobody(folder: Path) -> None:
    person = pwd.getpwnam(NOBODY)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, person.pw_uid, person.pw_gid, follow_symlinks=False)
