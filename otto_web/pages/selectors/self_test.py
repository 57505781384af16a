"""The self-test: every part of the installation tried once, with what to do where it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chat_app.models import Deployment
from datasets_app.models import Encoder
from otto_web.lib.cores import usable_cores
from otto_web.lib.probes import FAIL, OK, WARN
from otto_web.lib.words import filesize
from otto_web.pages.selectors import diagnostics
from otto_web.pages.selectors.diagnostics import Part
from training_app.models import Base, TrainedModel
from training_app.models.paths import absolute

STATES = {"up": OK, "low": WARN, "down": FAIL, "off": WARN}
PROBE_SECONDS = 120.0
LEAST_MEMORY, LEAST_FREE = 3_500_000_000, 700_000_000  # bytes: of the machine, and for one run
MOST_FOLDERS = 5  # of models whose tokenizers are tried
BROWSER_FILES = (
    *("css/tokens.css", "css/base.css", "css/components.css", "js/boot.js", "js/socket.js"),
    *("js/chat_stream.js", "django_htmx/htmx-4.min.js", "chartkick/Chart.bundle.js"),
)
UP = "`manage.py up` starts all processes; what waits for them is kept."


def quick_parts() -> list[Part]:
    """Return how every part is that needs no library of models: a second at most."""
    found = [_server(diagnostics.database())]
    if found[0].state != OK:
        return [*found, *(look() for look in _WITHOUT_DATABASE)]
    return [*found, *(look() for look in _WITH_DATABASE), *(look() for look in _WITHOUT_DATABASE)]


def computing_parts() -> list[Part]:
    """Return how the libraries are that compute, tried in a process of its own; up to a minute."""
    command = [sys.executable, "-m", "otto_web.lib.probes", *_tokenizer_folders()]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and folders of our own rows
            command,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        words = f"did not end within {PROBE_SECONDS:.0f} seconds"
        return [Part("Libraries", FAIL, words, "Look whether this machine has memory to spare.")]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    parts = [Part(**line) for line in lines]
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it was killed"])[-1][:300]
        parts.append(Part("Libraries", FAIL, why, "Install what requirements.txt names."))
    return parts


def self_test() -> list[Part]:
    """Return how every part is."""
    return [*quick_parts(), *computing_parts()]


def _server(part: Part) -> Part:
    return Part(part.name, STATES.get(part.state, part.state), part.figures, part.remedy)


def _schema() -> Part:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        words = f"{len(waiting):,} migrations wait"
        return Part("Tables", FAIL, words, "`manage.py migrate` makes them; make a backup before.")
    return Part("Tables", OK, "as this version of OTTO needs them")


def _queue() -> Part:
    part = _server(diagnostics.redis_server())
    if part.state != OK:
        return Part("Queue", part.state, part.figures, part.remedy)
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        waiting = sum(int(client.llen(name)) for name in ("short", "train"))
    return Part("Queue", OK, f"Redis {part.figures}; {waiting:,} hints wait")


def _socket() -> Part:
    """Send a message to ourselves, as a page's socket gets one."""
    layer = get_channel_layer()
    channel, token = f"self-test.{uuid.uuid4().hex}", uuid.uuid4().hex
    try:
        async_to_sync(_there_and_back)(layer, channel, token)
    except (redis.RedisError, OSError, TimeoutError):
        remedy = "Start Redis. Until then pages ask every few seconds instead."
        return Part("Live pages", FAIL, "a message does not come back", remedy)
    return Part("Live pages", OK, "a message comes back by the channel that sockets listen to")


async def _there_and_back(layer: object, channel: str, token: str) -> None:
    await layer.send(channel, {"type": "self.test", "token": token})  # type: ignore[attr-defined]
    found = await layer.receive(channel)  # type: ignore[attr-defined]
    if found.get("token") != token:
        raise TimeoutError


