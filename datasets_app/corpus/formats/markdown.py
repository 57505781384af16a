"""Markdown: headings, fenced code and front matter."""

from __future__ import annotations

import re

from datasets_app.corpus.chunks.headings import markdown_headings
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format, Prose, Reader
from datasets_app.corpus.readers import passages

# Blanks inside a line only: one that crossed lines would be tried at each of them.
MARKS = re.compile(r"(?m)^(?:#{1,6} \S|```|~~~|[ \t]*+[-*] \[[^\]\r\n]{1,500}\]\(|\|[ \t]*+:?-{3})")


def tell(head: TextHead) -> str | None:
    """Say why a text is Markdown; a name of another kind of text outweighs its marks."""
    if head.ending in FORMAT.endings:
        return "its name decides between kinds of text"
    if head.ending not in {"txt", "rst"} and len(MARKS.findall(head.text)) >= 2:
        return "it has headings and marks of Markdown"
    return None


FORMAT = Format(
    kind="md",
    name="Markdown",
    endings=("md", "markdown"),
    reader=Reader("markdown", 3, passages.read_markdown),
    prose=Prose(markdown_headings),
    of_text=tell,
)
