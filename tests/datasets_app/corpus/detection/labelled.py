"""Some thousand texts whose encoding is known, made from sentences in forty languages."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UNICODE = (
    *("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"),
    *("utf-16", "utf-32"),
)
TONES = "\u0300\u0301\u0303\u0309\u0323"
SPOKEN = ("User", "Bot")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text as bytes, and the truth about them."""

    language: str
    encoding: str
    shape: str
    is_unseen: bool
    text: str

    @property
    def data(self) -> bytes:
        return self.text.encode(self.encoding)


def labelled() -> Iterator[Labelled]:
    """Yield every text in every encoding that has all its letters and is needed for them."""
    for language, encodings, seen, unseen in _sections():
        for is_unseen, lines in ((False, seen), (True, unseen)):
            for shape, text in _shapes(lines):
                for encoding in (*encodings, *UNICODE):
                    text_of = _with_tones(text) if encoding == "cp1258" else text
                    found = Labelled(language, encoding, shape, is_unseen, text_of)
                    if not text.isascii() and _fits(found):
                        yield found


def _fits(found: Labelled) -> bool:
    try:
        return codecs.decode(found.data, found.encoding) == found.text
    except UnicodeEncodeError:
        return False


def _sections() -> Iterator[tuple[str, tuple[str, ...], list[str], list[str]]]:
    stored = Path(__file__).with_name("tongues.txt").read_text(encoding="utf-8")
    for section in stored.partition("\n[")[2].split("\n["):
        head, _, body = section.partition("]\n")
        language, *encodings = head.split()
        seen, _, unseen = body.partition("--\n")
        yield language, tuple(encodings), seen.split("\n"), unseen.split("\n")


def _shapes(lines: list[str]) -> Iterator[tuple[str, str]]:
    lines = [line for line in lines if line]
    for line in lines:
        yield "line", line
    if len(lines) > 1:
        pairs = [*zip(lines, [*lines[1:], lines[0]], strict=True)]
        yield (
            "table",
            "id;question;answer\n"
            + "".join(f"{number};{one};{other}\n" for number, (one, other) in enumerate(pairs, 1)),
        )
        yield "chat", "".join(f"{SPOKEN[i % 2]}: {line}\r\n" for i, line in enumerate(lines))
        yield "page", "\n".join(("# OTTO", "", *lines, "", *reversed(lines), ""))


def _with_tones(text: str) -> str:
    """Write Vietnamese as its older encoding does: the tone behind its letter."""
    letters = []
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(part for part in parts if part in TONES)
        body = "".join(part for part in parts if part not in TONES)
        letters.append(unicodedata.normalize("NFC", body) + tone)
    return "".join(letters)
