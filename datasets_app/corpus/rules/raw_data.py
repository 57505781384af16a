"""Turns that hold what programs wrote for programs: encoded files, mail headers, markup, dumps."""

from __future__ import annotations

import re
from collections.abc import Callable

from datasets_app.corpus.rules.finding import Severity, Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Rule, Threshold

SHORTEST = 40  # characters: less is no dump
LONGEST_PART = 16  # between the signs of an encoded file
_WORD = re.compile(r"\S{64,}")
_ENCODED = re.compile(r"[A-Za-z0-9+/]{64,}+={0,2}")
# Only mails have these; the ones below may stand in any request to a web server.
_MAIL = re.compile(
    r"^(?:Return-Path|Received|Delivered-To|Message-ID|MIME-Version|DKIM-Signature|In-Reply-To|"
    r"Content-Transfer-Encoding|List-Unsubscribe|Authentication-Results|X-Mailer|Received-SPF):",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER = re.compile(r"^[A-Z][A-Za-z]*(?:-[A-Za-z]+)*: ?\S", re.MULTILINE)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]{0,12}(?:[\s/][^<>]{0,300})?>")
_HEX_LINE = re.compile(r"^(?:0x)?[0-9A-Fa-f]{4,8}:? +(?:[0-9A-Fa-f]{2,4} +){4}", re.MULTILINE)
_LOG_LINE = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", re.MULTILINE)
_JSON_KEY = re.compile(r'"[^"\n]{1,60}" ?: ?["\d\[{tfn-]')


def raw_answer(text: Numbers, limits: Limits) -> Verdict | None:
    """Object to encoded files and mail headers; markup and data may be asked for."""
    return _first_of((_encoded, _headers), text, limits) if _may_be_raw(text) else None


def raw_passage(text: Numbers, limits: Limits) -> Verdict | None:
    """Object to the same in a piece of a document; a small picture within its words may stand."""
    found = raw_answer(text, limits)
    held = sum(end - start for start, end in found.spans) if found else 0
    return found if held > limits["encoded_share"] * len(text.text) else None


def raw_question(text: Numbers, limits: Limits) -> Verdict | None:
    """Object to a turn of the user that nobody said; code after a word about it is talk."""
    if text.text[:1] not in "<{[ \n" and not _may_be_raw(text):
        return None
    return _first_of((_encoded, _headers, _markup, _hex, _json, _log), text, limits)


def _may_be_raw(text: Numbers) -> bool:
    """Tell cheaply: mail and dumps have lines, and an encoded file has no words."""
    if len(text.text) < SHORTEST:
        return False
    return "\n" in text.text or len(max(text.words, key=len, default="")) >= LONGEST_PART


def _first_of(
    looks: tuple[Callable[[Numbers, Limits], Verdict | None], ...], text: Numbers, limits: Limits
) -> Verdict | None:
    return next((found for look in looks if (found := look(text, limits))), None)


def _encoded(text: Numbers, limits: Limits) -> Verdict | None:
    """Find long runs of mixed letters and digits; the path of a link may look like one."""
    if len(text.text) < limits["encoded"]:
        return None
    spans = [
        (text.place(word.start() + run.start()), text.place(word.start() + run.end()))
        for word in _WORD.finditer(text.text)
        if "://" not in word.group() or "base64," in word.group()
        for run in _ENCODED.finditer(word.group())
        if len(run.group()) >= limits["encoded"] and _is_mixed(run.group())
    ]
    if not spans:
        return None
    held = sum(end - start for start, end in spans)
    words = f"{held} characters of an encoded file stand in it"
    return Verdict(held, limits["encoded"], words, tuple(spans[:100]))


def _is_mixed(word: str) -> bool:
    return all(sum(map(kind, word)) >= 3 for kind in (str.isdigit, str.isupper, str.islower))


def _headers(text: Numbers, limits: Limits) -> Verdict | None:
    body = text.text.lstrip()
    if not body[:1].isupper() or _HEADER.match(body) is None or _MAIL.search(body) is None:
        return None
    return _lines(_HEADER, text, limits["headers"], "{} lines of it are the head of a mail", "E")


def _hex(text: Numbers, _: Limits) -> Verdict | None:
    if not text.text.lstrip()[:1].isalnum() or _HEX_LINE.match(text.text.lstrip()) is None:
        return None
    return _lines(_HEX_LINE, text, 2, "{} lines of it are bytes", "R")


def _log(text: Numbers, _: Limits) -> Verdict | None:
    if _LOG_LINE.match(text.text.lstrip()) is None:
        return None
    lines = text.text.strip().count("\n") + 1
    return _lines(_LOG_LINE, text, max(3, lines * 0.8), "{} lines of it are a log", "R")


def _lines(
    pattern: re.Pattern[str], text: Numbers, least: float, words: str, at_most: Severity
) -> Verdict | None:
    found = list(pattern.finditer(text.text))
    if len(found) < least:
        return None
    spans = tuple((text.place(one.start()), text.place(one.end())) for one in found[:100])
    return Verdict(len(found), least, words.format(len(found)), spans, at_most)


def _markup(text: Numbers, limits: Limits) -> Verdict | None:
    if text.text.lstrip()[:1] != "<" or text.text.count("<") < limits["tags"]:
        return None
    found = list(_TAG.finditer(text.text))
    share = sum(one.end() - one.start() for one in found) / len(text.text)
    if len(found) < limits["tags"] or share <= limits["markup_share"]:
        return None
    spans = tuple((text.place(one.start()), text.place(one.end())) for one in found[:100])
    return Verdict(share, limits["markup_share"], f"{share:.0%} of it are tags", spans, "R")


def _json(text: Numbers, limits: Limits) -> Verdict | None:
    body = text.text.strip()
    if body[:1] + body[-1:] not in {"{}", "[]"}:
        return None
    keys = len(_JSON_KEY.findall(body))
    if keys < limits["keys"]:
        return None
    return Verdict(keys, limits["keys"], f"it is data of {keys} keys", text.whole, "R")


RULE = Rule(
    name="raw_data",
    label="raw data",
    sentence="A turn is what programs wrote for programs: an encoded file, the head of a mail, "
    "and, where the user should speak, markup, bytes, a log or a dump.",
    good=("Is this in stock?", "Yes: <b>four</b> of them, see https://example.com/lamps"),
    bad=("Show me the lamp.", f"data:image/png;base64,{'iVBORw0KGgoAAAANSUhEUgAAAAUA' * 4}"),
    severity="E",
    odd_turn="E",
    thresholds={
        "encoded": Threshold(100),
        "encoded_share": Threshold(0.1),
        "headers": Threshold(2),
        "tags": Threshold(4),
        "markup_share": Threshold(0.4),
        "keys": Threshold(4),
    },
    of_question=raw_question,
    of_answer=raw_answer,
    of_passage=raw_passage,
)
