"""What the pages of tokenizers show: the list, one, and what it makes of a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from tokenizers import Tokenizer

from otto_web.lib.uuids import as_uuid
from training_app.lm.config import ConfigError
from training_app.lm.tokenizer_backends import BACKENDS
from training_app.models import MadeTokenizer, paths

PER_PAGE = 30
LONGEST_TEXT = 20_000  # characters that are tried out at once
COLOURS = 6
KEPT_OPEN = 4  # tokenizers


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a text that was tried out; a part of a character is shown by its bytes."""

    id: int
    text: str
    colour: int
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What a tokenizer makes of a text, and whether the text comes back from it."""

    tokens: list[Token]
    back: str
    is_exact: bool


def made_tokenizers(user: User, *, page: str) -> Page[MadeTokenizer]:
    """Return the tokenizers of a page, newest first."""
    rows = MadeTokenizer.objects.visible_to(user).order_by("-created_at")
    return Paginator(rows.select_related("version__dataset"), PER_PAGE).get_page(page)


def label_of(made: MadeTokenizer) -> str:
    """Return the kind of a tokenizer in words."""
    return BACKENDS[made.recipe["method"]].label


def entries_of(key: str) -> int:
    """Return how many entries a tokenizer has. Raises ConfigError where there is none."""
    number = as_uuid(key)
    made = MadeTokenizer.objects.ready().filter(pk=number).first() if number else None
    if made is None:
        raise ConfigError(
            "made_tokenizer", "There is no tokenizer by this id, or it is not made yet."
        )
    return made.entries


def tried(made: MadeTokenizer, text: str) -> Tried:
    """Return the tokens of a text by a tokenizer that is made."""
    tokenizer = opened(made)
    found = tokenizer.encode(text)
    back = str(tokenizer.decode(found.ids, skip_special_tokens=False))
    counts: dict[int, int] = {}
    for begin, end in found.offsets:
        for at in range(begin, end):
            counts[at] = counts.get(at, 0) + 1
    tokens = []
    for number, (one, piece, (begin, end)) in enumerate(
        zip(found.ids, found.tokens, found.offsets, strict=True)
    ):
        is_part = any(counts[at] > 1 for at in range(begin, end))
        shown = _bytes_of(piece) if is_part else text[begin:end]
        tokens.append(Token(one, shown, number % COLOURS, is_part))
    return Tried(tokens, back, back == text)


def decoded(made: MadeTokenizer, ids: list[int]) -> str:
    """Return the text that ids stand for; ids beyond the vocabulary stand for nothing."""
    tokenizer = opened(made)
    entries = tokenizer.get_vocab_size()  # makes the whole vocabulary each time
    known = [one for one in ids if one < entries]
    return str(tokenizer.decode(known, skip_special_tokens=False))


def opened(made: MadeTokenizer) -> Tokenizer:
    """Return the tokenizer itself; its file never changes, so it is kept open for a while."""
    return _opened(made.path, made.sha256)


@lru_cache(KEPT_OPEN)
def _opened(path: str, sha256: str) -> Tokenizer:
    return Tokenizer.from_file(str(paths.absolute(path) / "tokenizer.json"))


@lru_cache(1)
def _letters() -> dict[str, int]:
    """Return which byte each letter of a byte-level vocabulary stands for, as in GPT-2."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {chr(byte): byte for byte in plain}
    return letters | {chr(256 + place): byte for place, byte in enumerate(others)}


def _bytes_of(piece: str) -> str:
    letters = _letters()
    return " ".join(f"{letters[one]:02x}" for one in piece if one in letters)


def stats_of(made: MadeTokenizer) -> dict[str, Any]:
    """Return what was measured; nothing until it is made."""
    if not made.is_ready:
        return {}
    shares = ("coverage", "oov_rate", "char_coverage")
    percent = {name: 100 * made.stats[name] for name in shares}
    wished = made.recipe["holdout_fraction"]
    percent["kept_back"] = 100 * wished
    return {"of_kept_back": wished > 0, **made.stats, "percent": percent}
