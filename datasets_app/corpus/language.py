"""In which language a conversation is held: by its script, else by its small words."""

from __future__ import annotations

import re

from datasets_app.corpus.conversation import Conversation
from datasets_app.corpus.rules.words import language_of, words_of

LOOKED_AT = 300  # characters; what follows is in the same language
UNKNOWN = ""
# Scripts that name a language, or the one that is most written in them; the first found wins.
SCRIPTS = (
    ("ja", re.compile("[\u3041-\u3096\u30a1-\u30fa]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
    ("uk", re.compile("[іїєґ]", re.IGNORECASE)),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e01-\u0e2e]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u05d0-\u05ea]")),
)
NAMES = {
    "ar": "Arabic",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "th": "Thai",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
MUCH = 5000  # characters of a text that tell for all of it
SOME_LETTERS = 3  # a single foreign letter is a name, no language


def language_of_talk(conversation: Conversation) -> str:
    """Return the code of the language, empty where too little is said to tell."""
    text = ""
    for turn in conversation.turns:
        text += f"{turn.text[: LOOKED_AT - len(text)]}\n"
        if len(text) > LOOKED_AT:
            break
    return language_of_text(text)


def language_of_text(text: str) -> str:
    """Return the code of a text's language by its beginning; empty where too little tells."""
    text = text[:MUCH]
    if not text.isascii():
        for code, letters in SCRIPTS:
            if len(letters.findall(text)) >= _least(text):
                return code
    return language_of(set(words_of(text))) or UNKNOWN


def _least(text: str) -> int:
    return max(SOME_LETTERS, len(text) // 20) if len(text) > 2 * SOME_LETTERS else 1
