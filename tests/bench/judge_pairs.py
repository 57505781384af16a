"""Pairs of a question and an answer with what is wrong with them, made from public texts.

Right pairs are those of the data itself; a wrong one is a right one with one thing changed. Half of
the changed numbers and names come from the same text, so that they stand there, only elsewhere.
Every pair names the document that it came from: whoever fits something to them splits by that.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from datasets_app.sample.conversations import generate

KINDS = ("wrong number", "wrong name", "unsupported", "half answer")
RIGHT, PLAUSIBLE = "right", "plausible"
NUMBER = re.compile(r"(?<![\w.,$€£-])\d{1,4}(?:[.,]\d{1,3})?(?![\w.,]*\d)")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,}){0,2}\b")
SENTENCE = re.compile(r"[^.!?\n]+[.!?]+(?=\s|\Z)")
VAGUE = {"introduction", "overview", "background", "notes", "resources", "summary"}
HEADING = re.compile(r"^#{2,4} (.{3,80})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A pair with the text it was made from, and what is wrong with it."""

    question: str
    answer: str
    chunk: str
    kind: str
    source: str
    document: str

    @property
    def is_held_back(self) -> bool:
        """Whether it is one of the half that nothing was fitted to."""
        return random.Random(self.document).random() < 0.5  # noqa: S311 - always the same


