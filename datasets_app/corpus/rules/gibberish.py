"""Answers that are no language: signs, mashed keys, broken bytes, a bare link."""

from __future__ import annotations

import re
import unicodedata

from datasets_app.corpus.rules.code import is_code
from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Recommendation, Rule, Threshold
from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS
from datasets_app.corpus.rules.words import MARKS, word_spans

_BARE_LINK = re.compile(r"\A\s*+https?://\s*+\Z", re.IGNORECASE)
_NO_LETTER = re.compile(rf"[\W_](?<![{MARKS}])")
_TOKEN_EDGE = re.compile(r"[\s\-_./\\:,;|=&?#%+~–—་]+")
# Letters of Korean by themselves; laughing (ㅋㅋ, ㅎㅎ) and crying (ㅠㅠ, ㅜㅜ) are written so.
_LONE_LETTER = re.compile("[\u3131-\u314a\u314c\u314d\u314f-\u315a\u315d-\u315f\u3161-\u3163]")
LONGEST_WORD = 45
LONGEST_CODE = 64
_ROWS = (
    *("qwertyuiop", "asdfghjklñ", "asdfghjklç", "asdfghjklöä", "zxcvbnm", "qwertzuiop", "yxcvbnm"),
    *("azertyuiop", "qsdfghjklm", "wxcvbn", "йцукенгшщзх", "фывапролджэ", "ячсмитьбю"),
)


def _key_runs() -> frozenset[str]:
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    runs = {
        row[start:end]
        for row in rows
        for start in range(len(row))
        for end in range(start + 4, len(row) + 1)
    }
    return frozenset(runs)


KEY_RUNS = _key_runs()

# Pairs of letters that make up at least 0.04 % of the pairs of English, German, French, Spanish,
# Italian, Portuguese or Dutch. In those languages about 1 % of pairs are others; in mashed keys
# 22 % and more.
_FOLLOWERS = (
    "a:abcdfghijklmnopqrstuvwyz b:abceilorstuy c:acehiklorstuyz d:adeijmnorstuyz "
    "e:abcdefghijklmnopqrstuvwxyz f:adefilorstuy g:aeghiklnorstu h:adeilmnorstuwy "
    "i:abcdefghjklmnopqrstuvxz j:adefiknosu k:aeiklnorstuy l:abcdefghiklmnopstuy "
    "m:abdegimopstuy n:abcdefghijklmnoqrstuvwyz o:abcdefghijklmnoprstuvwxyz p:adefhilnopqrstuy "
    "q:u r:abcdefghijklmnopqrstuvwyz s:abcefghiklmnopqrstuwyz t:acehijlmnoprstuwyz "
    "u:abcdefghijklmnoprstuvwxyz v:aeiorvy w:aehilnorstuy x:aceipt y:acdeilmnoprstw z:aeiklnotuwyz"
)
COMMON_PAIRS = frozenset(
    row[0] + letter for row in _FOLLOWERS.split() for letter in row.partition(":")[2]
)
_STRANGEST_PAIRS = 0.25  # from this share of uncommon pairs on the confidence is zero
_LATIN_WORD = re.compile(r"[a-z]+")


def gibberish(answer: Numbers, limits: Limits) -> Verdict | None:
    """Object to what no reader could take for an answer."""
    text = answer.text
    if "://" in text and _BARE_LINK.match(text):
        return Verdict(0, 1, "there is only the beginning of a link", ((0, len(text)),))
    return (
        _few_letters(answer, limits)
        or _long_tokens(answer, limits["mean_token"])
        or _mashed_keys(answer, limits)
        or _no_language(answer, limits)
        or _broken_characters(answer, limits["replacement_share"])
        or wrongly_decoded(answer, limits["replacement_share"])
    )


def _few_letters(answer: Numbers, limits: Limits) -> Verdict | None:
    """Object to a text of signs; figures of any script are no signs."""
    limit, text = limits["letter_share"], answer.text
    if sum(map(len, answer.words)) >= limit * len(text) and "_" not in text:
        return _lone_letters(answer) if not text.isascii() else None
    characters = "".join(text.split())
    share = 1 - len(_NO_LETTER.findall(characters)) / len(characters)
    if share >= limit or is_code(text):
        return None
    return Verdict(share, limit, f"only {share:.0%} of its characters are letters", answer.whole)


def _lone_letters(answer: Numbers) -> Verdict | None:
    found = _LONE_LETTER.findall(answer.text)
    share = len(found) / len(answer.text)
    if share <= 0.5 or len(set(found)) < 4:
        return None
    return Verdict(share, 0.5, "its letters form no syllables", answer.whole)


def _long_tokens(answer: Numbers, limit: float) -> Verdict | None:
    text = answer.text
    if answer.has_letters or len(text) <= limit * (text.count(" ") + 1):
        return None
    parts = _TOKEN_EDGE.split(_without_links(text))
    tokens = [part for part in parts if part and not _is_code_number(part)]
    mean = sum(map(len, tokens)) / len(tokens) if tokens else 0.0
    if mean <= limit or is_code(text) or _is_one_long_word(text, mean):
        return None
    return Verdict(mean, limit, f"its words are {mean:.0f} characters long", answer.whole)


