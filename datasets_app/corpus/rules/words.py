"""Words of many scripts, and what kind of answer a question wants."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS, STOP_WORDS, WHOLE_ANSWERS

# Scripts written without spaces: every letter counts as a word.
LETTER_SCRIPTS = (
    "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9d\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3"
)
# Vowel signs and accents that belong to a word but are no word characters for `re`.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0dff\u0f71-\u0f84\u1ab0-\u1aff"
)

_ASCII_WORD = re.compile(r"\w+(?:'\w+)*", re.ASCII)
_ASCII_RUN = re.compile(r"\w+", re.ASCII)
_WORD = re.compile(rf"[{LETTER_SCRIPTS}]|[^\W{LETTER_SCRIPTS}]+(?:['’][^\W{LETTER_SCRIPTS}]+)*")
_MARKED_WORD = re.compile(
    rf"[{LETTER_SCRIPTS}]|(?:[^\W{LETTER_SCRIPTS}]|[{MARKS}])+"
    rf"(?:['’](?:[^\W{LETTER_SCRIPTS}]|[{MARKS}])+)*"
)
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAS_MARK = re.compile(rf"[{MARKS}]")
_HAS_LETTER_SCRIPT = re.compile(rf"[{LETTER_SCRIPTS}]")

_CLOSED_START = re.compile(
    r"\A\W*+(?:(?:is|are|do|does|can|will|has|have|had|was|were|did|could|would|should|may|when|who|"
    r"which)\b|how (?:many|much|long|old|far|often)\b|what(?:’s|'s| is| are| was| were)\b|"
    r"(?:ist|sind|hat|haben|kann|können|wird|wann|wer|wie viele?|welche[rsn]?|est-ce|combien|quand|"
    r"quel(?:le)?s?|es|está|hay|puedo|cuándo|cuánt[oa]s?|quién|cuál(?:es)?)\b)",
    re.IGNORECASE,
)
# In these languages the question word may stand anywhere.
_CLOSED_ANYWHERE = re.compile(
    "[吗嗎么麼か谁誰哪几幾]|什么|什麼|多少|何|いつ|どこ|どれ|ไหม|หรือ|ใคร|เมื่อไร|กี่|ที่ไหน|อะไร|"
    r"몇|언제|누구|어디|얼마|\b(?:сколько|кто|когда|где|как(?:ой|ая|ое|ие)|чей)\b|\bли\b|"
    r"\b(?:كم|متى|أين|هل)\b|\bمن (?:هو|هي)\b|कितन|कौन|कब|क्या|कहाँ|bao nhiêu|khi nào|ở đâu",
    re.IGNORECASE,
)
# Who asks for this wants more than a word, also where it is a polite question ("can you explain").
_EXPLAIN = re.compile(
    r"\b(?:describe|explain|summari[sz]e|tell me (?:all |more |how |about )|"
    r"(?:hear|know|learn|read)\b.{0,20}\babout |write (?:an?|me)\b|"
    r"beschreib|erklär|erzähl|décri|expli[qc]|raconte|describ|cuént|descriv|spieg|raccont|descrev|"
    r"conte-|beschrijf|leg |vertel|опиши|объясни|расскаж|صف |اشرح|احك)|介绍一下|介紹一下|"
    r"解释|解釋|说明|說明|描述|説明|について教え|समझा|बारे में बता|वर्णन|설명",
    re.IGNORECASE,
)
_LAST_SENTENCE = re.compile(r"(?<![^.!?\n。！？])[^.!?\n。！？]*+[?？؟]?\Z")
QUESTION_MARKS = ("?", "？", "؟")
_EDGE_MARKS = " \t\r\n.!?,;:…。！？、，।؟\"'“”‘’„«»()[]*_~"


def words_of(text: str) -> list[str]:
    """Return the lower-cased words; in scripts without spaces every letter is one."""
    lowered = text.lower()
    if text.isascii():
        return (_ASCII_WORD if "'" in text else _ASCII_RUN).findall(lowered)
    return _pattern(lowered).findall(lowered)


def word_spans(text: str) -> list[tuple[str, int, int]]:
    """Return each word, lower-cased, with its place in the text as it stands."""
    found = _pattern(text).finditer(text)
    return [(match.group().lower(), match.start(), match.end()) for match in found]


def uses_letter_script(text: str) -> bool:
    """Tell whether the text holds a script in which letters are counted instead of words."""
    return not text.isascii() and _HAS_LETTER_SCRIPT.search(text) is not None


def syllable_count(text: str) -> int:
    """Return the number of Korean syllables, each of them worth a letter."""
    return 0 if text.isascii() else len(_HANGUL.findall(text))


def is_letter(word: str) -> bool:
    """Tell whether the word is a single letter of a script without spaces."""
    return len(word) == 1 and not word.isascii() and _HAS_LETTER_SCRIPT.match(word) is not None


def is_small_letter(word: str) -> bool:
    """Tell whether the word is a hiragana, of which Japanese makes its endings."""
    return "\u3041" <= word <= "\u3096"


def language_of(distinct: AbstractSet[str]) -> str | None:
    """Return the language with most small words in the text; `None` below two of them."""
    small = distinct & ALL_STOP_WORDS
    if len(small) < 2:
        return None
    english = len(small & STOP_WORDS["en"])
    if english == len(small):
        return "en"
    hits, language = max((len(small & words), name) for name, words in STOP_WORDS.items())
    if english == hits:
        language = "en"
    return language if hits >= 2 else None


def content_words(distinct: AbstractSet[str], language: str | None) -> set[str]:
    """Return the words that carry meaning; letters of scripts without spaces all do."""
    if language is None:
        return {word for word in distinct if len(word) >= 4 or is_letter(word)}
    return set(distinct - STOP_WORDS[language])


def is_closed(question: str) -> bool:
    """Tell whether a yes, a number or a name would answer the question."""
    tail = question.rstrip()[-600:]
    if not tail.endswith(QUESTION_MARKS) and not uses_letter_script(tail):
        return False
    last = _LAST_SENTENCE.search(tail)
    if last is None:
        return False
    return bool(_CLOSED_START.match(last.group()) or _CLOSED_ANYWHERE.search(last.group()))


def wants_explanation(question: str) -> bool:
    """Tell whether the question asks for more than a name, a number or a yes."""
    return _EXPLAIN.search(question[-600:]) is not None


def without_edge_marks(text: str) -> str:
    """Return the text without the punctuation around it."""
    return text.strip(_EDGE_MARKS)


def is_courtesy(text: str) -> bool:
    """Tell whether the text is a greeting, a thank-you or the like, whole by itself."""
    return len(text) < 40 and without_edge_marks(text).lower() in WHOLE_ANSWERS


def _pattern(text: str) -> re.Pattern[str]:
    if text.isascii():
        return _ASCII_WORD
    return _MARKED_WORD if _HAS_MARK.search(text) else _WORD
