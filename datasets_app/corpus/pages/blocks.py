"""The text of a page as a list of blocks: headings, paragraphs, list items, rows, code, answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datasets_app.corpus.pages.tree import Tree, elements, letters_in, value, words_of
from datasets_app.corpus.parsing.tables import ANSWERS, QUESTIONS, plain

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

BREAKING = frozenset(
    """address article aside blockquote body center dd details div dl dt fieldset figcaption figure
    header hgroup hr li main ol p section table tbody td tfoot th thead tr ul summary caption
    legend""".split()
)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
QUESTION_ENDS = ("?", "\uff1f", "\u061f", "\u055e", "\u037e")
BEHIND_QUESTIONS = (
    " \u00b6#+\u2212\u2013-\u00bb\u203a\u25bc\u25be\u25b8\u25b6\u2304)]\"'\u201d\u2019"
)
LONGEST_ANSWER = 8_000  # characters; what is longer below a question is an article
LINK_LIST = 3  # items of a list of nothing but links
OF_DEFINITIONS = 0.5  # of a list of definitions, so many have to ask before it is one of answers


@dataclass(slots=True)
class Block:
    """One piece of a page. `sort` says what it is; of an `answered` one the text is a question."""

    sort: str
    text: str
    level: int = 0
    answer: str = ""


def asks(text: str) -> bool:
    """Say whether a line is a question."""
    return text.rstrip(BEHIND_QUESTIONS).endswith(QUESTION_ENDS)


def bare_question(text: str) -> str:
    """Return a question without the marks that pages put behind it."""
    bare = text.rstrip(BEHIND_QUESTIONS)
    return bare if bare.endswith(QUESTION_ENDS) else text


def written(blocks: Iterable[Block]) -> str:
    """Return blocks as text: like ones in lines, others behind a blank line."""
    parts: list[str] = []
    before = ""
    for block in blocks:
        if parts:
            parts.append("\n" if block.sort == before and before in {"item", "row"} else "\n\n")
        parts.append(_line(block))
        before = block.sort
    return "".join(parts)


def _line(block: Block) -> str:
    if block.sort == "heading" and block.level <= max(HEADINGS.values()):
        return f"{'#' * block.level} {block.text}"
    return f"{block.text}\n\n{block.answer}" if block.sort == "answered" else block.text


@dataclass(slots=True)
class _Writer:
    """Collects the text of one branch while its elements pass by."""

    blocks: list[Block] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    sort: str = "text"
    level: int = 0
    mark: str = ""
    bold: int = 0
    """How many open elements make what is inside them bold."""
    plain_letters: int = 0
    lists: list[int] = field(default_factory=list)
    """Of each open list the number of its next item, 0 where they have none."""
    left_out: int = 0

    def text(self, text: str) -> None:
        self.pieces.append(text.replace("\n", " "))
        if not self.bold and not text.isspace():
            self.plain_letters += len(text)

    def end(self) -> None:
        """End the block that is open."""
        lines = (" ".join(line.split()) for line in "".join(self.pieces).split("\n"))
        text = "\n".join(line for line in lines if line)
        if text:
            is_title = self.sort == "text" and not self.plain_letters and asks(text)
            if self.sort == "heading":
                text = " ".join(text.split()).rstrip(" \u00b6#")
            if text:
                level = self.level or (7 if is_title else 0)
                sort = "heading" if is_title else self.sort
                self.blocks.append(Block(sort, f"{self.mark}{text}", level))
        if self.mark and not text:
            return  # the words of an item may stand in a paragraph of their own
        self.pieces.clear()
        self.sort, self.level, self.mark, self.plain_letters = "text", 0, "", 0

    def begin_item(self) -> None:
        self.end()
        number = self.lists[-1] if self.lists else 0
        if number:
            self.lists[-1] += 1
        indent = "  " * max(0, len(self.lists) - 1)
        self.sort, self.mark = "item", f"{indent}{number}. " if number else f"{indent}- "


def blocks_of(root: LexborNode, tree: Tree, *, has_answers: bool = True) -> tuple[list[Block], int]:
    """Return the blocks of a branch, and how many pieces of furniture were left out.

    With `has_answers` whatever is folded below a question becomes an answered block.
    """
    writer = _Writer()
    todo: list[tuple[LexborNode, bool]] = [(child, False) for child in elements(root)][::-1]
    while todo:
        node, is_over = todo.pop()
        if is_over:
            _leave(node, writer)
        elif node.is_text_node:
            writer.text(node.text_content or "")
        elif node.is_element_node and not _pass_over(node, tree, writer):
            if _is_whole(node, tree, writer, has_answers=has_answers):
                continue
            _enter(node, writer)
            todo.append((node, True))
            todo.extend([(child, False) for child in elements(node)][::-1])
    writer.end()
    return writer.blocks, writer.left_out


def _pass_over(node: LexborNode, tree: Tree, writer: _Writer) -> bool:
    is_asked = node.tag == "button" and asks(words_of(node))
    if (tree.is_furniture(node) and not is_asked) or _is_link_list(node):
        writer.left_out += 1
        return True
    return False


def _is_link_list(node: LexborNode) -> bool:
    """Say whether a list leads elsewhere and says nothing itself."""
    if node.tag not in {"ul", "ol"}:
        return False
    items = [item for item in elements(node) if item.tag == "li"]
    if len(items) < LINK_LIST:
        return False
    return sum(map(letters_in, node.css("a"))) >= letters_in(node) > 0


def _enter(node: LexborNode, writer: _Writer) -> None:
    tag = node.tag or ""
    if tag in HEADINGS or (tag == "button" and not "".join(writer.pieces).strip()):
        writer.end()
        writer.sort, writer.level = "heading", HEADINGS.get(tag, 6)
    elif tag == "li":
        writer.begin_item()
    elif tag in BREAKING:
        if writer.sort != "heading":  # a block inside a heading is part of it
            writer.end()
        if tag in {"ul", "ol"}:
            writer.lists.append(1 if tag == "ol" else 0)
    elif tag == "br":
        writer.pieces.append("\n")
    elif tag in {"b", "strong"}:
        writer.bold += 1


def _leave(node: LexborNode, writer: _Writer) -> None:
    tag = node.tag or ""
    if tag in HEADINGS or tag == "button":
        writer.end()
    elif tag in BREAKING:
        if writer.sort != "heading":
            writer.end()
        if tag == "li":
            writer.mark, writer.sort = "", "text"
        if tag in {"ul", "ol"} and writer.lists:
            writer.lists.pop()
    elif tag in {"b", "strong"}:
        writer.bold = max(0, writer.bold - 1)


def _is_whole(node: LexborNode, tree: Tree, writer: _Writer, *, has_answers: bool) -> bool:
    """Write an element that is read as a whole; say whether it was one."""
    tag = node.tag
    if tag == "pre":
        writer.end()
        code = node.text(deep=True).strip("\r\n").rstrip()
        if code:
            writer.blocks.append(Block("code", f"```\n{code}\n```"))
        return True
    if tag == "table" and (rows := _rows(node)):
        writer.end()
        writer.blocks.extend(_table(rows, has_answers=has_answers))
        return True
    if tag == "details":
        return _unfold(node, tree, writer, has_answers=has_answers)
    if tag == "dl":
        return _define(node, tree, writer, has_answers=has_answers)
    return False


def _rows(table: LexborNode) -> list[list[str]]:
    """Return the cells of a table of data; none of one that only puts a page into columns."""
    if table.css_first("table table, h1, h2, h3, h4, ul, pre, form") is not None:
        return []
    rows = [[words_of(cell) for cell in elements(row) if cell.tag in {"td", "th"}]
            for row in table.css("tr")]  # fmt: skip
    rows = [row for row in rows if any(row)]
    return rows if any(len(row) > 1 for row in rows) else []


def _table(rows: list[list[str]], *, has_answers: bool) -> list[Block]:
    names = [plain(cell) for cell in rows[0]]
    question = next((n for n, name in enumerate(names) if name in QUESTIONS), None)
    answer = next((n for n, name in enumerate(names) if name in ANSWERS), None)
    if not has_answers or question is None or answer is None or question == answer:
        return [Block("row", " | ".join(row)) for row in rows]
    last = max(question, answer)
    return [
        Block("answered", row[question], answer=row[answer])
        if len(row) > last and row[question] and row[answer]
        else Block("row", " | ".join(row))
        for row in rows[1:]
    ]


def _unfold(node: LexborNode, tree: Tree, writer: _Writer, *, has_answers: bool) -> bool:
    """Write what is folded below a summary: an answer, or else a section of its own."""
    inner = [*elements(node)]
    summary = next((child for child in inner if child.tag == "summary"), None)
    title = words_of(summary) if summary is not None else ""
    if not title or not has_answers:
        return False
    blocks, left_out = blocks_of(node, tree, has_answers=False)
    writer.end()
    writer.left_out += left_out
    body = written(_without_first(blocks, title))
    if body:
        writer.blocks.append(Block("answered", bare_question(title), answer=body))
    return True


def _without_first(blocks: list[Block], title: str) -> list[Block]:
    """Return blocks without those at their beginning that make up a title."""
    left = "".join(title.split())
    for number, block in enumerate(blocks):
        said = "".join(block.text.split())
        if not left.startswith(said):
            return blocks[number:]
        left = left[len(said) :]
        if not left:
            return blocks[number + 1 :]
    return []


def _define(node: LexborNode, tree: Tree, writer: _Writer, *, has_answers: bool) -> bool:
    """Write a list of definitions, or of questions with their answers."""
    parts: list[tuple[str, str]] = []
    for child in _terms(node):
        if child.tag == "dt":
            parts.append((words_of(child), ""))
        elif parts:
            blocks, left_out = blocks_of(child, tree, has_answers=False)
            writer.left_out += left_out
            term, before = parts[-1]
            parts[-1] = (term, "\n\n".join(filter(None, (before, written(blocks)))))
    told = [(term, text) for term, text in parts if term or text]
    if not told:
        return False
    writer.end()
    named = f"{value(node, 'class')} {value(node, 'id')}".casefold()
    is_asked = sum(asks(term) for term, _ in told) >= OF_DEFINITIONS * len(told) or "faq" in named
    for term, text in told:
        if has_answers and is_asked and term and text:
            writer.blocks.append(Block("answered", bare_question(term), answer=text))
        else:
            line = f"{term}: {text}" if term and text else term or text
            writer.blocks.append(Block("item", f"- {line}"))
    return True


def _terms(node: LexborNode) -> Iterable[LexborNode]:
    for child in elements(node):
        if child.tag in {"dt", "dd"}:
            yield child
        elif child.tag == "div":
            yield from (inner for inner in elements(child) if inner.tag in {"dt", "dd"})


def under_questions(blocks: list[Block]) -> list[Block]:
    """Return blocks with each heading that asks, and what stands below it, as one answered block.

    A heading with questions, or with a whole article, below it is none itself.
    """
    found: list[Block] = []
    at = 0
    while at < len(blocks):
        block = blocks[at]
        is_question = block.sort == "heading" and asks(block.text)
        end = _end_of_section(blocks, at) if is_question else at
        below = blocks[at + 1 : end]
        is_over = any(_is_asked(one) for one in below)
        answer = "" if is_over else written(below)
        if answer and len(answer) <= LONGEST_ANSWER:
            found.append(Block("answered", bare_question(block.text), answer=answer))
            at = end
        else:
            found.append(block)
            at += 1
    return found


def _is_asked(block: Block) -> bool:
    return block.sort == "answered" or (block.sort == "heading" and asks(block.text))


def _end_of_section(blocks: list[Block], start: int) -> int:
    level = blocks[start].level
    for number in range(start + 1, len(blocks)):
        if blocks[number].sort == "heading" and blocks[number].level <= level:
            return number
    return len(blocks)
