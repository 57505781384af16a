"""Questions about what a heading names, in the languages that are known."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.corpus.pairs.grammar import (
    PREPOSITIONS,
    asked,
    flipped,
    is_self_contained,
    small_first,
)
from datasets_app.corpus.pairs.page import SIGNS, Page

LONGEST, MOST_WORDS = 90, 12
ABOUT = {
    "de": "Was sollte ich über „{}“ wissen?",
    "es": "¿Qué debo saber sobre «{}»?",
    "fr": "Que faut-il savoir sur « {} » ?",
    "it": "Che cosa devo sapere su «{}»?",
    "nl": "Wat moet ik weten over “{}”?",
    "pt": "O que devo saber sobre “{}”?",
    "ru": "Что нужно знать о «{}»?",
    "uk": "Що потрібно знати про «{}»?",
    "zh": "关于“{}”，需要了解什么？",
    "ja": "「{}」について教えてください。",
    "ko": "“{}”에 대해 알려 주세요.",
    "ar": "ماذا يجب أن أعرف عن «{}»؟",
    "hi": "“{}” के बारे में क्या जानना चाहिए?",
}
LISTED = {
    "de": "Welche Punkte gehören zu „{}“?",
    "es": "¿Qué puntos incluye «{}»?",
    "fr": "Quels points comprend « {} » ?",
    "it": "Quali punti comprende «{}»?",
    "nl": "Welke punten horen bij “{}”?",
    "pt": "Quais pontos “{}” inclui?",
    "ru": "Какие пункты входят в «{}»?",
    "uk": "Які пункти входять до «{}»?",
    "zh": "“{}”包括哪些内容？",
    "ja": "「{}」には何が含まれますか？",
    "ko": "“{}”에는 무엇이 포함되나요?",
    "ar": "ما النقاط التي يشملها «{}»؟",
    "hi": "“{}” में कौन-से बिंदु शामिल हैं?",
}
GENERIC = frozenset(
    "introduction overview about background summary purpose general scope abstract notes note "
    "basics description details info information context motivation rationale usage conclusion "
    "examples example faq resources references contents credits history other misc links "
    "specification prerequisites requirements".split()
) | {"getting started", "more information", "key points", "the basics", "table of contents"}
USELESS = frozenset(
    "copyright references contents links resources acknowledgements acknowledgments changelog "
    "license footnotes bibliography index credits faq examples example todo".split()
) | {"table of contents", "see also", "further reading", "external links"}
INVERTED = frozenset("is are was were do does did can should must will has have may".split())
WH = frozenset("what who when where why how which".split())
ORDERS = frozenset(
    "get build create add make find submit join write send update prepare learn choose attend "
    "apply install configure define edit delete remove manage enable disable verify avoid maintain "
    "develop become ensure improve define identify understand recruit obtain enroll register "
    "deploy retrieve connect convert customize generate import export select".split()
)
ORDERS_TOO = frozenset(
    "use set ask request check complete review schedule share report work run start contact book "
    "plan know keep give take access log sign change open close test document help hire pay call "
    "record return order cancel claim design".split()
)
OBJECTS = frozenset("the a an your up in for to with on out about off new".split())
CASES = frozenset(("if", "before", "after", "when"))
VERBS_TO = {"how to": "How do I", "when to": "When should I", "where to": "Where can I"} | {
    "what to": "What should I",
    "who to": "Who should I",
    "why to": "Why should I",
}


def topic_of(page: Page, words: str) -> str | None:
    """Return a heading as it stands inside a sentence; None where it names nothing."""
    words = words.strip(" .:-–—*_#").removeprefix("Chapter ")
    first = words.split(" ")[0].strip(".)")
    if first.replace(".", "").isdigit() and " " in words:
        words = words.split(" ", 1)[1]
    is_fit = 2 < len(words) <= LONGEST and len(words.split()) <= MOST_WORDS
    if not is_fit or SIGNS.intersection(words) or "://" in words or words.lower() in USELESS:
        return None
    if not any(sign.isalpha() for sign in words) or "(" in words or "::" in words:
        return None
    return lowered(page, words) if page.language == "en" else words


def lowered(page: Page, words: str) -> str:
    """Return a title as it would stand in a sentence: only names keep their capital letters."""
    said = words.split()
    if said[0].istitle() and said[0].endswith("ing"):
        said[0] = said[0].lower()
    return " ".join(small_first(page, word) for word in said)


def about(page: Page, heading: str, path: Sequence[str]) -> str | None:
    """Return a question about what a heading names; None where it names nothing.

    `path` are the headings above it, or the title of the whole; the last says what it is about.
    """
    topic = topic_of(page, heading)
    if page.language != "en":
        form = ABOUT.get(page.language)
        return form.format(topic) if topic and form else None
    low = heading.lower().strip(" .:*")
    wider = path[-1] if path else ""
    above = topic_of(page, wider) if not wider.rstrip().endswith("?") else None
    above = above if above and is_self_contained(above.split()) else None
    if low in GENERIC:
        return f"What should I know about {above}?" if above and above not in GENERIC else None
    return _asked(topic, above) if topic else None


def _asked(topic: str, above: str | None) -> str | None:
    words = topic.split()
    low = [word.lower() for word in words]
    if not is_self_contained(words) or words[-1][-1] in "!?" or low[0] in PREPOSITIONS - CASES:
        return None
    if low[0] in WH and len(low) > 2 and " ".join(low[:2]) not in VERBS_TO:
        is_asked = low[1] in INVERTED or low[0] == "who"
        return asked(topic) if is_asked else f"Can you tell me {flipped(topic)}?"
    start, said = _start(words, low)
    is_narrow = above and not {word.lower() for word in above.split()} & set(low)
    if start == KNOW and above and is_narrow and len(words) <= 2 and len(above.split()) <= 6:
        return asked(start, said, f"when it comes to {flipped(above)}")
    return asked(start, said)


KNOW = "What should I know about"


def _start(words: list[str], low: list[str]) -> tuple[str, list[str]]:
    """Return how one asks about a heading, and the words of it that are then left."""
    if start := VERBS_TO.get(" ".join(low[:2])):
        return start, words[2:]
    if low[0] in CASES:
        return "What should I do", words
    is_order = low[0] in ORDERS or (low[0] in ORDERS_TOO and low[1:2] and low[1] in OBJECTS)
    return ("How do I" if is_order and len(low) > 1 else KNOW), words


def listed(page: Page, heading: str) -> str | None:
    """Return a question for the points below a heading, in the page's language."""
    topic, form = topic_of(page, heading), LISTED.get(page.language)
    return form.format(topic) if topic and form else None