def _is_code_number(token: str) -> bool:
    """Tell a checksum, a key or an account number from a row of letters."""
    return len(token) <= LONGEST_CODE and any(map(str.isdigit, token)) and token.isalnum()


def _is_one_long_word(text: str, mean: float) -> bool:
    """Tell a compound such as “Wirtschaftswissenschaftler” from a row of letters."""
    return mean <= LONGEST_WORD and _language_confidence(text)[0] >= 0.7


def _without_links(text: str) -> str:
    words = text.split()
    return " ".join(
        word for word in words if "@" not in word and "://" not in word and word[:4] != "www."
    )


def _mashed_keys(answer: Numbers, limits: Limits) -> Verdict | None:
    words = answer.words
    if KEY_RUNS.isdisjoint(answer.distinct) or len(words) < limits["key_run_words"]:
        return None
    share = sum(word in KEY_RUNS for word in words) / len(words)
    if share < limits["key_run_share"]:
        return None
    spans = tuple(
        (answer.place(start), answer.place(end))
        for word, start, end in word_spans(answer.text)
        if word in KEY_RUNS
    )
    note = f"{share:.0%} of its words are runs of neighbouring keys"
    return Verdict(share, limits["key_run_share"], note, spans)


def _no_language(answer: Numbers, limits: Limits) -> Verdict | None:
    if len(answer.distinct & ALL_STOP_WORDS) >= 2 or len(answer.text) < limits["language_letters"]:
        return None
    confidence, letters = _language_confidence(answer.text)
    enough = letters >= limits["language_letters"]
    if not enough or confidence >= limits["language"] or is_code(answer.text):
        return None
    note = "its letters follow each other as in no language we know"
    return Verdict(confidence, limits["language"], note, answer.whole)


def _language_confidence(text: str) -> tuple[float, int]:
    """Return how much the Latin letters look like a language, and how many there are."""
    plain = unicodedata.normalize("NFD", _without_links(text).lower()).encode("ascii", "ignore")
    words = _LATIN_WORD.findall(plain.decode())
    pairs = [word[start : start + 2] for word in words for start in range(len(word) - 1)]
    strange = sum(pair not in COMMON_PAIRS for pair in pairs) / len(pairs) if pairs else 0.0
    return max(0.0, 1 - strange / _STRANGEST_PAIRS), sum(map(len, words))


def _broken_characters(answer: Numbers, limit: float) -> Verdict | None:
    text = answer.text
    if text.isascii() or "\ufffd" not in text:
        return None
    share = text.count("\ufffd") / len(text)
    if share <= limit:
        return None
    places = [index for index, character in enumerate(text) if character == "\ufffd"]
    spans = tuple((answer.place(index), answer.place(index) + 1) for index in places[:100])
    return Verdict(share, limit, f"{len(places)} characters were lost (shown as \ufffd)", spans)


# Text in UTF-8 that was read as a Western encoding: "Ã©" for "é", "â€™" for an apostrophe.
_WESTERN = "".join(
    bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xC0)
)
_LOST_ORDER = str.maketrans({sign: chr(0x80 + place) for place, sign in enumerate(_WESTERN)})
_MISREAD = re.compile(
    f"[\u00c2-\u00df][{re.escape(_WESTERN)}]|[\u00e0-\u00ef][{re.escape(_WESTERN)}]{{2}}"
)
_MANGLED = re.compile("锟斤拷|烫烫烫")


def wrongly_decoded(answer: Numbers, limit: float) -> Verdict | None:
    """Object to letters that were read in the wrong encoding; proved by reading them right."""
    text = answer.text
    if text.isascii():
        return None
    places = [
        found.span() for found in _MISREAD.finditer(text) if _is_right_otherwise(found.group())
    ]
    places += [found.span() for found in _MANGLED.finditer(text)]
    spans = tuple((answer.place(start), answer.place(end)) for start, end in places)
    share = sum(end - start for start, end in spans) / len(text)
    if share <= limit or len(spans) < 2:
        return None
    note = f"{len(spans)} characters were read in the wrong encoding"
    return Verdict(share, limit, note, spans[:100])


def _is_right_otherwise(found: str) -> bool:
    try:
        return found.translate(_LOST_ORDER).encode("latin-1").decode("utf-8").isprintable()
    except UnicodeError:
        return False


RULE = Rule(
    name="gibberish",
    label="gibberish",
    sentence="The answer is no readable text: signs, mashed keys, broken characters "
    "or a bare link.",
    good=("What is your number?", "+1 (555) 010-0199"),
    bad=("What is your number?", "asdf qwer zxcv poiu"),
    severity="E",
    version=2,
    thresholds={
        "letter_share": Threshold(0.30),
        "numeric_length": Threshold(40),  # stored policies hold it; figures count as letters now
        "mean_token": Threshold(25),
        "key_run_words": Threshold(3),
        "key_run_share": Threshold(0.5),
        "language": Threshold(0.3),
        "language_letters": Threshold(40),
        "replacement_share": Threshold(0.02),
    },
    recommendation=Recommendation(
        above=0.1,
        one="1 answer is no readable text. Check how its file was read, or exclude the row.",
        many="{count} answers are no readable text. "
        "Check how their files were read, or exclude them.",
    ),
    earlier="gibberish_outputs",
    of_answer=gibberish,
    of_passage=gibberish,
)
