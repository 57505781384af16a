"""Documents on the spot, and what comes out of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.readers.reading import Asked, read_document
from datasets_app.corpus.source import Item, PartTally, Problem, Record


@dataclass
class ReadDocument:
    """The items of a document, which were seen to tile its text, and the count of its parts."""

    items: list[Item]
    tally: PartTally

    @property
    def records(self) -> list[Record]:
        return [item for item in self.items if isinstance(item, Record)]

    @property
    def talks(self) -> list[list[tuple[str, str]]]:
        return [[(turn.role, turn.text) for turn in record.turns] for record in self.records]

    @property
    def text(self) -> str:
        return "\n\n".join(record.turns[0].text for record in self.records)

    @property
    def codes(self) -> list[str]:
        return [item.code for item in self.items if isinstance(item, Problem)]


@pytest.fixture
def read_doc(tmp_path):
    """Return a function that reads a document, or one section of it."""

    def read_bytes(data: bytes, name: str = "a.docx", kind: str = "", **asked) -> ReadDocument:
        path = tmp_path / "blob"
        path.write_bytes(data)
        found = kind or identify(path, name).kind
        tally, items, at = PartTally(), [], 0
        for item in read_document(path, found, Asked(name=name, **asked), tally):
            assert item.start == at
            at = item.end
            items.append(item)
        return ReadDocument(items, tally)

    return read_bytes
