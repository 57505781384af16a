"""One answer of a web server, within limits of time and size, from a checked address."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import certifi
import httpcore

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.web.errors import WebError
from datasets_app.corpus.web.guard import Backend, Guard

AGENT = "OTTO"
STEP_SECONDS = 15.0  # without a byte
SENT: dict[bytes | str, bytes | str] = {
    "User-Agent": f"{AGENT}/1.0 (pages for a team's own assistant)",
    "Accept": "text/html, application/xhtml+xml, text/plain, application/pdf, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "*",
    "Connection": "close",
}
TEXTS = ("text/", "application/pdf", "application/xhtml", "application/xml", "application/json")
LONGEST_PAUSE = 30.0
OK, NOT_CHANGED = range(200, 300), 304
GONE, FORBIDDEN, TOO_MANY = {404, 410}, {401, 402, 403, 407, 451}, 429


def context_of(ca_file: str, more: str = "", *, is_checked: bool = True) -> ssl.SSLContext:
    """Return what certificates are checked with: the machine's, the usual ones, and one's own.

    `more` are some as text (PEM). Unchecked, whoever stands between may read and change a page.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca_file:
        try:
            context.load_verify_locations(Path(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise CorpusError(f"OTTO_WEB_CA_FILE is no file of certificates: {error}.") from error
    if more:
        context.load_verify_locations(cadata=more)
    if not is_checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def blocks_in(text: str) -> str:
    """Return the certificates of a text (PEM) without the remarks and names between them."""
    kept: list[str] = []
    is_inside = False
    for row in text.splitlines():
        line = row.strip(" \t\ufeff\ufffd")  # a file may begin with a mark of its encoding
        is_inside = is_inside or (line.startswith("-----BEGIN ") and "CERTIFICATE-" in line)
        if is_inside:
            kept.append(line)
        is_inside = is_inside and not line.startswith("-----END ")
    return "".join(f"{line}\n" for line in kept)


def certificates_in(pem: str) -> list[tuple[str, str]]:
    """Return whom the certificates of a text (PEM) name, and until when each holds.

    Raises CorpusError where there is none, or one is damaged.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, TypeError, ValueError) as error:  # TypeError: a letter beyond ASCII
        raise CorpusError(
            "This is no certificate in PEM (-----BEGIN CERTIFICATE-----). One in DER becomes one by"
            " `openssl x509 -inform der -in FILE -out FILE.pem`."
        ) from error
    found = [
        (_name_in(one.get("subject", ())), str(one.get("notAfter", "")))
        for one in context.get_ca_certs()
    ]
    if not found:
        raise CorpusError(
            "This certificate is none of an authority (CA). Take the one that signed it."
        )
    return found


def _name_in(subject: object) -> str:
    parts = dict(pair for part in subject for pair in part) if isinstance(subject, tuple) else {}
    return str(parts.get("commonName") or parts.get("organizationName") or "no name")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: bytes as they are once unpacked, and where a redirect leads."""

    address: str
    status: int
    kind: str
    body: bytes = b""
    leads_to: str = ""

    @property
    def is_page(self) -> bool:
        """Say whether it may be read as a web page."""
        return "html" in self.kind or not self.kind


@dataclass(slots=True)
class Fetcher:
    """Fetches one address at a time; nothing is followed here. `touch` is called at each step."""

    guard: Guard
    context: ssl.SSLContext
    seconds: float = 30.0
    most_bytes: int = 10 << 20
    touch: Callable[[], None] = field(default=lambda: None)

    def get(self, address: str, *, any_kind: bool = False) -> Answer:
        """Return the answer; raises WebError where none comes, or where it is no text."""
        try:
            return self._get(address, any_kind=any_kind)
        except httpcore.TimeoutException as error:
            raise WebError("too_slow") from error
        except httpcore.ConnectError as error:
            is_doubtful = isinstance(error.__cause__ or error.__context__, ssl.SSLError)
            code = "bad_certificate" if is_doubtful or "CERTIFICATE" in str(error) else "no_answer"
            raise WebError(code) from error
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
        ) as error:
            raise WebError("broken_off") from error
        except (TypeError, ValueError) as error:  # what the client cannot put into a request
            raise WebError("bad_address") from error

    def _get(self, address: str, *, any_kind: bool) -> Answer:
        backend = Backend(self.guard, self.seconds, self.touch)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), STEP_SECONDS)
        pool = httpcore.ConnectionPool(self.context, network_backend=backend)
        with (
            pool,
            pool.stream("GET", address, headers=SENT, extensions={"timeout": timeout}) as got,
        ):
            told = {name.decode("ascii", "replace").casefold(): _value(value)
                    for name, value in got.headers}  # fmt: skip
            kind = told.get("content-type", "").partition(";")[0].strip().casefold()
            status = int(got.status)
            if 300 <= status < 400 and status != NOT_CHANGED:
                return Answer(address, status, kind, leads_to=told.get("location", ""))
            if status not in OK:
                raise _refusal(status, told)
            if not any_kind and kind and not _is_text(kind):
                raise WebError("media", status=status)
            if _number(told.get("content-length", "")) > self.most_bytes:
                raise WebError("too_large", status=status)
            pieces = _unpacked(got.iter_stream(), told.get("content-encoding", ""), self.most_bytes)
            return Answer(address, status, kind, body=b"".join(pieces))


def _is_text(kind: str) -> bool:
    return kind.startswith(TEXTS) or kind.endswith(("+xml", "+json"))


def _value(raw: bytes) -> str:
    """Return what a header says: an address is often sent as it was typed, in UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _refusal(status: int, told: Mapping[str, str]) -> WebError:
    if status in GONE:
        return WebError("gone", status=status)
    if status in FORBIDDEN:
        return WebError("forbidden", status=status)
    if status == TOO_MANY or status >= 500:
        pause = min(LONGEST_PAUSE, float(_number(told.get("retry-after", ""))))
        return WebError("busy", status=status, pause=pause)
    return WebError("refused", status=status)


def _unpacked(pieces: Iterator[bytes], packing: str, most: int) -> Iterator[bytes]:
    """Yield a body unpacked as it comes, and never more of it than a page may have."""
    packing = packing.strip().casefold()
    if packing not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise WebError("odd_packing")
    left = most
    opened: zlib._Decompress | None = None
    for piece in pieces:
        told = piece
        if packing not in {"", "identity"} and piece:
            opened = opened or _opened(packing, piece[0])
            told = _next(opened, piece, left)
        left -= len(told)
        if left < 0:
            raise WebError("too_large")
        yield told
    if opened and not opened.eof:
        raise WebError("broken_off")


def _opened(packing: str, first: int) -> zlib._Decompress:
    is_raw = packing == "deflate" and first & 0x0F != zlib.DEFLATED
    return zlib.decompressobj(-zlib.MAX_WBITS if is_raw else zlib.MAX_WBITS | 32)


def _next(opened: zlib._Decompress, piece: bytes, left: int) -> bytes:
    """Return what the next bytes unpack to, stopping behind one byte too many."""
    if opened.eof:
        return b""  # what stands behind the end of the packed data
    try:
        told = opened.decompress(piece, left + 1)
    except zlib.error as error:
        raise WebError("broken_off") from error
    if opened.unconsumed_tail:
        raise WebError("too_large")
    return told
