"""Files on the spot, and what the readers make of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from datasets_app.corpus.detection.kinds import Identified, identify
from datasets_app.corpus.readers.reading import read
from datasets_app.corpus.source import ByteTally, Gap, Item, Joined, Problem, Record


@dataclasses.dataclass
class Reading:
    """A file's kind and all its items, which were seen to tile it."""

    identified: Identified
    items: list[Item]
    tally: ByteTally

    @property
    def records(self) -> list[Record]:
        return [item for item in self.items if isinstance(item, Record)]

    @property
    def problems(self) -> list[Problem]:
        return [item for item in self.items if isinstance(item, Problem)]

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems]

    @property
    def talks(self) -> list[list[tuple[str, str]]]:
        return [[(turn.role, turn.text) for turn in record.turns] for record in self.records]


def read_file(
    path: Path, name: str, identified: Identified | None = None, encoding: str = "", **choices
) -> Reading:
    """Read a file and check that its ranges tile it."""
    found = identified or identify(path, name, encoding=encoding)
    at, tally = 0, ByteTally()
    items: list[Item] = []
    for item in read(path, found, name=name, **choices):
        assert item.start == at
        assert item.end >= item.start
        assert isinstance(item, Problem) or item.end > item.start
        assert isinstance(item, Record | Problem | Gap | Joined)
        at = item.end
        tally.add(item)
        items.append(item)
    assert at == path.stat().st_size == tally.total
    return Reading(found, items, tally)


@pytest.fixture
def load(tmp_path):
    """Return a function that writes bytes under a name and reads them."""

    def load_bytes(data: bytes | str, name: str = "file", **choices) -> Reading:
        path = tmp_path / "blob"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return read_file(path, name, **choices)

    return load_bytes


@pytest.fixture
def kind_of(tmp_path):
    """Return a function that writes bytes and names their kind."""

    def identify_bytes(data: bytes | str, name: str = "file") -> Identified:
        path = tmp_path / "blob"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return identify(path, name)

    return identify_bytes
