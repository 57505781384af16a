"""reStructuredText, read as plain text."""

from __future__ import annotations

import re

from datasets_app.corpus.chunks.headings import rst_headings
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format, Prose, Reader
from datasets_app.corpus.readers import passages

MARKS = re.compile(
    r"(?m)^(?:\.\. [\w-]++::|(?:={4,}+|-{4,}+|~{4,}+|\^{4,}+)[ \t]*+$|:[A-Z][\w-]++: )"
)


def tell(head: TextHead) -> str | None:
    """Say why a text is reStructuredText."""
    if head.ending in FORMAT.endings:
        return "its name decides between kinds of text"
    if head.ending != "txt" and len(MARKS.findall(head.text)) >= 2:
        return "it has headings and marks of reStructuredText"
    return None


FORMAT = Format(
    kind="rst",
    name="reStructuredText",
    endings=("rst",),
    reader=Reader("passages", 3, passages.read),
    prose=Prose(rst_headings),
    of_text=tell,
)
