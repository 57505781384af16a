"""Scripts: which one a text is written in, and those that put no spaces between words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

# Thai to Khmer, Hangul, kana, and the Chinese signs
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f"
    "\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
IDEOGRAPHS = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
LATIN = "Latin"
_LETTERS_LOOKED_AT = 200
_NAMES = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}


def unspaced_signs(text: str) -> int:
    """Return how many signs of the text belong to scripts without spaces."""
    if text.isascii():
        return 0
    return sum(map(len, UNSPACED_RUN.findall(text)))


def script_of(text: str) -> str:
    """Return the script of most letters, Latin where there are none."""
    letters = [sign for sign in text[: 4 * _LETTERS_LOOKED_AT] if sign.isalpha()]
    if not letters or text.isascii():
        return LATIN
    words = (unicodedata.name(sign, LATIN).split()[0] for sign in letters[:_LETTERS_LOOKED_AT])
    counts = Counter(_NAMES.get(word, word.capitalize()) for word in words)
    if counts["Japanese"]:
        return "Japanese"
    return counts.most_common(1)[0][0]
