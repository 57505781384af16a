"""How many cores this process may use: affinity and control groups, not what the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
_V1_CPU_FOLDERS = ("cpu", "cpu,cpuacct", "cpuacct,cpu")


def usable_cores(root: Path = CGROUP_ROOT, own: Path = OWN_CGROUPS) -> int:
    """Return the number of threads that can work at once, at least 1.

    The smallest of the affinity mask (which a cpuset narrows too) and of every CPU quota above
    this process, rounded down: with 1.5 cores a second thread would be throttled half the time.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, int(min([allowed, *_quotas(root, own)])))


def _quotas(root: Path, own: Path) -> Iterator[float]:
    """Yield the quotas of this process's groups and of all groups around them, in cores."""
    for folder in _folders(root, own):
        quota = _v2_quota(folder) if (folder / "cpu.max").exists() else _v1_quota(folder)
        if quota is not None:
            yield quota


def _folders(root: Path, own: Path) -> Iterator[Path]:
    """Yield the folders of the CPU controllers, innermost first.

    In a container the path that the kernel names may lie outside of what is mounted; then what is
    mounted is the container's own group.
    """
    try:
        lines = own.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            mounts = [root, root / "unified"]
        elif "cpu" in controllers.split(","):
            mounts = [root / name for name in _V1_CPU_FOLDERS]
        else:
            continue
        for mount in mounts:
            inside = Path(path.lstrip("/"))
            for level in [inside, *inside.parents]:
                if ".." not in level.parts and (mount / level).is_dir():
                    yield mount / level


def _v2_quota(folder: Path) -> float | None:
    words = _words(folder / "cpu.max")
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return None  # "max 100000": no limit
    return int(words[0]) / max(1, int(words[1]))


def _v1_quota(folder: Path) -> float | None:
    quota, period = (_words(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    if len(quota) != 1 or len(period) != 1 or not quota[0].isdigit():
        return None  # -1: no limit
    return int(quota[0]) / max(1, int(period[0]))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split()
    except OSError:
        return []
