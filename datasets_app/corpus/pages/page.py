"""A page as its readers see it: sections under their headings, and answered questions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from datasets_app.corpus.pages.blocks import Block, blocks_of, under_questions, written
from datasets_app.corpus.pages.linked import stated_answers
from datasets_app.corpus.pages.tree import Tree, decoded, pieces

NO_WORD = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Section:
    """Text below a heading, in Markdown; before the first heading there is none."""

    heading: str
    level: int
    text: str

    @property
    def whole(self) -> str:
        """Return the text with its heading above it."""
        title = f"{'#' * self.level} {self.heading}" if self.heading else ""
        return "\n\n".join(filter(None, (title, self.text)))


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that the page answers, and the heading above both."""

    question: str
    answer: str
    heading: str = ""


@dataclass(slots=True)
class Page:
    """What is on a page, in its order. `left_out` counts menus, banners, scripts and the like.

    `needs_script` says that nothing shows before a script has run.
    """

    title: str
    items: list[Section | Answered] = field(default_factory=list)
    left_out: int = 0
    needs_script: bool = False

    @property
    def text(self) -> str:
        """Return all of its text in Markdown."""
        return "\n\n".join(
            one.whole if isinstance(one, Section) else f"{one.question}\n\n{one.answer}"
            for one in self.items
        )


def page_of(source: bytes | str) -> Page:
    """Return the text of a page in HTML, without its navigation, banners, scripts and styles.

    It never fails, whatever the source is; call it where memory and time are limited.
    """
    page, blocks = Page(""), list[Block]()
    stated: list[tuple[str, str]] = []
    has_script = False
    for piece in pieces(decoded(source) if isinstance(source, bytes) else source):
        tree = Tree(piece)
        page.title = page.title or tree.title
        stated += stated_answers(tree.parser)
        has_script = has_script or tree.parser.css_first("script") is not None
        if tree.root is not None:
            found, left_out = blocks_of(tree.root, tree)
            blocks += found
            page.left_out += left_out
    blocks = under_questions(blocks)
    page.items = [*_stated(stated, blocks), *_items(_without_copies(blocks, stated))]
    page.needs_script = has_script and not page.items
    return page


def _plain(text: str) -> str:
    return NO_WORD.sub(" ", text).strip().casefold()


def _stated(stated: list[tuple[str, str]], blocks: list[Block]) -> list[Answered]:
    """Return the stated answers that do not stand in the text itself, where they are complete."""
    seen = {_plain(block.text) for block in blocks if block.sort == "answered"}
    found = []
    for asked, answer in stated:
        if _plain(asked) not in seen:
            seen.add(_plain(asked))
            found.append(Answered(asked, answer))
    return found


def _without_copies(blocks: list[Block], stated: list[tuple[str, str]]) -> list[Block]:
    """Return blocks without the text that a stated answer said, too."""
    said = " ".join(_plain(f"{asked} {answer}") for asked, answer in stated)
    if not said:
        return blocks
    return [one for one in blocks if one.sort == "answered" or _plain(one.text) not in said]


def _items(blocks: list[Block]) -> list[Section | Answered]:
    """Group blocks by their headings."""
    items: list[Section | Answered] = []
    heading, level, held = "", 0, list[Block]()

    def end() -> None:
        if held:
            items.append(Section(heading, level, written(held)))
            held.clear()

    for block in blocks:
        if block.sort == "heading" and block.level in range(1, 7):
            end()
            heading, level = block.text, block.level
        elif block.sort == "answered":
            end()
            items.append(Answered(block.text, block.answer, heading))
        else:
            held.append(block)
    end()
    return items
