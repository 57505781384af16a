"""What the trainer's process takes of its machine, as points beside the curves."""

from __future__ import annotations

import shutil
import time

import psutil
from django.conf import settings

from training_app.lm.contract import Point

EVERY_SECONDS = 2.0


class Resources:
    """Looks at this process now and then."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # the share is counted from here on
        self._looked_at = float("-inf")

    def points(self, step: int) -> list[Point]:
        """Return cores, memory and free disk as points of this step, or nothing so soon."""
        if time.monotonic() - self._looked_at < EVERY_SECONDS:
            return []
        self._looked_at = time.monotonic()
        return [
            ("machine/cores", step, self._process.cpu_percent() / 100),
            ("machine/memory_bytes", step, float(self._process.memory_info().rss)),
            (
                "machine/disk_free_bytes",
                step,
                float(shutil.disk_usage(settings.OTTO_DATA_DIR).free),
            ),
        ]
