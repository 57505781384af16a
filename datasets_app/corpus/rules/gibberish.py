"""Answers that are no language: signs, mashed keys, broken bytes, a bare link."""

from __future__ import annotations

import re
import unicodedata

from datasets_app.corpus.rules.code import is_code
from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Recommendation, Rule, Threshold
from datasets_app.corpus.rules.words import ALL_STOP_WORDS, MARKS, word_spans

_BARE_LINK = re.compile(r"\A\s*+https?://\s*+\Z", re.IGNORECASE)
_NO_LETTER = re.compile(rf"[\W\d_](?<![{MARKS}])")
_TOKEN_EDGE = re.compile(r"[\s\-_./\\:,;|=&?#%+~–—]+")
# A price, a phone number, a date or a time: digits in groups with the usual separators.
_FIGURE = re.compile(
    r"[$€£¥₹]\s?\d[\d.,' ]{0,20}|\d[\d.,']{0,20}\s?[$€£¥₹%°]|"
    r"\+?\(?\d{1,5}\)?(?:[-. /]\(?\d{2,5}\)?){1,5}|\d{1,4}[./:-]\d{1,2}(?:[./:-]\d{1,4})?"
)
LONGEST_WORD = 45
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


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
    )


def _few_letters(answer: Numbers, limits: Limits) -> Verdict | None:
    limit, text = limits["letter_share"], answer.text
    together = "".join(answer.words)
    if len(together) >= limit * len(text) and together.isalpha():
        return None
    if sum(map(len, filter(str.isalpha, answer.words))) >= limit * len(text):
        return None
    characters = "".join(text.split())
    letters = len(characters) - len(_NO_LETTER.findall(characters))
    share = letters / len(characters)
    if share >= limit or _is_figures(characters, text, limits["numeric_length"]) or is_code(text):
        return None
    return Verdict(share, limit, f"only {share:.0%} of its characters are letters", answer.whole)


def _is_figures(characters: str, text: str, longest: float) -> bool:
    """Tell whether the text is a short number, or prices, phone numbers and dates only."""
    digits = sum(map(str.isdigit, characters))
    if len(text) <= longest:
        return digits >= 0.3 * len(characters)
    rest = _FIGURE.sub("", text)
    return digits > 0 and not any(map(str.isdigit, rest)) and len(rest.split()) < len(text) / 4


def _long_tokens(answer: Numbers, limit: float) -> Verdict | None:
    text = answer.text
    if answer.has_letters or len(text) <= limit * (text.count(" ") + 1):
        return None
    tokens = [token for token in _TOKEN_EDGE.split(_without_links(text)) if token]
    mean = sum(map(len, tokens)) / len(tokens) if tokens else 0.0
    if mean <= limit or is_code(text) or _is_one_long_word(text, mean):
        return None
    return Verdict(mean, limit, f"its words are {mean:.0f} characters long", answer.whole)


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


RULE = Rule(
    name="gibberish",
    label="gibberish",
    sentence="The answer is no readable text: signs, mashed keys, broken characters "
    "or a bare link.",
    good=("What is your number?", "+1 (555) 010-0199"),
    bad=("What is your number?", "asdf qwer zxcv poiu"),
    severity="E",
    thresholds={
        "letter_share": Threshold(0.30),
        "numeric_length": Threshold(40),
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
