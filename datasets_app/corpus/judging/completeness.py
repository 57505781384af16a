"""Completeness: does the answer end, is it long enough, and is what was asked for in it?"""

from __future__ import annotations

import re

from datasets_app.corpus.judging.material import Material, Part, worst
from datasets_app.corpus.judging.passages import sentence_spans
from datasets_app.corpus.rules.numbers import measure
from datasets_app.corpus.rules.truncated import RULE as TRUNCATED
from datasets_app.corpus.rules.words import is_closed, word_spans

CUT, HALF, LOOSE = 1.0, 2.0, 6.5
SHORT_WORDS = 5  # of an answer to an open question
_ENDS = tuple(".!?。！？…:;|`*>)]\"'”’»।")
_OPEN = re.compile(
    r"\A\W*(?:how (?!many|much|long|old|far|often)|why|explain|describe)", re.IGNORECASE
)
_ASKS = (
    (
        re.compile(r"\A(?:\w+ ){0,2}(?:when|what (?:year|date|time)|which year)\b", re.IGNORECASE),
        "a date or time",
    ),
    (
        re.compile(r"\A(?:\w+ ){0,2}how (?:many|much|old|long|far|often)\b", re.IGNORECASE),
        "a number",
    ),
    (re.compile(r"\A(?:\w+ )?(?:who|whose|whom)\b", re.IGNORECASE), "a name"),
)
_TIME = re.compile(
    r"\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\b(?:january|february|march|april|may|june|"
    r"july|august|september|october|november|december|today|tomorrow|yesterday|week|month|year|"
    r"century|day|hour|noon|midnight|morning|evening|night|after|before|during|until|once|when|"
    r"always|never|annually|daily|monthly)",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|"
    r"thousand|million|billion|no|none|all|both|some|many|several|few|half|most|every|a|free|"
    r"twice|once|always|never|daily|weekly|monthly|hours?|days?|weeks?|months?|years?)\b",
    re.IGNORECASE,
)

_AUXILIARIES = frozenset(
    "is are was were has had have will can could may and or who which that".split()
)
_LEADING = frozenset("the a an of in on at to by for with from and or that which their its".split())
_SIZES = frozenset("million billion thousand hundred percent per".split())


def completeness(material: Material) -> Part:
    """Return whether the answer is whole, for what was asked."""
    found = [*_cut(material), *_half(material), *_not_what_was_asked(material), *_short(material)]
    return worst(found, Part(10.0, "The answer ends, and says what was asked for."))


def _cut(material: Material) -> list[Part]:
    """Object to an answer that stops in the middle by itself."""
    text = material.answer.strip()
    if material.span is not None and _is_over(material.source.text[material.span[1] :][:80]):
        return []
    limits = {name: one.default for name, one in TRUNCATED.thresholds.items()}
    limits |= {"words": 4, "prepositions": 1}
    verdict = TRUNCATED.of_answer(measure(text), limits) if TRUNCATED.of_answer else None
    told = f"The answer stops in the middle: {verdict.note}." if verdict else ""
    for opening, closing in (("(", ")"), ("[", "]"), ("“", "”")):
        if text.count(opening) > text.count(closing):
            told = f"The answer opens “{opening}” and does not close it."
    if not told:
        return []
    return [Part(CUT, told, ["The answer stops in the middle."], ["Write the answer to its end."])]


def _half(material: Material) -> list[Part]:
    """Object to an answer that ends where the text goes on with the same thought."""
    text = material.answer.strip()
    if text.endswith(_ENDS) or material.span is None:
        return _without_end(material) if not text.endswith(_ENDS) else []
    source = material.source.text
    start, end = material.span
    rest = source[end : end + 80]
    begins = any(first == start for first, _ in sentence_spans(source))
    following = word_spans(rest)
    if not following or _is_over(rest):
        return []
    word, first, last = following[0]
    told = rest[first:last]
    words = word_spans(text)
    if begins and len(words) >= 3 and word not in _AUXILIARIES:
        return [_stopped(told)]
    is_joined = not rest[:first].strip(" ")  # nothing but a space between them
    previous = text[words[-1][1] :] if words else ""
    goes_on = previous[:1].isupper() and told[:1].isupper()
    goes_on |= previous[:1].isdigit() and (told[:1].isdigit() or word in _SIZES)
    if is_joined and (goes_on or words[-1][0] in _LEADING):
        return [_stopped(told)]
    return [Part(LOOSE, _going_on(told))] if is_joined and len(words) >= 4 else []


def _is_over(rest: str) -> bool:
    return rest.lstrip(" ")[:1] in {".", "!", "?", "。", "\n", ";", ":", "", "”", '"', ")"}


def _going_on(word: str) -> str:
    return f"In the source the sentence goes on with “{word}” where the answer ends."


def _stopped(word: str) -> Part:
    return Part(
        HALF, _going_on(word), ["The answer is only half of what the source says."],
        ["Take the whole sentence of the source."],
    )  # fmt: skip


def _without_end(material: Material) -> list[Part]:
    """Object to several sentences, or a long one in other words, without a mark at the end."""
    spans = sentence_spans(material.answer)
    words = len(word_spans(material.answer))
    if len(spans) > 1 or (words >= 8 and material.answer[:1].isupper()):
        told = "The last sentence of the answer has no end."
        return [Part(HALF, told, [told], ["Write the answer to its end."])]
    return []


def _not_what_was_asked(material: Material) -> list[Part]:
    question = material.question
    for pattern, wanted in _ASKS:
        if pattern.search(question) is None:
            continue
        has_it = {
            "a date or time": _TIME.search(material.answer) is not None,
            "a number": _AMOUNT.search(material.answer) is not None,
            "a name": any(one.isupper() for one in material.answer) or " " in material.answer,
        }[wanted]
        if not has_it:
            told = f"The question asks for {wanted}, and the answer has none."
            return [Part(4.0, told, [told], [f"Answer with {wanted}."])]
    return []


def _short(material: Material) -> list[Part]:
    words = len(word_spans(material.answer))
    if is_closed(material.question) or not _OPEN.search(material.question):
        return []
    if words >= SHORT_WORDS:
        return []
    told = f"The question is an open one, and the answer has {words} word{'s' * (words != 1)}."
    return [Part(6.5, told, [], ["Explain it in a sentence."])]
