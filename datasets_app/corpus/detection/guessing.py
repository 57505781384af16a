"""Which of the older encodings a text has: each is tried, and the likeliest text wins or asks."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from datasets_app.corpus.detection.likelihood import Reckoning
from datasets_app.corpus.source import Guess

CANDIDATES: dict[str, float] = {
    "cp1252": 0,
    "cp1250": 0.5,
    "cp1251": 0.5,
    "cp1253": 1,
    "cp1254": 1,
    "cp1255": 1,
    "cp1256": 1,
    "cp1257": 1,
    "cp1258": 2,
    "cp874": 1,
    "iso8859-1": 1,
    "iso8859-15": 1,
    "iso8859-2": 1,
    "iso8859-5": 1.5,
    "iso8859-7": 1.5,
    "iso8859-9": 1.5,
    "iso8859-4": 2.5,
    "iso8859-13": 2,
    "iso8859-6": 2,
    "iso8859-8": 2,
    "iso8859-3": 3,
    "iso8859-10": 3,
    "iso8859-14": 3,
    "iso8859-16": 7,
    "koi8-r": 1,
    "koi8-u": 1,
    "cp866": 1.5,
    "mac-cyrillic": 2.5,
    "cp855": 4,
    "cp1125": 3,
    "cp850": 1.5,
    "cp437": 2,
    "cp852": 1.5,
    "cp858": 2,
    "cp857": 2.5,
    "cp775": 3,
    "cp737": 2,
    "cp869": 4,
    "cp862": 3,
    "cp860": 3,
    "cp861": 3,
    "cp863": 3,
    "cp865": 3,
    "mac-roman": 2,
    "mac-latin2": 3,
    "mac-greek": 3,
    "mac-turkish": 3,
    "mac-iceland": 3.5,
    "mac-croatian": 4,
    "mac-romanian": 4,
    "gb18030": 0,
    "cp932": 0,
    "euc_jp": 0.5,
    "big5hkscs": 1,
    "cp950": 0.5,
    "cp949": 0,
}
"""The encodings that are tried, each with what it costs to be rarely used."""
MANY_BYTES = frozenset({"gb18030", "cp932", "euc_jp", "big5hkscs", "cp950", "cp949"})
WIDER = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "cp950",
}
"""What a text is in that says it has the first, which the second contains."""
DECLARED = -8.0
"""What it costs an encoding that the text itself names: less than nothing."""
DECLARATION = re.compile(rb"(?:charset|encoding|coding) ?[:=] ?[\"']?([A-Za-z0-9][\w.-]{1,30})")
DECLARED_WITHIN = 2_048

MARGIN = 6.0
"""How much likelier the best text must be than the next one: e^6 is 400 times."""
MOST_COST = {False: 5.0, True: 9.0}
"""What a sign of a text costs at most for which nobody is asked; True: many bytes for a sign."""

MOST_BYTES = 24_000
MOST_PLAIN_WORDS = 400
SHOWN = 4
SHOWN_WORDS = 8
SHOWN_LINES = 3
LONGEST_WORD = 24
BETWEEN_WORDS = re.compile(rb"[\x00-\x20!\"#%&'()*+,./:;<=>?-]+")
"""Bytes that are no part of a longer sign in any of the encodings."""
LONELY = 10.0
"""What it costs when the Chinese, Japanese or Korean letters of a text do not stand together."""
BROKEN = 25.0
"""What bytes that fit no sign cost."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An encoding with what its text costs; lower is likelier."""

    name: str
    cost: float
    language: str
    text: str

    @property
    def is_language(self) -> bool:
        """Say whether the text is one that somebody may have written."""
        return self.cost <= MOST_COST[self.name in MANY_BYTES] * len(self.text)


