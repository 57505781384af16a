"""Passages that become conversations: a question in a person's own words, the passage below."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

from datasets_app.corpus.cleaning import SWITCHES
from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER, CorpusError, Turn
from datasets_app.corpus.parsing.templates import Template
from datasets_app.corpus.readers.job import LONGEST
from datasets_app.corpus.readers.worth import weighed
from datasets_app.corpus.source import Gap, Item, Problem, Record
from datasets_app.corpus.source import Mapping as Chosen

PLACES = (
    *("title", "heading", "topic", "text", "file"),
    *("filename", "source", "content_type", "category"),
)
PHRASINGS = (
    "What should I know about {{topic}}?",
    "Can you tell me something about {{topic}}?",
    "Please explain: {{topic}}",
    "{{topic}}?",
    "How does it work with {{topic}}?",
    "I have a question about {{topic}}.",
    "What do you say about {{topic}}?",
    "Could you help me with {{topic}}?",
    "Tell me about {{topic}}.",
    "Where can I read about {{topic}}?",
    "I would like to know more about {{topic}}.",
    "What is important about {{topic}}?",
    "What applies to {{topic}}?",
    "What is written about {{topic}}[[ in {{title}}]]?",
    "Give me an overview of {{topic}}.",
)
MOST = 200
MOST_TOLD, SHOWN = 20, 120  # paragraphs of a passage that are told of, and letters of each
LEAST_LONG = 200  # characters that the longest passage may have at least
MOST_TOPICS = 2_000
SINGLE = re.compile(rf"(?<!\{{)\{{({'|'.join(PLACES)})\}}(?!\}})")
HEADING = re.compile(r"#{1,6} ([^\n]{1,300})(?:\n|\Z)")
MARK = re.compile(r"^(?:#{1,6} |[ ]{0,40}(?:[-*] |[0-9]{1,4}\. )|```[^\n]{0,40}$)", re.MULTILINE)
BLANKS = re.compile(r"\n{3,}")


TOO_LITTLE = "too_little"


@dataclass(frozen=True, slots=True)
class File:
    """Where passages stand: the name of the file, and what it is in words."""

    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Passages:
    """How passages are told: a question of one of these `prompts`, chosen by chance from `seed`.

    Without prompts they stay passages. `is_plain` takes the marks of headings and lists away.
    `source` and `category` are what a person calls where the texts come from and what they are;
    `topics` are other words for topics that were found. What has fewer than `shortest` characters
    is left out and listed, what has more than `longest` is divided.
    """

    prompts: tuple[str, ...] = ()
    seed: int = 1
    is_plain: bool = False
    least: float | None = None
    """What a paragraph has to score to be kept (`worth`); all are, where it is None."""
    trims: bool = False
    """Takes away the title where the text repeats it, blanks, and lines about cookies and such."""
    shortest: int = 0
    longest: int = LONGEST
    source: str = ""
    category: str = ""
    topics: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not LEAST_LONG <= self.longest <= LONGEST:
            raise CorpusError(f"The longest passage has {LEAST_LONG} to {LONGEST:,} characters.")
        if not 0 <= self.shortest <= self.longest:
            raise CorpusError("The shortest passage cannot be longer than the longest.")
        if len(self.topics) > MOST_TOPICS:
            raise CorpusError(f"At most {MOST_TOPICS:,} topics can be called otherwise.")
        if self.least is not None and not 0 <= self.least <= 1:
            raise CorpusError("A paragraph scores between 0 and 1.")
        if len(self.prompts) > MOST:
            raise CorpusError(f"At most {MOST} phrasings, please.")
        for number, prompt in enumerate(self.prompts, 1):
            try:
                _template(prompt)
            except CorpusError as error:
                raise CorpusError(f"Line {number}: {error}") from error

    def as_json(self) -> dict[str, Any]:
        told = {"prompts": list(self.prompts), "seed": self.seed, "is_plain": self.is_plain}
        return told | {
            name: dict(value) if name == "topics" else value
            for name, usual in USUALLY.items()
            if (value := getattr(self, name)) != usual
        }

    @classmethod
    def of(cls, chosen: Chosen | None) -> Passages | None:
        """Return what a mapping says of passages, if anything."""
        stored = chosen.passages if chosen else None
        return cls(**{**stored, "prompts": tuple(stored["prompts"])}) if stored else None

    def told(self, items: Generator[Item], file: File) -> Generator[Item]:
        """Yield items with passages as this says; the same file always gives the same."""
        with closing(items):
            for item in items:
                if isinstance(item, Record) and item.conversation.is_passage:
                    yield from self._kept(item, file)
                else:
                    yield item

    def _kept(self, record: Record, file: File) -> Iterator[Item]:
        """Yield a passage without the paragraphs that say too little, and first why each goes."""
        if self.least is None:
            yield from self._long_enough(record, file)
            return
        found = weighed(record.turns[0].text)
        kept = [one for one in found if one.passes(self.least)]
        for place, one in enumerate(one for one in found if one not in kept):
            if place < MOST_TOLD:
                why = f"A paragraph scores {one.score:.2f} and was left out ({one.told})."
                span = (record.start, record.start, 1, 1)
                yield Problem(*span, "says_little", why, one.text[:SHOWN], record.place)
        if kept:
            text = "\n\n".join(one.text for one in kept)
            kept_record = dataclasses.replace(record, turns=(Turn(PASSAGE, text),))
            yield from self._long_enough(kept_record, file)
        else:
            yield Gap(record.start, record.end)

    def _long_enough(self, record: Record, file: File) -> Iterator[Item]:
        """Yield a passage as it is told; of one that is too short, that it was left out."""
        told = self._told(record, file)
        size = len(told.turns[-1].text.strip())
        if size >= self.shortest:
            yield told
            return
        why = f"This text has {size:,} of at least {self.shortest:,} characters and was left out."
        shown = record.turns[0].text.strip()[:SHOWN]
        yield Problem(record.start, record.end, 1, 1, TOO_LITTLE, why, shown, record.place)

    def _told(self, record: Record, file: File) -> Record:
        cells = self.cells(record, file)
        below = cells["text"]
        asked = self._asked(cells, f"{self.seed} {file.name} {record.start}")
        if not asked or not below.strip():
            text = self._written(self._trimmed(record.turns[0].text, ()))
            return dataclasses.replace(record, turns=(Turn(PASSAGE, text),))
        turns = (Turn(USER, asked), Turn(ASSISTANT, self._written(below)))
        return dataclasses.replace(record, turns=turns)

    def cells(self, record: Record, file: File) -> dict[str, str]:
        """Return what stands for each of PLACES in a passage."""
        text = record.turns[0].text
        found = HEADING.match(text)
        heading = found[1].strip() if found else _said(record.meta.get("heading"))
        below = (text[found.end() :] if found else text).strip("\n")
        title = _said(record.meta.get("title"))
        words = name_in_words(file.name)
        topic = heading or title or words
        return {
            "title": title,
            "heading": heading,
            "topic": self.topics.get(topic, topic),
            "text": self._trimmed(below, (heading, title)),
            "file": file.name,
            "filename": words,
            "source": self.source or file.name,
            "content_type": file.kind,
            "category": self.category,
        }

    def _trimmed(self, text: str, titles: tuple[str, ...]) -> str:
        if not self.trims:
            return text
        told = SWITCHES["spaces"].clean(SWITCHES["furniture"].clean(text))
        first, _, rest = told.partition("\n")
        bare = first.strip("#*_ ").casefold()
        return rest.strip("\n") if bare and bare in map(str.casefold, titles) else told

    def _asked(self, cells: Mapping[str, str], chance: str) -> str:
        """Return the first phrasing, by chance, of which no place stays empty."""
        order = list(self.prompts)
        Random(chance).shuffle(order)  # noqa: S311 - to be repeated, not to be secret
        return next((told for one in order if (told := _template(one).filled(cells))), "")

    def _written(self, text: str) -> str:
        return BLANKS.sub("\n\n", MARK.sub("", text)).strip("\n") if self.is_plain else text


USUALLY: dict[str, Any] = {
    "least": None,
    "trims": False,
    "shortest": 0,
    "longest": LONGEST,
    "source": "",
    "category": "",
    "topics": {},
}
"""What is not stored where it is so."""


@lru_cache(maxsize=2 * MOST)
def _template(prompt: str) -> Template:
    """Return a phrasing; places may stand in single braces, as other programs write them."""
    return Template.of(SINGLE.sub(r"{{\1}}", prompt), PLACES)


def _said(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def name_in_words(name: str) -> str:
    """Return the name of a file as people would say it."""
    last = name.rstrip("/#").rsplit("/", 1)[-1].split("?")[0].rsplit(".", 1)[0]
    return " ".join(re.split(r"[_\-+]|%20", last)).strip()
