"""Headings with the first paragraph below them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from datasets_app.corpus.pairs.page import Block, Page
from datasets_app.corpus.pairs.pattern import Found, Pattern
from datasets_app.corpus.pairs.topics import about, topic_of

LEAST, MOST = 60, 900  # characters of a paragraph that says something, and that can be learnt


def find(page: Page) -> Iterator[Found]:
    """Yield a question for each heading that a paragraph stands below."""
    for block, following in zip(page.blocks, page.blocks[1:], strict=False):
        if block.kind != "heading" or following.kind != "paragraph":
            continue
        words = page.plain(block)
        path = block.path or ((page.title,) if block.level > 1 else ())
        question = about(page, words, path) if not words.endswith(("?", "？")) else None
        place = _paragraph(page, following)
        if question and place:
            yield Found(question, *place)


def _paragraph(page: Page, block: Block) -> tuple[int, int] | None:
    """Return the place of its whole sentences, as far as they fit."""
    found = page.sentences(block)
    if not found or found[0].start > block.start + 3 or found[0].text.endswith("?"):
        return None
    start, end = found[0].start, found[0].end
    for before, one in itertools.pairwise(found):
        if one.end - start > MOST or one.start - before.end > 3 or one.text.endswith(":"):
            break
        end = one.end
    said = page.text[start:end].lower()
    is_lead = start == found[-1].start and ("following" in said or "below" in said)
    if said.rstrip("*_").endswith(":") or end - start < LEAST or is_lead:
        return None
    return start, end


PATTERN = Pattern(
    name="headings",
    label="Headings",
    sentence="A heading, with the first paragraph below it.",
    example=(
        "# Sick leave\n\nCall your manager before nine. A note from a doctor is needed on day 4.",
        "What should I know about sick leave?",
    ),
    find=find,
    languages=frozenset(),
)
__all__ = ["PATTERN", "topic_of"]