@dataclass(frozen=True, slots=True)
class Guesses:
    """The encodings that give different texts, the likeliest first, and whether it is certain."""

    ranked: tuple[Ranked, ...]
    words: tuple[bytes, ...]

    @property
    def best(self) -> Ranked:
        return self.ranked[0]

    @property
    def is_certain(self) -> bool:
        found = self.ranked
        is_far = len(found) == 1 or found[1].cost - found[0].cost >= MARGIN
        return is_far and found[0].is_language

    def deciding(self, name: str) -> tuple[str, ...]:
        """Return the words that tell the likeliest encodings apart, as one of them has them.

        Those come first that tell the two likeliest apart.
        """
        names = [one.name for one in self.ranked[:SHOWN]]
        readings = {word: [_read(word, each) for each in names] for word in self.words}
        telling = [word for word in self.words if len(set(readings[word])) > 1] or [*self.words]
        telling.sort(key=lambda word: len(set(readings[word][:2])) == 1)
        words = dict.fromkeys(_read(word, name)[:LONGEST_WORD] for word in telling)
        return tuple(words)[:SHOWN_WORDS]

    def to_choose(self, sample: bytes, also: Iterable[str] = ()) -> tuple[Guess, ...]:
        """Return what a person who chooses is shown of the likeliest, and of others before them."""
        names = dict.fromkeys((*also, *(one.name for one in self.ranked[:SHOWN])))
        return tuple(
            Guess(name, readable_lines(sample, name), self.deciding(name)) for name in names
        )


def guess(sample: bytes, head: bytes = b"") -> Guesses:
    """Rank the encodings by the text that each makes of the lines of a sample."""
    telling, plain = _words(sample)
    data = b" ".join((b"", *telling, *plain, b""))
    costs = dict(CANDIDATES)
    if name := declared(head):
        costs[name] = DECLARED
    found = sorted(_all_rated(data, costs), key=_cost)
    different: dict[str, Ranked] = {}
    for one in found:
        different.setdefault(one.text, one)
    return Guesses(tuple(different.values()), tuple(telling))


def declared(head: bytes) -> str:
    """Return the encoding that a text names at its beginning, as HTML and XML do; or ""."""
    found = DECLARATION.search(head[:DECLARED_WITHIN])
    name = canonical(found[1].decode("ascii")) if found else ""
    name = WIDER.get(name, name)
    return name if name in CANDIDATES else ""


def canonical(name: str) -> str:
    """Return the one name of an encoding; "" for what is none."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def readable_lines(sample: bytes, name: str) -> tuple[str, ...]:
    """Return the first lines of a sample."""
    lines = sample[:4096].decode(name, "replace").replace("\0", "").split("\n")
    return tuple(line[:200].strip("\r") for line in lines[:SHOWN_LINES] if line.strip())


def _cost(one: Ranked) -> float:
    return one.cost


def _read(word: bytes, name: str) -> str:
    return word.decode(name, "replace").replace("\0", "")


def _words(sample: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return different words beyond ASCII, among them every byte there is, and within it."""
    seen: set[int] = set()
    telling: list[bytes] = []
    plain: list[bytes] = []
    size = 0
    for word in dict.fromkeys(BETWEEN_WORDS.split(sample)):
        high = {byte for byte in word if byte > 127}
        if high and (size <= MOST_BYTES or not high <= seen):
            seen |= high
            size += len(word)
            telling.append(word)
        elif not high and word and len(plain) < MOST_PLAIN_WORDS:
            plain.append(word)
    return telling, plain


def _all_rated(data: bytes, candidates: dict[str, float]) -> Iterator[Ranked]:
    """Rate a text in each encoding; where a sign is a byte, ASCII costs the same in all."""
    neighbours = Counter(pairwise(data))
    plain = {pair: count for pair, count in neighbours.items() if max(pair) < 128}
    beyond = [(pair, count) for pair, count in neighbours.items() if max(pair) > 127]
    shared = Reckoning()
    shared.add(((chr(a), chr(b)), count) for (a, b), count in plain.items())
    for name, cost in candidates.items():
        text = data.decode(name, "replace")
        if name in MANY_BYTES:
            pairs = Counter(pairwise(text))
            found = Reckoning(0.0 if _stand_together(pairs) else LONELY)
            found.add(pairs.items())
        else:
            signs = bytes(range(256)).decode(name, "replace")
            found = shared.copy()
            found.add(((signs[a], signs[b]), count) for (a, b), count in beyond)
        total, language = found.total()
        yield Ranked(name, cost + total + BROKEN * text.count("\ufffd"), language, text)


def _stand_together(pairs: Counter[tuple[str, str]]) -> bool:
    """Say whether a good part of the letters beyond ASCII has another one before it."""
    alone = together = 0
    for (before, sign), count in pairs.items():
        if not sign.isascii():
            together += count * (not before.isascii())
            alone += count * before.isascii()
    return 3 * together >= alone
