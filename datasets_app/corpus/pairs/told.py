"""The sentences of a page, ready for the patterns to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datasets_app.corpus.pairs.grammar import without_lead
from datasets_app.corpus.pairs.page import Block, Page, Sentence, plain
from datasets_app.corpus.pairs.pattern import Found


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence with its words, without what only ties it to the one before."""

    sentence: Sentence
    words: list[str]
    low: list[str]
    block: Block


def told(page: Page) -> Iterator[Told]:
    """Yield each sentence that states something."""
    for block in page.blocks:
        if block.kind not in {"paragraph", "list"}:
            continue
        for sentence in page.sentences(block):
            if sentence.text[-1:] in "?:" or not 4 <= sentence.text.count(" ") < 70:
                continue
            if sentence.text[0].islower():
                continue  # a part of one
            words = without_lead(sentence.text).split()
            yield Told(sentence, words, [word.lower().strip(".,;:") for word in words], block)


def by_sentence(ask: Callable[[Page, Told], str | None]) -> Callable[[Page], Iterator[Found]]:
    """Return the `find` of a pattern that looks at one sentence at a time."""

    def find(page: Page) -> Iterator[Found]:
        for one in told(page):
            question = ask(page, one)
            if question:
                yield Found(question, one.sentence.start, one.sentence.end)

    return find


def is_navigation(page: Page, block: Block) -> bool:
    """Tell whether the points are links or code and nothing else."""
    said = [page.text[start:end].strip() for start, end in block.items]
    only = [one for one in said if one.startswith(("[", "`", "<", "{")) and " " not in plain(one)]
    linked = [one for one in said if one.startswith("[") and one.rstrip(".").endswith(")")]
    return 2 * max(len(only), len(linked)) > len(said) or any("{%" in one for one in said)
