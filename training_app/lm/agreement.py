"""Whether an answer says what the real one says: pure, so pages and the trainer agree on it."""

from __future__ import annotations

import re
from collections import Counter

CLOSE = 0.85  # F1 of the words from which two answers say the same; chosen by hand
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_DECISIVE = re.compile(r"\d|^(?:no|not|never|none|cannot|nein|nicht|kein\w*|without)$|n['’]t$")
_UNSPACED = 15  # characters; longer words are of a script without spaces; chosen by hand


def is_close(reply: str, reference: str) -> bool:
    """Return whether the reply has nearly the real answer's words, and all its numbers.

    A heuristic on words (the F1 of SQuAD, Rajpurkar et al. 2016, section 6.1): it knows nothing of
    meaning, so a good answer in other words is not close. Words that turn an answer round, such as
    “not”, and everything with a digit must be the same in both.
    """
    ours, theirs = _words(reply), _words(reference)
    if not ours or not theirs:
        return ours == theirs
    decisive = [Counter(word for word in side if _DECISIVE.search(word)) for side in (ours, theirs)]
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return decisive[0] == decisive[1] and 2 * shared >= CLOSE * (len(ours) + len(theirs))


def _words(text: str) -> list[str]:
    found = _WORD.findall(text.casefold())
    return [part for word in found for part in (word if len(word) > _UNSPACED else [word])]
