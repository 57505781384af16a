"""How much a paragraph of a page says: a score with its parts, so that people see why.

It goes by what stands there and by no model: sentences, length, letters, little words, variety.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from datasets_app.corpus.cleaning import is_furniture
from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS

USUAL = 0.6  # from here on a paragraph is kept, unless somebody says otherwise
WEIGHTS = {"sentences": 0.35, "length": 0.2, "letters": 0.15, "little words": 0.15, "variety": 0.15}
ENOUGH_WORDS, ENOUGH_LETTERS = 8, 30
ENOUGH_LITTLE = 0.15  # share of the words that are little ones
LIKE_SENTENCE, LIKE_FACT = 0.6, 0.8  # of lines that end without a sign
FEWEST_LIKE = 5  # words of such a line
BLANK = re.compile(r"\n[ \t]*\n+")
HEADING = re.compile(
    r"\A(?:<a [^<>\n]{0,200}></a>\n)?(?:(#{1,6}) [^\n]{1,300}|\*\*[^*\n]{1,100}\*\*:?)\Z"
)
LOWEST = 7  # the level of a line in bold letters
FENCE = "```"
MARK = re.compile(r"\A\s{0,40}(?:[-*•] |[0-9]{1,3}[.)] |#{1,6} |> )")
ENDS = re.compile(r"[.!?…:;。！？।؟][\"”“»’)\]]{0,3}\Z")
PARTING = re.compile(r"\s[|\u203a\u00bb\u00b7\u2022/]\s")
FACT = re.compile(r"\A[^|]{2,60} \| [^|]{1,300}\Z")  # `Size | 12 cm`
SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


@dataclass(frozen=True, slots=True)
class Worth:
    """A paragraph and what it scores, from 0 to 1, with the parts of that."""

    text: str
    score: float
    parts: tuple[tuple[str, float], ...] = ()
    why: str = ""
    """What decides by itself, where something does."""

    @property
    def told(self) -> str:
        """Return the parts in words."""
        parts = ", ".join(f"{name} {value:.2f}" for name, value in self.parts)
        return self.why or parts

    def passes(self, least: float) -> bool:
        return self.score >= least


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text; code between fences is one."""
    held: list[str] = []
    for part in BLANK.split(text.strip("\n")):
        held.append(part)
        if sum(one.count(FENCE) for one in held) % 2 == 0:
            yield "\n\n".join(held)
            held = []
    if held:
        yield "\n\n".join(held)


def weighed(text: str) -> list[Worth]:
    """Return the paragraphs of a text with what they score.

    A heading is worth what the best paragraph below it is, up to the next one of its level.
    """
    found: list[Worth] = []
    best = [0.0] * (LOWEST + 1)  # below each level, from the end on
    for one in reversed([*paragraphs(text)]):
        heading = HEADING.match(one)
        level = len(heading[1] or " " * LOWEST) if heading else 0
        if heading:
            found.append(Worth(one, best[level], why="the heading of what is below"))
            best[level:] = [0.0] * (LOWEST + 1 - level)
        else:
            found.append(worth_of(one))
            best = [max(score, found[-1].score) for score in best]
    return found[::-1]


def worth_of(text: str) -> Worth:
    """Return what one paragraph scores."""
    if text.lstrip().startswith(FENCE):
        return Worth(text, 1.0, why="code")
    lines = [MARK.sub("", line).strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    if lines and all(map(is_furniture, lines)):
        return Worth(text, 0.0, why="a line of the page: cookies, newsletter, rights, buttons")
    if not lines:
        return Worth(text, 0.0, why="nothing is said")
    words = [word.casefold() for line in lines for word in re.findall(r"\w+", line)]
    said = "".join(lines)
    visible = [sign for sign in said if not sign.isspace()]
    letters = sum(sign.isalpha() for sign in visible)
    is_spaceless = len(SPACELESS.findall(said)) > letters / 2
    little = sum(word in ALL_STOP_WORDS for word in words) / max(1, len(words))
    enough = letters / ENOUGH_LETTERS if is_spaceless else len(words) / ENOUGH_WORDS
    values = {
        "sentences": _sentences(lines, is_spaceless=is_spaceless),
        "length": min(1.0, enough),
        "letters": min(1.0, letters / max(1, len(visible)) / 0.8),
        "little words": 1.0 if is_spaceless else min(1.0, little / ENOUGH_LITTLE),
        "variety": 1.0 if is_spaceless else _variety(words),
    }
    score = sum(WEIGHTS[name] * value for name, value in values.items())
    return Worth(text, round(score, 2), tuple(values.items()))


def _sentences(lines: list[str], *, is_spaceless: bool) -> float:
    """Return how much of the letters stands in sentences, or in lines that are like one."""
    whole = sum(map(len, lines))
    told = 0.0
    for line in lines:
        words = line.split()
        has_little = any(word.casefold() in ALL_STOP_WORDS for word in words)
        if FACT.match(line):
            told += LIKE_FACT * len(line)
        elif PARTING.search(line):
            continue
        elif ENDS.search(line):
            told += len(line)
        elif is_spaceless or (len(words) >= FEWEST_LIKE and has_little):
            told += LIKE_SENTENCE * len(line)
    return told / max(1, whole)


def _variety(words: list[str]) -> float:
    return min(1.0, len(set(words)) / max(1, len(words)) / 0.5)
