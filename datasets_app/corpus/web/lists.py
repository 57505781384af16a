"""The pages that a site lists itself, in its sitemap: addresses, and further lists."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import local
from datasets_app.corpus.limited.run import Call, run_limited
from datasets_app.corpus.web.addresses import AddressError, normal
from datasets_app.corpus.web.look import LIMITS

MOST_NAMED = 20_000
MOST_UNPACKED = 50 << 20  # the largest that a sitemap may be
STEP = 1 << 16
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Named:
    """What a sitemap names: pages, and sitemaps of the site's other parts."""

    pages: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


def read_list(path: Path, address: str, should_stop: Callable[[], bool]) -> Named:
    """Return what a sitemap names; raises ChildError where it cannot be read."""
    told: dict[str, Any] = next(
        iter(run_limited(path, Call(tell, (address,), LIMITS), should_stop))
    )
    return Named(tuple(told["pages"]), tuple(told["lists"]))


def tell(file: BinaryIO, out: Out, address: str) -> None:
    """Tell the addresses in a sitemap: in XML, or one in each line of a text."""
    data = _unpacked(file)
    pages: dict[str, None] = {}
    lists: dict[str, None] = {}
    for text, is_list in _named(data):
        try:
            found = normal(text, address)
        except AddressError:
            continue
        (lists if is_list else pages)[found] = None
        if len(pages) + len(lists) == MOST_NAMED:
            break
    out.say(pages=list(pages), lists=list(lists))


def _unpacked(file: BinaryIO) -> bytes:
    data = file.read(MOST_UNPACKED)
    if data[:2] != GZIP:
        return data
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, MOST_UNPACKED)


def _named(data: bytes) -> Iterator[tuple[str, bool]]:
    """Yield the addresses, and whether each is one of another list."""
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        for line in data.decode("utf-8", "replace").splitlines():
            if line.strip().startswith(("http://", "https://")):
                yield line.strip(), False
        return
    around: list[str] = []
    parser = defusedxml.ElementTree.iterparse(_Once(data), ("start", "end"), forbid_dtd=True)
    try:
        for event, element in parser:
            tag = local(element.tag)
            if event == "start":
                around.append(tag)
                continue
            around.pop()
            if tag == "loc" and element.text and around and around[-1] in {"url", "sitemap"}:
                yield element.text.strip(), around[-1] == "sitemap"
            elif tag in {"url", "sitemap"}:
                element.clear()
    except (ParseError, DefusedXmlException):
        return  # what stands before the damage holds


@dataclass(slots=True)
class _Once:
    """Bytes as the file that a parser reads from."""

    data: bytes
    at: int = 0

    def read(self, _size: int = -1) -> bytes:
        piece = self.data[self.at : self.at + STEP]
        self.at += len(piece)
        return piece
