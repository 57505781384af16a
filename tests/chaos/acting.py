"""Starts the actors of an installation and hears what they say."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.otto_web.installation import ROOT

AWAY = 75


def actor(installed, *words, **options):
    """Start an actor beside an installation; see `tests/chaos/actors.py`."""
    env = installed.env | {"DJANGO_SETTINGS_MODULE": "otto_web.settings"}
    command = [sys.executable, "-m", "tests.chaos.actors", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, **options
    )


def asked(installed, *words):
    """Return what an actor that ends by itself says; None when the database was away."""
    process = actor(installed, *words)
    said, _ = process.communicate(timeout=600)
    assert process.returncode in {0, AWAY}
    return json.loads(said.splitlines()[-1]) if process.returncode == 0 else None