def _processes() -> Part:
    away = [line.kind for line in diagnostics.kind_lines() if not line.processes]
    if away:
        return Part("Workers", WARN, f"not running: {', '.join(away)}", UP)
    return Part("Workers", OK, "web, short, train, engine and reaper are running")


def _storage() -> Part:
    """Write a file into the data folder, bring it to the disk, read it, delete it."""
    folder = Path(settings.OTTO_DATA_DIR)
    path, body = folder / f".self-test-{uuid.uuid4().hex}", os.urandom(4096)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        is_same = path.read_bytes() == body
    except OSError as error:
        words = error.strerror or "cannot be written"
        return Part("Storage", FAIL, words, f"Make {folder} writable, or make room on its disk.")
    finally:
        path.unlink(missing_ok=True)
    if not is_same:
        return Part("Storage", FAIL, "a file came back changed", "Have the disk looked at.")
    return Part("Storage", OK, "a file can be written, brought to the disk and read")


def _disk() -> Part:
    return _server(diagnostics.disk())


def _models() -> Part:
    """Look whether the files of every model, base and deployment are where rows say."""
    ready = TrainedModel.objects.ready()
    gone = [str(one) for one in ready if not absolute(one.path).is_dir()]
    if gone:
        remedy = "Restore the data folder from the backup that belongs to this database."
        return Part("Models", FAIL, f"the files of {', '.join(gone[:3])} are missing", remedy)
    answering = Deployment.objects.answering().count()
    return Part("Models", OK, f"{ready.count():,} with their files; {answering:,} answer")


def _bases() -> Part:
    here = Base.objects.exclude(model=None).count()
    coming = Base.objects.on_the_way().count()
    if here:
        return Part("Base models", OK, f"{here:,} here, {coming:,} on their way")
    remedy = "The page of base models says how to bring one, also without internet."
    words = f"none here, {coming:,} on their way: models are trained from nothing"
    return Part("Base models", WARN, words, remedy)


def _encoder() -> Part:
    found = Encoder.objects.current()
    if found is None:
        remedy = "The page of base models fetches it; until then answers are found by words alone."
        return Part("Encoder", WARN, "none is here", remedy)
    if not absolute(found.path).is_dir():
        return Part("Encoder", FAIL, f"the files of {found} are missing", "Add it again.")
    return Part("Encoder", OK, f"{found}: meaning in {found.dims:,} numbers")


def _memory() -> Part:
    memory = psutil.virtual_memory()
    room = f"{filesize(memory.available)} free of {filesize(memory.total)}"
    words = f"{room}, {usable_cores()} cores"
    if memory.total < LEAST_MEMORY or memory.available < LEAST_FREE:
        remedy = "Training needs about 1 GB; end other programs, or train with smaller batches."
        return Part("Memory", WARN, words, remedy)
    return Part("Memory", OK, words)


def _browser() -> Part:
    """Look whether every file that pages load is there."""
    missing = [name for name in BROWSER_FILES if not finders.find(name)]
    if missing:
        remedy = "Install what requirements.txt names, and unpack OTTO as a whole."
        return Part("Browser parts", FAIL, f"{', '.join(missing)} missing", remedy)
    return Part("Browser parts", OK, "styles, scripts, htmx and charts are here")


def _detectors() -> Part:
    for part in diagnostics.detectors():
        if part.state != "up":
            return Part("File types", WARN, f"{part.name}: {part.figures}", part.remedy)
    return Part("File types", OK, "told by three ways")


def _tokenizer_folders() -> Sequence[str]:
    try:
        newest = TrainedModel.objects.ready().order_by("-created_at")[:MOST_FOLDERS]
        folders = [absolute(one.path) for one in newest]
    except DatabaseError:
        return []
    return [str(folder) for folder in folders if (folder / "tokenizer.json").is_file()]


Looks = tuple[Callable[[], Part], ...]
_WITH_DATABASE: Looks = (_schema, _processes, _models, _bases, _encoder)
_WITHOUT_DATABASE: Looks = (_queue, _socket, _storage, _disk, _memory, _detectors, _browser)
