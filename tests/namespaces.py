"""Commands that see other disks, or another quota, than everybody else on the machine."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest


def read_only(*paths):
    """Return the words that start a command for which these folders or files are read-only."""
    lines = [
        f"mount --bind {place} {place} && mount -o remount,bind,ro {place}"
        for place in map(shlex.quote, map(str, paths))
    ]
    return _in_namespace(lines)


def small(folder, size):
    """Return the words that start a command for which this folder is an empty disk of `size`."""
    return _in_namespace([f"mount -t tmpfs -o size={size} tmpfs {shlex.quote(str(folder))}"])


def quota(cores):
    """Return the words that start a command whose control group may use so many cores."""
    root = "/sys/fs/cgroup"
    line = f"mount -t tmpfs tmpfs {root} && echo {int(cores * 100_000)} 100000 > {root}/cpu.max"
    return _in_namespace([line])


def _in_namespace(lines):
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    words = ["unshare", *root, "--mount", "--propagation", "private", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("this machine allows no mount namespace (unshare --mount)")
    return [*words, " && ".join([*lines, 'exec "$@"']), "namespace"]
