"""Addresses of pages: made alike, so that one page has one, and refused where they are none."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from datasets_app.corpus.conversation import CorpusError

LONGEST = 1_000
MOST_PARTS = 28
MOST_ALIKE = 3  # parts of one path with the same name: more of them are links that lead in a circle
PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?\.?")
CONTROL = re.compile(r"[\x00-\x20\x7f]")
IN_PATH, IN_QUERY = "/%:@!$&'()*+,;=~", "/%:@!$&'()*+,;=~?"
TRACKING = re.compile(r"utm_[a-z]{1,20}|fbclid|gclid|msclkid|mc_[ce]id")
MEDIA = frozenset(
    """jpg jpeg png gif webp avif svg ico bmp tif tiff mp3 m4a ogg oga wav flac mp4 m4v webm mov avi
    mkv css js mjs map woff woff2 ttf otf eot zip gz tgz bz2 xz rar 7z tar exe msi dmg iso apk bin
    deb rpm jar wasm""".split()
)
"""Endings of what is no text: such a link is listed and not asked for."""


class AddressError(CorpusError):
    """What stands there is no address of a page."""


def normal(text: str, base: str = "") -> str:
    """Return the address that a text or a link means, without its fragment; raises AddressError."""
    text = text.strip().encode("utf-8", "ignore").decode()
    try:
        parts = urlsplit(urljoin(base, text) if base else text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressError(f"“{text[:80]}” is not a web address.") from None
    if parts.scheme not in PORTS:
        raise AddressError(f"“{text[:80]}” does not begin with http:// or https://.")
    if "@" in parts.netloc:
        raise AddressError("An address with a name and a password in it is not fetched.")
    named = _in_brackets(host) if ":" in host else _host(host)
    if not named:
        raise AddressError(f"“{text[:80]}” names no computer.")
    where = named if port in {None, PORTS[parts.scheme]} else f"{named}:{port}"
    path = quote(CONTROL.sub(_spelled, _straight(parts.path)), safe=IN_PATH)
    found = urlunsplit((parts.scheme, where, path, _query(parts.query), ""))
    if len(found) > LONGEST or path.count("/") > MOST_PARTS:
        raise AddressError("The address is too long.")
    return found


def _spelled(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _straight(path: str) -> str:
    """Return a path without steps back."""
    kept: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if path.endswith(("/.", "/..")):
        kept.append("")
    return f"/{'/'.join(kept)}"


def _host(host: str) -> str:
    try:
        plain = host.encode("idna").decode("ascii").casefold()
    except UnicodeError:
        return ""
    return plain.rstrip(".") if HOST.fullmatch(plain) else ""


def _in_brackets(host: str) -> str:
    """Return an address of IPv6 as it stands in one of the web; no interface of a machine does."""
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return ""
    return "" if address.scope_id is not None else f"[{host}]"


def _query(query: str) -> str:
    """Return what stands behind the question mark, without what only tells where one came from."""
    if TRACKING.search(query):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not TRACKING.fullmatch(name)])
    return quote(CONTROL.sub(_spelled, query), safe=IN_QUERY)


def host_of(address: str) -> str:
    """Return computer and port, as they stand in the address."""
    return urlsplit(address).netloc


def site_of(address: str) -> str:
    """Return what pages of one site share: the host, with or without www."""
    return host_of(address).removeprefix("www.")


def is_media(address: str) -> bool:
    """Say whether the ending tells that no text is there."""
    last = urlsplit(address).path.rsplit("/", 1)[-1]
    return "." in last and last.rsplit(".", 1)[-1].casefold() in MEDIA


def goes_in_circles(address: str) -> bool:
    """Say whether a path says the same again and again, as wrong relative links make it."""
    parts = [part for part in urlsplit(address).path.split("/") if part]
    return any(parts.count(part) > MOST_ALIKE for part in set(parts))
