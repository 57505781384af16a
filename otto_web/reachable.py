"""Under which names the web of this machine can be reached."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import psutil

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what an admin asks for, never a default


def address_names(host: str) -> list[str]:
    """Return the names that a browser may use for the host; local ones always."""
    names = ["127.0.0.1", "localhost", "[::1]"]
    if host not in EVERYWHERE:
        return list(dict.fromkeys([*names, _bracketed(host)]))
    return list(dict.fromkeys([*names, socket.gethostname(), socket.getfqdn(), *_own_addresses()]))


def _own_addresses() -> list[str]:
    families = (socket.AF_INET, socket.AF_INET6)
    found = [one for many in psutil.net_if_addrs().values() for one in many]
    return [
        _bracketed(one.address)
        for one in found
        if one.family in families and "%" not in one.address
    ]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def probe_host(host: str) -> str:
    """Return the address at which this machine itself reaches the host."""
    return _bracketed("127.0.0.1" if host in EVERYWHERE else host)


def web_environment(host: str, port: int) -> Mapping[str, str]:
    """Return the settings that let browsers in under those names, unless the admin chose some."""
    names = address_names(host)
    origins = [f"http://{name}:{port}" for name in names]
    wanted = {
        "OTTO_ALLOWED_HOSTS": ",".join(names),
        "OTTO_TRUSTED_ORIGINS": ",".join(origins),
    }
    return {name: value for name, value in wanted.items() if name not in os.environ}
