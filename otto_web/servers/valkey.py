"""One Redis-compatible server in a folder of ours, on a local port, with a random password."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from otto_web.servers.binaries import redis_program
from otto_web.servers.errors import ServersError
from otto_web.servers.processes import last_words, tethered

HOST = "127.0.0.1"
CONFIGURATION = """\
bind {host}
port {port}
dir "{folder}"
requirepass {password}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
loglevel notice
"""


@dataclass(frozen=True, slots=True)
class Valkey:
    """Where a server keeps its log and how it is reached."""

    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}"

    def command(self) -> list[str]:
        """Write the configuration; return the command line that runs in the foreground.

        The password stands in a file of mode 600, because anybody may read a command line.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.folder / "valkey.conf"
        file.touch(mode=0o600)
        file.write_text(
            CONFIGURATION.format(
                host=HOST, port=self.port, folder=self.folder, password=self.password
            ),
            "utf-8",
        )
        return tethered([redis_program(), file], stop=signal.SIGTERM)

    def is_ready(self) -> bool:
        """Say whether the server answers now."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=3) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def wait_until_ready(server: Valkey, *, seconds: float, log: Path) -> None:
    """Return once the server answers; otherwise say where its log is."""
    deadline = time.monotonic() + seconds
    while not server.is_ready():
        if time.monotonic() > deadline:
            said = f"Redis did not answer within {seconds:g} s; its log is {log}."
            raise ServersError(said + last_words(log))
        time.sleep(0.05)
