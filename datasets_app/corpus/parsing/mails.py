"""What a mail says: who writes to whom, in which thread, and the words that are new in it.

The standard library's older policy is used: it gives headers as they stand and parses none by
itself, so that a hostile one costs no more than its length.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message as Mail

from datasets_app.corpus.detection.guessing import guess
from datasets_app.corpus.parsing.markup import bare_text
from datasets_app.corpus.parsing.said import MAIL

LONGEST_HEADER = 4_000
SENDER_LINE = re.compile(rb"\AFrom \S{1,320}\s{1,4}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{5,8}")
HEADER = re.compile(rb"\A([!-9;-~]{1,70}):(?=[ \t\r\n]|\S)")
MAIN = frozenset({b"from", b"to", b"subject", b"date", b"message-id"})
OF_TRANSPORT = frozenset(
    b"message-id received return-path delivered-to mime-version dkim-signature".split()
)
MACHINES = frozenset({"auto-replied", "auto-generated", "auto-notified"})
# What stands before the sign in the addresses of those who answer.
DESKS = frozenset(
    """support help helpdesk service customerservice customer-service customercare care info desk
    servicedesk service-desk shop store sales orders order office contact hello team kundenservice
    kundendienst kontakt hilfe bestellung verkauf soporte ayuda atencion contacto ventas aide sav
    assistance contatti assistenza suporte ajuda klantenservice bok pomoc obsluga
    helpline""".split()
)
REPLY = re.compile(
    r"(?i)\A(?:\s?(?:re|aw|antw|sv|vs|rv|fw|fwd|wg|tr|rif|odp|ynt|res|回复|答复|转发)"
    r"(?:\[\d{1,3}\])?\s?[:：])+"
)
TICKET = re.compile(r"\[(?:[^\[\]\d]{0,20}#|[A-Z]{2,10}-)\s?(\d{3,12})\]")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: `thread` are the names by which others of its talk know it, the best first.

    `about` is its subject and whom it is between: by it a reply is known that names no other mail.
    """

    sender: str
    address: str
    recipients: tuple[str, ...]
    subject: str
    date: str
    number: str
    thread: tuple[str, ...]
    about: str
    text: str
    left_out: int
    is_of_machine: bool


def is_mail(head: bytes) -> bool:
    """Say whether headers of a mail stand here, perhaps below the line that divides mails."""
    lines = head[:65_536].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").splitlines()
    if lines and SENDER_LINE.match(lines[0]):
        lines = lines[1:]
    names = set()
    for number, line in enumerate(lines):
        if not line.strip():
            break
        found = HEADER.match(line)
        if found:
            names.add(found[1].lower())
        elif line[:1] not in {b" ", b"\t"} or not number:
            if line.startswith(b">From "):
                continue
            return False
    return len(names & MAIN) >= 2 and (b"from" in names or bool(names & OF_TRANSPORT))


def read_mail(data: bytes) -> Letter | None:
    """Return what a mail says, or None where it is damaged beyond reading."""
    try:
        mail = message_from_bytes(data, policy=policy.compat32)
        text, left_out = _words(mail)
    except (MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return None
    headers = _headers(mail)
    sender, address = _person(headers.get("from", ""))
    subject = headers.get("subject", "")
    to = " ".join(headers.get(name, "") for name in ("to", "cc"))
    recipients = tuple(found[0].strip("<>").casefold() for found in MAIL.finditer(to))
    bare = " ".join(REPLY.sub("", subject).split()).casefold()
    about = f"about {bare} {sorted({address, *recipients})}"
    return Letter(
        sender=sender,
        address=address,
        recipients=recipients,
        subject=subject,
        date=headers.get("date", ""),
        number=next(iter(_names(headers.get("message-id", ""))), ""),
        thread=_thread(headers, subject, about if bare != subject.casefold() else ""),
        about=about,
        text=text,
        left_out=left_out,
        is_of_machine=_is_of_machine(mail, headers),
    )


def is_desk(address: str) -> bool:
    """Say whether an address is one of those that answer."""
    local = re.split(r"[@+]", address, maxsplit=1)[0].casefold()
    return local in DESKS or bool(DESKS & set(re.split(r"[._-]", local)))


def _is_of_machine(mail: Mail, headers: dict[str, str]) -> bool:
    told = headers.get("auto-submitted", "").casefold().split(";")[0].strip()
    is_report = mail.get_content_type() == "multipart/report"
    return told in MACHINES or is_report or "x-autoreply" in headers


def _headers(mail: Mail) -> dict[str, str]:
    """Return the headers by their names, the first of each, decoded."""
    found: dict[str, str] = {}
    for name, value in mail.raw_items():
        found.setdefault(name.casefold(), _decoded_header(str(value)))
    return found


def _decoded_header(raw: str) -> str:
    """Decode encoded words; bytes beyond ASCII are UTF-8 or else Windows-1252."""
    text = _text_of(raw[:LONGEST_HEADER].encode("ascii", "surrogateescape"), "")
    text = " ".join(text.split())
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
    except (MessageError, ValueError, binascii.Error):
        return text
    return "".join(
        part if isinstance(part, str) else _text_of(part, name or "") for part, name in parts
    )


def _text_of(data: bytes, charset: str) -> str:
    for name in filter(None, (charset, "utf-8")):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode(guess(data).best.name, "replace")


def _person(told: str) -> tuple[str, str]:
    """Return the name and the address of who wrote."""
    found = MAIL.search(told)
    address = found[0].strip("<>").casefold() if found else ""
    name = told.replace(found[0], "") if found else told
    return name.strip(" \"'<>,") or address.partition("@")[0], address


def _names(told: str) -> list[str]:
    """Return the names of mails in a header."""
    return re.findall(r"<[^<>\s]{1,400}>", told)


def _thread(headers: dict[str, str], subject: str, about: str) -> tuple[str, ...]:
    """Return by what the mail's talk is known: a program's number, mails before it, the subject."""
    before = [*_names(headers.get("references", "")), *_names(headers.get("in-reply-to", ""))]
    names = [f"gm {headers['x-gm-thrid']}"] if headers.get("x-gm-thrid") else []
    names += [*before, *_names(headers.get("message-id", ""))]
    ticket = TICKET.search(subject)
    if ticket:
        names.append(f"ticket {ticket[1]}")
    if about and not before:
        names.append(about)
    return tuple(dict.fromkeys(names))


def _words(mail: Mail) -> tuple[str, int]:
    """Return the words of a mail and how many parts of it are something else."""
    plain, html = "", ""
    others = 0
    for part in mail.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        is_file = part.get_content_disposition() == "attachment" or bool(part.get_filename())
        if is_file or kind not in {"text/plain", "text/html"}:
            others += 1
        elif kind == "text/plain":
            plain = f"{plain}\n{_body(part)}" if plain else _body(part)
        elif not html:
            html = _body(part)
    if plain.strip() or not html:
        return plain, others
    new = bare_text(html, passes_quotes=True)
    return new or bare_text(html), others


def _body(part: Mail) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    text = _text_of(data, part.get_content_charset() or "").replace("\r\n", "\n")
    is_flowed = str(part.get_param("format", "")).casefold() == "flowed"
    return re.sub(r"(?<=[^\n-] )\n(?=[^\s>-])", "", text) if is_flowed else text
