"""Tags: short words that people put on conversations."""

from __future__ import annotations

import unicodedata
from zlib import crc32

from datasets_app.corpus.conversation import CorpusError

LONGEST_TAG = 40
TONES = 8  # colours; a tag has the same one everywhere
NOTHING = "none"  # in an address: rows that have none; so no tag is called that


def tag_name(written: str) -> str:
    """Return the tag that is meant: one form of each letter, small, one space between words."""
    parted = "".join(" " if c == "," or unicodedata.category(c)[0] in "CZ" else c for c in written)
    name = " ".join(unicodedata.normalize("NFC", parted).casefold().split())
    if not name or name == NOTHING:
        raise CorpusError("Say which tag.")
    if len(name) > LONGEST_TAG:
        raise CorpusError(f"A tag has at most {LONGEST_TAG} characters.")
    return name


def tone_of(name: str) -> int:
    """Return the number of the tag's colour."""
    return crc32(name.encode()) % TONES
