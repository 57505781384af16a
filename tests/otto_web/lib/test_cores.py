"""A container's quota and a pinned process count, not the cores of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otto_web.lib.cores import usable_cores

ROOT = Path(__file__).resolve().parents[3]


def tree(folder, files, own):
    """Make a control group tree as the kernel shows it, and the process's own lines."""
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return folder / "cgroup", folder / "own"


@pytest.fixture
def eight(monkeypatch):
    """A machine whose affinity mask holds eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


V1 = "4:cpu,cpuacct:{0}\n3:cpuset:/\n0::/\n"
V1_NAMES = ("cpu.cfs_quota_us", "cpu.cfs_period_us")


@pytest.mark.parametrize(
    ("files", "own", "cores"),
    [
        ({}, "", 8),  # no control groups at all
        ({"cpu.max": "max 100000\n"}, "0::/\n", 8),
        ({"cpu.max": "200000 100000\n"}, "0::/\n", 2),
        ({"cpu.max": "150000 100000\n"}, "0::/\n", 1),  # rounded down
        ({"cpu.max": "25000 100000\n"}, "0::/\n", 1),  # at least one
        ({"cpu.max": "1600000 100000\n"}, "0::/\n", 8),  # more than there are
        ({"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, "0::/a/b\n", 3),
        ({"cpu.max": "200000 100000"}, "0::/docker/far/away\n", 2),  # the host's path, not mounted
        ({"cpu.max": "200000 100000"}, "0::/../../outside\n", 2),
        ({"cpu.max": "nonsense"}, "0::/\n", 8),
        ({f"cpu/{V1_NAMES[0]}": "-1", f"cpu/{V1_NAMES[1]}": "100000"}, V1.format("/"), 8),
        ({f"cpu/{V1_NAMES[0]}": "250000", f"cpu/{V1_NAMES[1]}": "100000"}, V1.format("/"), 2),
        (
            {f"cpu,cpuacct/box/{V1_NAMES[0]}": "50000", f"cpu,cpuacct/box/{V1_NAMES[1]}": "50000"},
            V1.format("/box"),
            1,
        ),
    ],
)
def test_the_quota_of_the_control_group_counts(files, own, cores, eight, tmp_path):
    assert usable_cores(*tree(tmp_path, files, own)) == cores


def test_a_process_pinned_to_one_core_counts_one():
    core = str(min(os.sched_getaffinity(0)))
    script = "from otto_web.lib.cores import usable_cores; print(usable_cores())"
    words = ["taskset", "-c", core, sys.executable, "-c", script]
    assert subprocess.check_output(words, cwd=ROOT, text=True).strip() == "1"


def test_nothing_of_ours_asks_the_machine_for_its_cores_elsewhere():
    """Every other count would be wrong in a container; the manifest's line about it is one."""
    packages = ("otto_web", "datasets_app", "training_app", "chat_app")
    listed = subprocess.check_output(
        ["git", "grep", "-lE", r"cpu_count\(|sched_getaffinity\(|multiprocessing.cpu", "--"]
        + [f"{name}/*.py" for name in packages],
        cwd=ROOT,
        text=True,
    )
    assert set(listed.split()) == {"otto_web/lib/cores.py", "training_app/lm/machine.py"}
