"""Collects the static files when they differ from those collected last."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_static_files() -> bool:
    """Make STATIC_ROOT agree with the sources; return whether anything had to be done."""
    root = Path(settings.STATIC_ROOT)
    stamp, current = root.with_name(f"{root.name}.stamp"), _fingerprint()
    if root.exists() and stamp.exists() and stamp.read_text("utf-8") == current:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(current, "utf-8")
    return True


def _fingerprint() -> str:
    lines = sorted(
        f"{name} {path.stat().st_size} {path.stat().st_mtime_ns}" for name, path in _all()
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _all() -> Iterator[tuple[str, Path]]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield name, Path(storage.path(name))
