"""What a file is: leading bytes first, then parsing; its name is never evidence by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datasets_app.corpus.detection import inside
from datasets_app.corpus.detection.encoding import Encoding, chosen, detect, has_wide_signs
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.detection.unmarked import WIDE
from datasets_app.corpus.formats import archived, refused, txt
from datasets_app.corpus.formats.format import Format
from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.corpus.parsing import view
from datasets_app.corpus.source import Waiting

magic: Any
try:
    import magic
except ImportError:  # python-magic loads libmagic when it is imported
    magic = None

HEAD_BYTES = 1 << 20
BLANK = b" \t\r\n\xef\xbb\xbf"
NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
CONTROL_SHARE = 0.05
TEXT_CONTROLS = frozenset(b"\t\n\r\f\b\x1b")
BY_LIBMAGIC = {answer: found for found in FORMATS.values() for answer in found.libmagic}


@dataclass(frozen=True, slots=True)
class Identified:
    """A file's kind, why OTTO thinks so, and what a person should know about it."""

    kind: str
    why: tuple[str, ...]
    notes: tuple[str, ...] = ()
    encoding: Encoding | Waiting | None = None
    """How its bytes become characters, or what is asked about it; None where nobody looked."""

    @property
    def format(self) -> Format:
        return FORMATS[self.kind]


def identify(path: Path, name: str, *, encoding: str = "") -> Identified:
    """Return what the file is; `name` only decides between kinds of text that look alike.

    A text is read in the `encoding` that a person chose, or else in the one that it seems to have.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        is_blank = not head.strip(BLANK)
        while is_blank and (more := stream.read(HEAD_BYTES)):
            is_blank = not more.strip(BLANK)
    if is_blank:
        return Identified(refused.EMPTY.kind, ("it has no bytes but white space",))
    found = by_leading_bytes(head)
    if found:
        return _with_name_note(_look_inside(path, found), name)
    return _with_name_note(_second_opinion(head) or _parse(path, name, head, encoding), name)


def by_leading_bytes(head: bytes) -> Format | None:
    """Return the format that the first bytes prove, or None."""
    formats = FORMATS.values()
    by_looking = (found for found in formats if found.of_bytes and found.of_bytes(head))
    by_mark = (found for found in formats if any(is_marked(head, mark) for mark in found.magic))
    return next(by_looking, None) or next(by_mark, None)


def is_marked(head: bytes, mark: bytes) -> bool:
    """Say whether a mark begins here; one that is also a word needs what is no text behind it."""
    is_word = mark.isalnum() and mark.isascii()
    return head.startswith(mark) and not (is_word and not NO_TEXT.search(head[:512]))


def _look_inside(path: Path, found: Format) -> Identified:
    why = (f"its first bytes are those of {found.kind}",)
    if found is archived.ZIP:
        document = inside.document_in_zip(path)
        if document:
            return Identified(document.kind, (*why, f"its members are those of {document.kind}"))
    elif found is refused.OLE:
        office = inside.document_in_ole(path)
        return Identified(office.kind, (*why, f"its streams are those of {office.name}"))
    elif found.archive and inside.holds_tar(path, found.archive.packing):
        return Identified(f"tar.{found.kind}", (*why, "a tar archive lies inside"))
    return Identified(found.kind, why)


def _second_opinion(head: bytes) -> Identified | None:
    """Ask libmagic, where it is installed, about bytes that are not text."""
    if magic is None or b"\0" not in head[:4096]:
        return None
    answer = str(magic.from_buffer(head[:4096], mime=True))
    found = BY_LIBMAGIC.get(answer)
    return Identified(found.kind, (f"libmagic calls it {answer}",)) if found else None


def _parse(path: Path, name: str, head: bytes, choice: str) -> Identified:
    if _is_binary(head) and not choice.startswith(WIDE) and not has_wide_signs(head):
        return Identified(refused.BINARY.kind, ("its bytes are not text",))
    found = chosen(choice, path) if choice else detect(path)
    if isinstance(found, Waiting):
        text, why = head.decode("latin-1"), found.why
    else:
        stream = view.open_view(path, found)
        text, why = _first_words(stream), found.why[0]
        stream.close()
    is_whole = path.stat().st_size <= HEAD_BYTES
    kind, reason = text_kind(TextHead(text.lstrip("\ufeff"), name, is_whole=is_whole))
    return Identified(kind, (why, reason), encoding=found)


def _first_words(stream: view.ByteStream) -> str:
    """Return the first MiB of a text that is not blank as a whole."""
    text = ""
    while not text.strip() and (data := stream.read(HEAD_BYTES)):
        text = data.decode("utf-8", "ignore")
    return text


def text_kind(head: TextHead) -> tuple[str, str]:
    """Return what a text is and why: the first format of the registry that knows it as its own."""
    for found in FORMATS.values():
        why = found.of_text(head) if found.of_text else None
        if why:
            return found.kind, why
    return txt.FORMAT.kind, txt.tell(head)


def _is_binary(head: bytes) -> bool:
    """Say whether control signs are too many for a text."""
    sample = head[:65_536]
    controls = sum(sample.count(sign) for sign in range(32) if sign not in TEXT_CONTROLS)
    return controls > CONTROL_SHARE * len(sample)


def _with_name_note(found: Identified, name: str) -> Identified:
    """Add a note where the name promises another kind."""
    ending = f".{name.casefold()}"
    promised = [
        kind.kind
        for kind in FORMATS.values()
        if any(ending.endswith(f".{known}") for known in (*kind.endings, *kind.fits))
    ]
    if not promised or found.kind in {*promised, refused.EMPTY.kind}:
        return found
    last = name.rpartition(".")[2].casefold()
    note = f"The name ends in .{last}, but the file holds {found.kind}: read as {found.kind}."
    return replace(found, notes=(*found.notes, note))
