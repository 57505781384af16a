"""What a fetched page says and where it leads; it is parsed in the limited child."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from datasets_app.corpus.archives.limits import MIB, ArchiveLimits
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.limited.run import Call, run_limited
from datasets_app.corpus.pages.page import page_of
from datasets_app.corpus.pages.tree import decoded, parsed, value
from datasets_app.corpus.web.addresses import AddressError, normal

MOST_LINKS = 2_000
LONGEST_TITLE = 300
LIMITS = ArchiveLimits(member_bytes=MIB, memory_bytes=768 * MIB, cpu_seconds=30, wall_seconds=60)


@dataclass(frozen=True, slots=True)
class Seen:
    """A page without its furniture: title, letters of its text, a key of them, and its links."""

    title: str
    letters: int
    key: str
    links: tuple[str, ...] = ()
    needs_script: bool = False


def look_at(path: Path, address: str, should_stop: Callable[[], bool]) -> Seen:
    """Return what is on a page; raises ChildError where it cannot be read."""
    call = Call(tell, (address,), LIMITS)
    told: dict[str, Any] = next(iter(run_limited(path, call, should_stop)))
    return Seen(**{**told, "links": tuple(told["links"])})


def tell(file: BinaryIO, out: Out, address: str) -> None:
    """Tell title, text and links of a page."""
    text = decoded(file.read())
    page = page_of(text)
    said = " ".join(page.text.split())
    out.say(
        title=page.title[:LONGEST_TITLE],
        letters=len(said),
        key=hashlib.sha256(said.encode("utf-8", "replace")).hexdigest(),
        links=_links(text, address),
        needs_script=page.needs_script,
    )


def _links(text: str, address: str) -> list[str]:
    """Return the addresses that a page leads to, as far as it wants them to be followed."""
    tree = parsed(text[: LIMITS.member_bytes * 4])
    for meta in tree.css("meta[name=robots], meta[name=ROBOTS]"):
        if "nofollow" in value(meta, "content").casefold():
            return []
    base = tree.css_first("base[href]")
    origin = address
    if base is not None:
        origin = _address(value(base, "href"), address) or address
    found: dict[str, None] = {}
    for link in tree.css("a[href], area[href]"):
        leads_to = _address(value(link, "href"), origin)
        if leads_to and "nofollow" not in value(link, "rel").casefold():
            found[leads_to] = None
        if len(found) == MOST_LINKS:
            break
    return list(found)


def _address(link: str, origin: str) -> str:
    try:
        return normal(link, origin)
    except AddressError:
        return ""
