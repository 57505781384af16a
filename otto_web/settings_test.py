"""Settings for the tests: short waits, a folder of its own, servers named by the fixtures."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

if "OTTO_VAR_DIR" not in os.environ:
    os.environ["OTTO_VAR_DIR"] = tempfile.mkdtemp(prefix="otto-test-")
    atexit.register(shutil.rmtree, os.environ["OTTO_VAR_DIR"], ignore_errors=True)
os.environ.setdefault("OTTO_BASES", "0")  # a test that wants some orders them
os.environ.setdefault("OTTO_SECRET_KEY", "a key for tests only, long enough for the deploy checks")

from otto_web import env
from otto_web.lib import failpoints
from otto_web.settings import *  # noqa: F403

failpoints.arm(env.text("OTTO_FAILPOINT"), Path(env.text("OTTO_FAILPOINT_DIR", ".")))

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
OTTO_LEASE_SECONDS = 2.0
OTTO_BEAT_SECONDS = 0.5
OTTO_BEAT_LOST_SECONDS = 1.5
OTTO_PROCESS_BEAT_SECONDS = 0.5
OTTO_REAPER_SECONDS = 0.5
OTTO_REAPER_GRACE_SECONDS = 0.0
OTTO_HINT_SECONDS = 1.0
OTTO_BACKOFF_SECONDS = 0.2
OTTO_GENERATION_LEASE_SECONDS = 2.0
OTTO_QUEUE_LOOK_SECONDS = 0.5
OTTO_SOCKET_POLL_SECONDS = 0.5
OTTO_SILENCE_SECONDS = 4.0
OTTO_WORKER_LOOK_SECONDS = 1.0
AXES_ENABLED = False
TEST_VAR_DIR = Path(os.environ["OTTO_VAR_DIR"])

# Both workers and every process of a test read what was compiled once.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Two workers with two threads of torch each would wait for each other, spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")
