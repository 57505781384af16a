"""The entries of the sidebar: what this person's role may open, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse

from otto_web.lib.access import Role

ENTRIES: tuple[tuple[str, str, str], ...] = (
    ("home", "Home", "home"),
    ("upload-list", "Uploads", "upload"),
    ("dataset-list", "Datasets", "table"),
    ("run-list", "Runs", "curve"),
    ("model-list", "Models", "cube"),
    ("deployment-list", "Deployments", "diamond"),
    ("chat-list", "Chat", "chat"),
    ("log-list", "Logs", "list"),
    ("people-list", "People", "people"),
    ("provider-list", "Providers", "plug"),
    ("status", "Status", "pulse"),
)
ON_THE_BAR = 4  # what fits beside "More" on a phone of 360 px


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the sidebar."""

    label: str
    icon: str
    url: str
    is_current: bool


@lru_cache(maxsize=32)
def _address_and_rule(name: str) -> tuple[str, object] | None:
    """Return the address and the declared access rule of a named page."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        return None
    return url, getattr(resolve(url).func, "access_rule", None)


def _is_current(url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


def sidebar(request: HttpRequest, role: Role | None) -> dict[str, list[Entry]]:
    """Return the entries in two parts: those on a phone's bar, and the rest of the sheet."""
    entries = []
    for name, label, icon in ENTRIES:
        page = _address_and_rule(name)
        if role is None or page is None:
            continue
        url, rule = page
        if not isinstance(rule, Role) or role >= rule:
            entries.append(Entry(label, icon, url, _is_current(url, request.path)))
    return {"bar": entries[:ON_THE_BAR], "rest": entries[ON_THE_BAR:]}
