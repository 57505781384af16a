"""Run in a process of its own: `manage.py` as if no migration stood for a row of older ones."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.management import execute_from_command_line
from django.db.migrations.loader import MigrationLoader

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
load_disk = MigrationLoader.load_disk


def load_single(loader):
    load_disk(loader)
    found = loader.disk_migrations
    together = {key: one.replaces[-1] for key, one in found.items() if one.replaces}
    for key in together:
        del found[key]
    for one in found.values():
        one.dependencies = [together.get(tuple(needed), needed) for needed in one.dependencies]


MigrationLoader.load_disk = load_single
execute_from_command_line(sys.argv)
