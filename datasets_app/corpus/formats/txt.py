"""Plain text: what nothing else claims."""

from __future__ import annotations

from datasets_app.corpus.chunks.headings import no_headings
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format, Prose, Reader
from datasets_app.corpus.readers import passages


def tell(_: TextHead) -> str:
    """Say why a text is plain text: no other format was told before."""
    return "it is plain text"


FORMAT = Format(
    kind="txt",
    name="plain text",
    endings=("txt",),
    reader=Reader("passages", 3, passages.read),
    prose=Prose(no_headings),
    of_text=tell,
)
