"""Where a conversation came from: the file, the place in it, and the bytes themselves."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from datasets_app.models import Conversation
from datasets_app.models.blob import blob_path

SHOWN_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Source:
    """The record of a conversation in its source file."""

    file_id: UUID
    file_name: str
    start: int
    end: int
    excerpt: str
    is_cut: bool
    place: str = ""


def source_of(row: Conversation) -> Source | None:
    """Return the source of a row that came from a file, with the beginning of its bytes.

    Of a document the place says where it stands; its bytes mean nothing to a person.
    """
    file = row.source_file
    if file is None or file.blob_id is None or row.start is None or row.end is None:
        return None
    if row.place:
        return Source(
            file.pk, file.name, row.start, row.end, excerpt="", is_cut=False, place=row.place
        )
    with blob_path(file.blob_id).open("rb") as stored:
        stored.seek(row.start)
        found = stored.read(min(row.end - row.start, SHOWN_BYTES))
    return Source(
        file_id=file.pk,
        file_name=file.name,
        start=row.start,
        end=row.end,
        excerpt=found.decode(file.encoding or "utf-8", errors="replace"),
        is_cut=row.end - row.start > SHOWN_BYTES,
    )
