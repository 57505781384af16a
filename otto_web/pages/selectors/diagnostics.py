"""How the installation is: processes, servers, disk, detectors, versions."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from otto_web.lib.disk import is_read_only
from otto_web.lib.models import ProcessBeat, ProcessKind
from otto_web.lib.words import filesize

try:
    from magic import version as libmagic_version
except ImportError:  # python-magic is there, the system's libmagic is not
    LIBMAGIC = ""
else:
    _number = libmagic_version()  # type: ignore[no-untyped-call]
    LIBMAGIC = f"{_number // 100}.{_number % 100}"

KINDS = {
    ProcessKind.WEB: "pages and sockets",
    ProcessKind.SHORT: "imports, scores, exports",
    ProcessKind.TRAIN: "runs",
    ProcessKind.ENGINE: "answers in chats",
    ProcessKind.REAPER: "leases, sweeps, pipelines",
}
PACKAGES = ("Django", "channels", "celery", "torch", "transformers", "tokenizers", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that must work: how it is, in numbers, and what to do when it is not well."""

    name: str
    state: str
    figures: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class KindLine:
    """The processes of one kind; none is a state too."""

    kind: str
    does: str
    state: str
    processes: list[ProcessBeat]


def kind_lines() -> list[KindLine]:
    """Return one line per kind of process with those that were seen lately; one query."""
    beats = ProcessBeat.objects.alive().order_by("host", "pid")
    by_kind: dict[str, list[ProcessBeat]] = {kind: [] for kind in KINDS}
    for beat in beats:
        by_kind[beat.kind].append(beat)
    return [
        KindLine(kind.value, does, "up" if by_kind[kind] else "down", by_kind[kind])
        for kind, does in KINDS.items()
    ]


def database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select current_setting('server_version'), pg_database_size(current_database())"
            )
            version, size = cursor.fetchone()
    except DatabaseError:
        return Part("Database", "down", "does not answer", "Start PostgreSQL; nothing is lost.")
    return Part("Database", "up", f"PostgreSQL {version.split()[0]}, {filesize(size)}")


def redis_server() -> Part:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=0.8, socket_timeout=0.8
        ) as client:
            found = client.info()
    except redis.RedisError:
        remedy = "Start Redis. Until then work starts late and pages ask every few seconds."
        return Part("Redis", "down", "does not answer", remedy)
    return Part("Redis", "up", f"{found['redis_version']}, {filesize(found['used_memory'])} in use")


def disk() -> Part:
    folder = settings.OTTO_DATA_DIR
    folder = folder if folder.exists() else settings.BASE_DIR
    room = shutil.disk_usage(folder)
    figures = f"{filesize(room.free)} free of {filesize(room.total)}"
    if is_read_only(folder):
        remedy = f"Make {folder} writable again. Until then uploads and runs wait."
        return Part("Disk", "down", f"read-only, {figures}", remedy)
    if room.free >= settings.OTTO_DISK_RESERVE_BYTES:
        return Part("Disk", "up", figures)
    remedy = f"Uploads stop below {filesize(settings.OTTO_DISK_RESERVE_BYTES)}. Make room."
    return Part("Disk", "low", figures, remedy)


PARTS: tuple[Callable[[], Part], ...] = (database, redis_server, disk)


def parts() -> list[Part]:
    """Return how the servers and the disk are."""
    return [look() for look in PARTS]


def detectors() -> list[Part]:
    """Return what recognises the kind of an uploaded file here."""
    own = Part("Leading bytes", "up", "OTTO's own table, always on")
    text = Part("Encodings", "up", "OTTO's own letters of 47 languages, always on")
    if not LIBMAGIC:
        remedy = "Install the system package libmagic1 to have a second opinion on file types."
        return [own, text, Part("libmagic", "off", "not installed here", remedy)]
    return [own, text, Part("libmagic", "up", LIBMAGIC)]


def version_of(package: str) -> str:
    """Return an installed package's version without importing it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Return the versions that a report of a fault should name."""
    found = {"Python": platform.python_version()}
    return found | {package: version_of(package) for package in PACKAGES}
