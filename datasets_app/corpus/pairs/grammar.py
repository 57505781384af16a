"""Small words of English: what a subject may be, and how a sentence becomes a question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from datasets_app.corpus.pairs.page import Page

MOST_SUBJECT_WORDS = 8
MOST_QUESTION_WORDS = 20
BE = frozenset("is are was were".split())
MODALS = {
    **{word: word for word in "can could may might must should will would".split()},
    "cannot": "can",
    "can't": "can",
    "can’t": "can",
    "won't": "will",
    "won’t": "will",
    "shouldn't": "should",
    "mustn't": "must",
}
DANGLING = frozenset(  # they mean something that stands elsewhere
    "it its it's it’s this these those that they them their theirs there here he him his she her "
    "hers we our ours us i me my one ones another others other such both former latter following "
    "above below previous next same each which who whom whose what when where why how if while "
    "because since although though unless until whether as than so then however also either "
    "neither nor but or not no none let's let’s more most many some few all everything anything "
    "something nothing only first second third last final again now today example note instance "
    "doing being having based using step steps once".split()
)
PREPOSITIONS = frozenset(
    "of in on at to for from with by about into over under between within without during before "
    "after through per via across against among around behind near upon except including like "
    "unlike despite toward towards".split()
)
VERBS_INSIDE = frozenset(  # a subject with one of these is a clause
    "is are was were be been being am has have had do does did can could may might must should "
    "will would need needs get gets got go goes make makes made see want wants ensure cannot "
    "please sure include includes including means mean call called".split()
)
DETERMINERS = frozenset("the a an your any every our".split())
TAKES_ME = PREPOSITIONS | frozenset(
    "give gives given tell tells let lets allow allows allowing help helps helping ask asks "
    "require requires want wants enable enables enabling offer offers send sends contact notify "
    "remind contacts notifies lead leads guide guides assist assists permit permits see pay pays "
    "invite invites sending giving telling show shows provide provides cause causes make "
    "makes reach keep keeps walk protect refer".split()
)
FLIPS = {
    "your": "my",
    "yours": "mine",
    "yourself": "myself",
    "you're": "I'm",
    "you’re": "I’m",
    "you've": "I've",
    "you’ve": "I’ve",
    "you'll": "I'll",
    "you’ll": "I’ll",
    "you'd": "I'd",
}
VERBS_OF_YOU = {"are": "am", "were": "was", "aren't": "am not", "aren’t": "am not"}
CUTS = frozenset("because since unless but although though while whereas which so".split())
FILLERS = frozenset(
    "also then thus therefore still generally typically usually always simply just never not "
    "often normally please ultimately only instead even".split()
)
LEADS = re.compile(
    r"(?:note(?: that)?|additionally|also|however|in addition|furthermore|moreover|finally|"
    r"therefore|thankfully|of course|typically|generally|by default|currently|for example|"
    r"likewise|in general|as a reminder|important|tip|please note(?: that)?)[:,]? ",
    re.IGNORECASE,
)
PERSONS = re.compile(
    r"\b(?:person|people|king|queen|president|director|manager|officer|employee|member|singer|"
    r"writer|author|physicist|mathematician|politician|engineer|scientist|leader|emperor|actor|"
    r"actress|poet|painter|composer|philosopher|general|bishop|player|explorer|nobleman)s?\b"
)


def without_lead(text: str) -> str:
    """Return a sentence without words that only tie it to the one before."""
    found = LEADS.match(text)
    return text[found.end() :] if found else text


def subject_of(page: Page, words: Sequence[str]) -> str | None:
    """Return words as the subject of a question, or None where they do not name a thing."""
    low = [word.lower().strip("\"“”'’") for word in words]
    if not 0 < len(words) <= MOST_SUBJECT_WORDS:
        return None
    if any(sign in word for word in words for sign in ",;:!?()[]…–—") or not words[0][:1].isalnum():
        return None
    is_bad = DANGLING.intersection(low) or VERBS_INSIDE.intersection(low)
    if is_bad or low[0] in PREPOSITIONS or low[-1] in PREPOSITIONS | DETERMINERS | {"and"}:
        return None
    if low[0].endswith("ly") or (low[0].endswith("ing") and len(words) == 1) or "you" in low:
        return None
    if low == ["the"] or low[0] in {"and", "to"} or (len(words) == 1 and len(words[0]) < 2):
        return None
    return flipped(small_first(page, " ".join(words)))


def small_first(page: Page, text: str) -> str:
    """Return a text as it stands inside a sentence: names keep their capital letter."""
    first, space, rest = text.partition(" ")
    bare = first.strip("\"“”'’(,.:").lower()
    own = bare.split("’")[0].split("'")[0]
    is_name = not first.istitle() or (bare not in DETERMINERS and own in page.names)
    return text if is_name else f"{first.lower()}{space}{rest}"


def flipped(text: str) -> str:
    """Return what is said to a reader as the reader would say it: you → I or me, your → my."""
    words, made = text.split(), list[str]()
    for number, word in enumerate(words):
        low = word.lower()
        core = low.rstrip(",.;:)")
        tail = word[len(core) :] if low.startswith(core) else ""
        before = words[number - 1].lower() if number else ""
        if core in FLIPS:
            made.append(FLIPS[core] + tail)
        elif core == "you":
            is_last = number == len(words) - 1 or bool(tail)
            me = (before in TAKES_ME or is_last) and number > 0
            made.append(("me" if me else "I") + tail)
        elif before == "you" and made[-1] == "I" and low in VERBS_OF_YOU:
            made.append(VERBS_OF_YOU[low])
        else:
            made.append(word)
    return " ".join(made)


def clause(words: Sequence[str]) -> list[str]:
    """Return the words up to where another clause begins, without a mark at the end."""
    taken: list[str] = []
    for word in words:
        if taken and (word.lower() in CUTS or word.startswith(("(", "–", "—", "-"))):
            break
        taken.append(word)
        if word.endswith((",", ";", ":", ".", "!", "?", "—")):
            break
    while taken and taken[-1].lower() in {"and", "or", "that", "if", "when", "even"}:
        taken.pop()
    if taken:
        taken[-1] = taken[-1].rstrip(",;:.!?—")
    while taken and taken[0].lower() in FILLERS:
        taken.pop(0)
    return taken


def is_self_contained(words: Sequence[str]) -> bool:
    """Tell whether a question of these words means the same to somebody without the text."""
    low = {word.lower().strip("\"“”'’,()") for word in words}
    return not low & POINTING


def is_vague(words: Sequence[str]) -> bool:
    """Tell whether the words are what people say of anything: “if you have any questions”."""
    return {word.lower().strip(",.") for word in words} <= VAGUE


VAGUE = frozenset(
    "if you i have any questions question issues issue problems problem help more information need "
    "further details assistance concerns additional to like want know learn for about the a or and "
    "are your needed with support is am interested unsure not sure when other feedback".split()
)
OPEN_ENDS = frozenset(
    "the a an and or of to with from by about into than as at that if your my not be".split()
)
POINTING = frozenset(
    "this these those it its it's it’s they them their he she his her him we our us above below "
    "following here there such i'm let's example i’d".split()
)


def asked(start: str, words: Sequence[str] = (), end: str = "") -> str | None:
    """Return a question put together, or None where it would be no question of a person."""
    text = " ".join(part for part in (start, flipped(" ".join(words)), end) if part).strip()
    count = len(text.split())
    is_open = text.split()[-1].lower() in OPEN_ENDS or "..." in text or "…" in text
    if is_open or not 4 <= count <= MOST_QUESTION_WORDS or text.count("(") != text.count(")"):
        return None
    if text.count('"') % 2 or text.count("“") != text.count("”"):
        return None
    return f"{text[:1].upper()}{text[1:]}?"