def pairs_of(data: Path | None, most: int) -> list[Labelled]:
    """Return about so many right pairs of each source, and those made of them.

    Without the public texts there is only the bundled sample.
    """
    sources: dict[str, Callable[[], Iterator[Labelled]]] = {"sample": _sample}
    if data is not None:
        sources = {
            "squad2-dev": lambda: _squad(data / "squad2-dev/dev-v2.0.json"),
            "18f-handbook": lambda: _pages(data / "18f-handbook", "18f-handbook"),
            "laravel-docs": lambda: _pages(data / "laravel-docs", "laravel-docs"),
            "dstc9-faq": lambda: _faq(data / "dstc9-faq/knowledge.json"),
        }
    found: list[Labelled] = []
    for name, read in sources.items():
        dice = random.Random(name)  # noqa: S311 - the same pairs each time
        there = list(read())
        right = [one for one in there if one.kind == RIGHT]
        dice.shuffle(right)
        right.sort(key=lambda one: NUMBER.search(one.answer) is None)  # numbers are rare
        numbered = sum(NUMBER.search(one.answer) is not None for one in right)
        right = [*right[: min(numbered, most // 2)], *right[numbered:]][:most]
        others = [one for one in there if one.kind != RIGHT]
        found += right + dice.sample(others, min(most, len(others)))
        for pair in right:
            found += _spoiled(pair, right, dice)
    return found


def _spoiled(
    pair: Labelled, all_of_them: Sequence[Labelled], dice: random.Random
) -> list[Labelled]:
    """Return the pair with one thing made wrong, in each way that its answer allows."""
    made = {
        "wrong number": _other_match(NUMBER, pair, all_of_them, dice),
        "wrong name": _other_match(NAME, pair, all_of_them, dice),
        "unsupported": _unsupported(pair, all_of_them, dice),
        "half answer": _half(pair.answer),
    }
    return [
        Labelled(pair.question, text, pair.chunk, kind, pair.source, pair.document)
        for kind, text in made.items()
        if text and text != pair.answer
    ]


def _other_match(
    pattern: re.Pattern[str], pair: Labelled, others: Sequence[Labelled], dice: random.Random
) -> str:
    """Return the answer with a number or name replaced by another, half the time of the chunk."""
    is_short = len(pair.answer.split()) <= 5  # else a capital at the front says nothing
    told = f"of {pair.answer}" if is_short or pattern is NUMBER else f"   {pair.answer}"
    found = [one for one in pattern.finditer(told) if one.start() >= 3]
    if not found:
        return ""
    match = dice.choice(found)
    if any(match.group() in one for one in [pair.question]):
        return ""  # the question names it: another answer would be another question's
    here = sorted(set(pattern.findall(pair.chunk)) - set(pattern.findall(f"of {pair.answer}")))
    here = [one for one in here if one not in pair.answer and one not in pair.question]
    if here and dice.random() < 0.5:
        other = dice.choice(here)
    else:
        elsewhere = [
            name
            for one in dice.sample(others, min(30, len(others)))
            for name in pattern.findall(one.chunk)
        ]
        elsewhere = [one for one in elsewhere if one not in pair.chunk]
        if not elsewhere:
            return ""
        other = dice.choice(elsewhere)
    start = match.start() - 3
    return pair.answer[:start] + other + pair.answer[start + len(match.group()) :]


def _unsupported(pair: Labelled, others: Sequence[Labelled], dice: random.Random) -> str:
    """Return an answer from another document: alone, or behind the first words of the right one."""
    strangers = [one for one in others if one.document != pair.document]
    if not strangers:
        return ""
    other = dice.choice(strangers).answer
    return other if dice.random() < 0.5 else f"{pair.answer.rstrip('.')}. {other}"


def _half(answer: str) -> str:
    """Return the first half of an answer's words; of a short one, or a sentence each, nothing."""
    words = answer.split(" ")
    kept = " ".join(words[: (len(words) + 1) // 2])
    if len(words) < 4 or kept.rstrip()[-1:] in ".!?":
        return ""
    return kept


def _squad(path: Path) -> Iterator[Labelled]:
    """Yield questions with the span, or in turn with its sentence; and plausible answers."""
    articles = json.loads(path.read_text("utf-8"))["data"]
    for article in articles:
        for number, paragraph in enumerate(article["paragraphs"]):
            chunk = paragraph["context"]
            for place, asked in enumerate(islice(paragraph["qas"], 4)):
                question = asked["question"].strip()
                is_right = not asked["is_impossible"]
                spans = asked["answers"] if is_right else asked.get("plausible_answers", [])
                if not spans:
                    continue
                start, text = spans[0]["answer_start"], spans[0]["text"]
                if (number + place) % 2:
                    text = _sentence_around(chunk, start) or text
                kind = RIGHT if is_right else PLAUSIBLE
                yield Labelled(question, text, chunk, kind, "squad2-dev", article["title"])


def _sentence_around(chunk: str, start: int) -> str:
    for found in SENTENCE.finditer(chunk):
        if found.start() <= start < found.end():
            return found.group().strip()
    return ""


def _pages(folder: Path, source: str) -> Iterator[Labelled]:
    """Yield a question about each heading with the first sentences that stand under it."""
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text("utf-8", "replace")
        marks = list(HEADING.finditer(text))
        for number, mark in enumerate(marks):
            end = marks[number + 1].start() if number + 1 < len(marks) else len(text)
            body = text[mark.end() : end].strip()
            first = " ".join(body.split("\n\n")[0].split())
            said = [
                one for one in re.split(r"(?<=[.!?]) (?=[A-Z])", first) if one[-1:] in set(".!?")
            ]
            answer = " ".join(said[: 1 + number % 2])
            heading = mark[1].strip(" #*`")
            if len(answer.split()) < 6 or set("`{<%") & set(f"{heading}{answer[:40]}{answer[-9:]}"):
                continue
            if heading.lower() in VAGUE:
                continue
            asked = heading if heading.endswith("?") else f"What is said about {heading.lower()}?"
            chunk = text[max(0, mark.start() - 200) : min(len(text), mark.start() + 1_000)]
            if said[-1] in " ".join(chunk.split()):
                yield Labelled(asked, answer, chunk, RIGHT, source, path.name)


def _faq(path: Path) -> Iterator[Labelled]:
    """Yield questions of a place; the chunk is what eight answers of the place say."""
    for domain, places in json.loads(path.read_text("utf-8")).items():
        for key, place in places.items():
            docs = list(place["docs"].values())
            name = place["name"] or domain
            yield from _of_faq(
                [(one["title"], one["body"]) for one in docs], name, f"{domain}{key}"
            )


def _of_faq(told: Sequence[tuple[str, str]], name: str, document: str) -> Iterator[Labelled]:
    for start in range(0, len(told), 8):
        some = told[start : start + 8]
        chunk = f"# {name}\n\n" + "\n\n".join(f"{asked}\n{said}" for asked, said in some)
        for asked, said in some:
            yield Labelled(asked, said, chunk, RIGHT, "dstc9-faq", document)


def _sample() -> Iterator[Labelled]:
    told: dict[str, str] = {}
    for one in generate(7, 600):
        turns = one.conversation.turns
        if len(turns) >= 2 and turns[0].role == "user" and one.planted is None:
            told.setdefault(turns[0].text, turns[1].text)
    pairs = list(told.items())
    for start in range(0, len(pairs) - 8, 8):
        yield from _of_faq(pairs[start : start + 8], "The shop", f"sample {start}")
