"""A whole installation in a folder of its own, started as an admin starts it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil

from otto_web.servers.processes import free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
OURS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")


class Installation:
    """One `manage.py up`; its output, its address, its processes."""

    def __init__(self, folder, *words, **env):
        self.folder = folder
        self.port = free_port()
        clean = {name: value for name, value in os.environ.items() if name not in OURS}
        self.env = clean | {"OTTO_VAR_DIR": str(folder), "OMP_NUM_THREADS": "1"} | env
        self.env.setdefault("OTTO_DISK_RESERVE_BYTES", "1")
        self.output = folder / "up.out"
        self.words = words
        self.process = None

    def __enter__(self):
        self.launch()
        self.wait_until_up()
        return self

    def __exit__(self, *error):
        self.stop()

    def launch(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "manage.py", "up", "--port", str(self.port), *self.words]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )

    def wait_until_up(self, seconds=300):
        until(lambda: self.address or self.process.poll() is not None, seconds)
        assert self.process.poll() is None, self.said

    @property
    def said(self):
        return self.output.read_text()

    @property
    def address(self):
        found = re.search(r"^OTTO: (\S+)$", self.said, re.MULTILINE)
        return found and found.group(1)

    @property
    def password(self):
        return re.search(r"first password (\S+)", self.said).group(1)

    @property
    def services(self):
        return json.loads((self.folder / "run" / "services.json").read_text())

    def processes(self):
        """Return every process that works for this folder, by what its environment says."""
        return [one for one in psutil.process_iter() if self._is_ours(one)]

    def _is_ours(self, process):
        try:
            alive = process.status() != psutil.STATUS_ZOMBIE
            return alive and process.environ().get("OTTO_VAR_DIR") == str(self.folder)
        except psutil.Error:
            return False

    def find(self, *words):
        """Return the processes whose command line has all the words; pool children included."""
        return [one for one in self.processes() if set(words) <= set(words_of(one))]

    def stop(self, seconds=80):
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(seconds) == 0, self.said


def words_of(process):
    """Return the words of a process's command line; none when it has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
