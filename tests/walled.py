"""Commands in a network that leads nowhere, with a list of the addresses that they called."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

HOME_ADDRESSES = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "(::1|::ffff:127\.[0-9.]+)"')
CALLED = re.compile(r"sa_family=AF_INET6?\b.*")
NAME_SERVICE = re.compile(r"htons\(53\)")


def wall():
    """Return the words that start a command where only this machine can be reached; [] if none."""
    plain = ["unshare", "--net"]
    if os.geteuid():
        plain += ["--map-current-user", "--keep-caps"]
    words = [*plain, "sh", "-c", 'ip link set lo up && exec "$@"', "walled"]
    return words if shutil.which("unshare") and shutil.which("ip") and can(words) else []


def trace(log):
    """Return the words that note every call of a command and its children to `log`; [] if none."""
    words = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    words += ["-o", str(log)]
    return words if shutil.which("strace") and can(words) else []


def can(words):
    return not subprocess.run([*words, "true"], capture_output=True, check=False).returncode


def calls_outside(log):
    """Return the calls that were not meant for this machine, or asked for a name."""
    lines = log.read_text("utf-8", errors="replace").splitlines()
    called = [line for line in lines if CALLED.search(line)]
    return [line for line in called if NAME_SERVICE.search(line) or not HOME_ADDRESSES.search(line)]
