"""Lists after a line that ends with a colon."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from datasets_app.corpus.pairs.grammar import (
    BE,
    MODALS,
    asked,
    clause,
    flipped,
    is_self_contained,
    small_first,
    subject_of,
    without_lead,
)
from datasets_app.corpus.pairs.page import Block, Page, plain
from datasets_app.corpus.pairs.pattern import Found, Pattern
from datasets_app.corpus.pairs.told import is_navigation
from datasets_app.corpus.pairs.topics import listed, topic_of

LEAST_POINTS, MOST = 2, 1200
COLONS = (":", "：")
NO_NOUN = frozenset("steps step is are example examples code command commands".split())


def find(page: Page) -> Iterator[Found]:
    """Yield a question for each list that a line with a colon leads to."""
    for block, following in zip(page.blocks, page.blocks[1:], strict=False):
        is_list = following.kind == "list" and len(following.items) >= LEAST_POINTS
        if not is_list or block.kind != "paragraph" or is_navigation(page, following):
            continue
        start = _lead(page, block)
        if start is None or following.end - start > MOST or following.start - block.end > 3:
            continue
        lead = plain(page.text[start : block.end]).rstrip(":： ")
        question = _english(page, lead) if page.language == "en" else None
        if page.language != "en" and block.path:
            question = listed(page, block.path[-1])
        if question:
            yield Found(question, start, following.end)


def _lead(page: Page, block: Block) -> int | None:
    """Return where the sentence with the colon begins."""
    if not page.text[block.start : block.end].rstrip("*_ ").endswith(COLONS):
        return None
    if page.language != "en":
        return block.start
    found = page.sentences(block)
    return found[-1].start if found and found[-1].text.endswith(":") else None


def _english(page: Page, lead: str) -> str | None:
    words = without_lead(lead).split()
    low = [word.lower() for word in words]
    if len(words) < 2:
        return None
    if low[0] == "to" and low[1].isalpha():
        comma = next((at for at, word in enumerate(words) if word.endswith(",")), len(words) - 1)
        doing = [*words[1:comma], words[comma].rstrip(",")]
        return asked("How do I", doing) if is_self_contained(doing) else None
    return _following(page, words, low) or _includes(page, words, low) or _modal(words, low)


def _following(page: Page, words: list[str], low: list[str]) -> str | None:
    """Ask which, of “the following X are Y” and “there are three X”."""
    if low[:2] == ["the", "following"]:
        verb = next((n for n, word in enumerate(low) if n > 2 and word in BE | MODALS.keys()), 0)
        noun, rest = words[2:verb], words[verb:]
        is_clear = noun and noun[-1].lower() not in NO_NOUN and len(rest) > 1
        is_clear = is_clear and is_self_contained([*noun, *rest])
        return asked(f"Which {' '.join(noun)}", rest) if is_clear else None
    if low[:2] == ["there", "are"]:
        noun = clause(words[3:]) if low[2] in _COUNTS else clause(words[2:])
        is_clear = 1 <= len(noun) <= 10 and is_self_contained(noun) and low[-1] not in NO_NOUN
        return asked(f"Which {flipped(' '.join(noun))} are there") if is_clear else None
    return None


_COUNTS = frozenset(
    "two three four five six seven eight nine ten several many some various".split()
)


def _includes(page: Page, words: list[str], low: list[str]) -> str | None:
    at = next((n for n, word in enumerate(low) if word in {"include", "includes", "are"}), 0)
    if not at or at > 9 or low[at + 1 :] not in ([], ["the", "following"], ["as", "follows"]):
        return None
    subject = subject_of(page, words[:at])
    if subject is None:
        return None
    if low[at] == "are":
        return asked(f"What are {subject}") or f"What are {subject}?"
    return f"What {'does' if low[at] == 'includes' else 'do'} {subject} include?"


def _modal(words: list[str], low: list[str]) -> str | None:
    """Ask what one should do, of “you should … the following X”."""
    at = next((n for n, pair in enumerate(itertools.pairwise(low)) if pair == _THIS), 0)
    if low[0] != "you" or not at or low[1] not in MODALS:
        return None
    noun, doing = clause(words[at + 2 :]), words[2:at]
    is_clear = 1 <= len(noun) <= 5 and 1 <= len(doing) <= 5 and noun[-1].lower() not in NO_NOUN
    if not is_clear or not is_self_contained([*noun, *doing]):
        return None
    return asked(f"Which {flipped(' '.join(noun))} {MODALS[low[1]]} I", doing)


_THIS = ("the", "following")

PATTERN = Pattern(
    name="lists",
    label="Lists",
    sentence="A list after a line that ends with a colon: asks which, or how.",
    example=(
        "The following people are covered:\n\n- employees\n- their children",
        "Which people are covered?",
    ),
    find=find,
    languages=frozenset(),
)
__all__ = ["PATTERN", "small_first", "topic_of"]
