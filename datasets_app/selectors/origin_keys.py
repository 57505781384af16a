"""Where a row comes from: one key per record of a file, the same at every reading."""

from __future__ import annotations

import hashlib

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from datasets_app.corpus.formats.registry import reader_of
from datasets_app.models import Conversation, Origin, SourceFile

REPLACED = "replaced "


def inner_path(file: SourceFile) -> tuple[str, ...]:
    """Return the names that lead from the upload to the file; the upload's own is left out."""
    names: list[str] = []
    while file.parent is not None:
        names.append(file.name)
        file = file.parent
    return tuple(reversed(names))


def origin_base(file: SourceFile) -> bytes:
    """Return what the keys of all records of one file begin with."""
    parts = (
        str(file.blob_id),
        *inner_path(file),
        reader_of(file.kind).label,
        file.chosen_encoding,
        file.mapping_sha256,
    )
    return hashlib.sha256("\0".join(parts).encode()).digest()


def origin_key(base: bytes, start: int, end: int) -> str:
    """Return the key of the record that the file's bytes `[start, end)` gave."""
    return hashlib.sha256(base + b"%d-%d" % (start, end)).hexdigest()


def current_rows(file: SourceFile) -> QuerySet[Conversation]:
    """Return the rows that the newest reading of the file gave; pairs made of it are no reading."""
    read = file.conversations.exclude(origin=Origin.DOCUMENT)
    rows: QuerySet[Conversation] = read.exclude(origin_key__startswith=REPLACED)
    return rows


def replaced_key() -> Concat:
    """Return the key of a row that a version holds although its file was read anew.

    Its old key is free again, should the file be read once more as it was then.
    """
    return Concat(Value(REPLACED), Cast("pk", CharField()))
