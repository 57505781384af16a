"""Headings with the first paragraph below them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from datasets_app.corpus.pairs.page import Block, Page
from datasets_app.corpus.pairs.pattern import Found, Pattern
from datasets_app.corpus.pairs.told import is_navigation
from datasets_app.corpus.pairs.topics import about, topic_of

LEAST, MOST = 60, 900  # characters of a paragraph that says something, and that can be learnt


def find(page: Page) -> Iterator[Found]:
    """Yield a question for each heading that a paragraph stands below."""
    for block, following in zip(page.blocks, page.blocks[1:], strict=False):
        if block.kind != "heading" or following.kind not in {"paragraph", "list"}:
            continue
        words = page.plain(block)
        path = block.path or ((page.title,) if block.level > 1 else ())
        question = about(page, words, path) if not words.endswith(("?", "？")) else None
        place = _below(page, following)
        if question and place:
            yield Found(question, *place)


def _below(page: Page, block: Block) -> tuple[int, int] | None:
    """Return the place of a paragraph, with a list that it leads to, or of a list of sentences."""
    if block.kind == "list":
        is_told = len(page.sentences(block)) >= len(block.items) > 1
        return (block.start, block.end) if is_told and block.end - block.start <= MOST else None
    if page.text[block.start : block.end].rstrip("*_ ").endswith((":", "：")):
        at = page.blocks.index(block) + 1
        after = page.blocks[at] if at < len(page.blocks) else None
        is_whole = after is not None and after.kind == "list" and len(after.items) > 1
        if not is_whole or after is None or after.end - block.start > MOST:
            return None
        return None if is_navigation(page, after) else (block.start, after.end)
    return _paragraph(page, block)


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
    sentence="A heading, with the first paragraph or list below it.",
    example=(
        "# Sick leave\n\nCall your manager before nine. A note from a doctor is needed on day 4.",
        "What should I know about sick leave?",
    ),
    find=find,
    languages=frozenset(),
)
__all__ = ["PATTERN", "topic_of"]
