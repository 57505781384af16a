"""Encodings that show without a mark: two or four bytes for each sign, or escapes between them."""

from __future__ import annotations

import codecs
import re
import unicodedata

from datasets_app.corpus.detection import letters

SAMPLE_BYTES = 8_192
WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
SENSIBLE_SHARE = 0.75
FEWEST_SIGNS = 8
"""Of so many signs that share at least is common in ordinary text; of fewer, all of them are."""
CONTROL_SHARE = 0.05
PLAIN_CONTROLS = b"\t\n\r\f\x1b"
ESCAPES = re.compile(rb"\x1b(?:\$[@AB]|\$\([CDO-Q]|\$\)[AC]|\([IJ])")
ESCAPED = ("iso2022_jp", "iso2022_jp_2", "iso2022_jp_2004")
KOREAN = b"\x1b$)C"
TILDES = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e]){1,4096}~\}")


def wide_or_escaped(head: bytes) -> str | None:
    """Name the encoding of a text whose bytes show it, though they may pass for UTF-8."""
    sample = head[: SAMPLE_BYTES // 4 * 4]
    if _has_controls(sample) or not decodes(sample, "utf-8", is_whole=False):
        found = next((name for name in WIDE if _is_sensible(sample, name)), None)
        if found:
            return found
    if ESCAPES.search(head):
        names = ("iso2022_kr",) if KOREAN in head else ESCAPED
        return next((name for name in names if decodes(head, name, is_whole=False)), None)
    if TILDES.search(head) and _is_sensible(head[:SAMPLE_BYTES], "hz"):
        return "hz"
    return None


def _has_controls(sample: bytes) -> bool:
    controls = sum(byte < 32 and byte not in PLAIN_CONTROLS for byte in sample)
    return controls > CONTROL_SHARE * len(sample)


def _is_sensible(sample: bytes, name: str) -> bool:
    """Say whether the bytes are ordinary text in this encoding, which few other bytes are."""
    if name in WIDE:
        sample = sample[: len(sample) - len(sample) % (4 if name in WIDE[:2] else 2)]
    if not sample or not decodes(sample, name, is_whole=False):
        return False
    text = codecs.getincrementaldecoder(name)("ignore").decode(sample)
    good = sum(map(_is_ordinary, text))
    return good >= (SENSIBLE_SHARE if len(text) >= FEWEST_SIGNS else 1) * len(text)


def _is_ordinary(sign: str) -> bool:
    if sign.isascii():
        return sign.isprintable() or sign in "\t\n\r\f"
    base = unicodedata.normalize("NFD", sign)[0]
    return letters.is_common(sign) or (base.isascii() and base.isalpha())


def decodes(data: bytes, name: str, *, is_whole: bool = True) -> bool:
    """Say whether bytes are valid in an encoding; if not whole, they may end inside a sign."""
    try:
        codecs.getincrementaldecoder(name)("strict").decode(data, is_whole)
    except UnicodeDecodeError:
        return False
    return True
