"""Questions that stand in the text, with the paragraph after them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.corpus.pairs.page import Block, Page
from datasets_app.corpus.pairs.pattern import Found, Pattern
from datasets_app.corpus.roles import ROLE_OF, canonical

LABEL = re.compile(r"(?:Q(?:uestion)?|Frage|Pregunta|\d{1,3})\s{0,2}[.:)]\s{0,3}", re.IGNORECASE)
REPLY = re.compile(r"\s{0,4}(?:\*\*)?(?:A|Answer|Antwort|Respuesta)\s{0,2}[.:)](?:\*\*)?\s{1,4}")
# Who speaks, before what is said; a topic before a colon looks the same, unless both have one.
SPEAKER = re.compile(
    r"\s{0,4}(?:\*\*|[\[<])?(?P<name>[^\W\d_][\w .'’-]{0,38})"
    r"(?:[\]>]\s?[:：]?|\*\*\s?[:：]|[:：](?:\*\*)?)\s{1,4}"
)
ENDS = ("?", "？", "؟")
MOST_WORDS, LONGEST, LONGEST_ANSWER = 30, 200, 900


def find(page: Page) -> Iterator[Found]:
    """Yield each line that asks something, with what stands below it."""
    for block, following in zip(page.blocks, page.blocks[1:], strict=False):
        question = _question(page, block)
        if question is None:
            continue
        answer = _answer(page, block, following)
        if answer:
            said, start = _without_speakers(question, page.text, answer[0])
            yield Found(said, start, answer[1])


def _without_speakers(question: str, text: str, start: int) -> tuple[str, int]:
    """Return the question, and where its answer begins, without labels for who speaks."""
    asks, answers = SPEAKER.match(question), SPEAKER.match(text, start)
    are_two = bool(asks and answers and asks["name"] != answers["name"])
    if asks and (are_two or canonical(asks["name"]) in ROLE_OF):
        question = question[asks.end() :]
    if answers and (are_two or canonical(answers["name"]) in ROLE_OF):
        start = answers.end()
    return question, start


def _question(page: Page, block: Block) -> str | None:
    if block.kind not in {"heading", "paragraph"} or block.end - block.start > LONGEST * 2:
        return None
    words = LABEL.sub("", page.plain(block), count=1) if block.kind != "list" else ""
    is_one = words.endswith(ENDS) and not any(mark in words[:-1] for mark in (". ", "? ", "! "))
    is_short = 4 < len(words) <= LONGEST and len(words.split()) <= MOST_WORDS
    is_talk = words.count(" ") > 1 or not words.isascii()
    return words if is_one and is_short and is_talk else None


def _answer(page: Page, block: Block, following: Block) -> tuple[int, int] | None:
    """Return the place of the paragraphs or the list below a question, as far as they fit."""
    at = page.blocks.index(following)
    if following.kind not in {"paragraph", "list"}:
        return None
    start, end = following.start, following.end
    if reply := REPLY.match(page.text, start):
        start = reply.end()
    for more in page.blocks[at + 1 :]:
        is_more = more.kind in {"paragraph", "list"} and more.end - start <= LONGEST_ANSWER
        if not is_more or _question(page, more) or block.kind != "heading":
            break
        end = more.end
    if page.text[start:end].rstrip().endswith(ENDS) or end - start > 2 * LONGEST_ANSWER:
        return None
    return start, end


PATTERN = Pattern(
    name="questions",
    label="Questions in the text",
    sentence="A line that ends with a question mark, with what stands below it.",
    example=("Who may apply?\n\nEverybody may apply in May.", "Who may apply?"),
    find=find,
    languages=frozenset(),
)
