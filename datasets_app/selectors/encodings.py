"""In which encodings a file can be read, with the lines that each would give."""

from __future__ import annotations

from typing import Any

from datasets_app.corpus.detection import known
from datasets_app.corpus.detection.encoding import to_choose
from datasets_app.corpus.formats import refused
from datasets_app.corpus.formats.registry import FORMATS, is_raw
from datasets_app.models import SourceFile
from datasets_app.models.blob import blob_path
from datasets_app.selectors.earlier_rows import tally_of
from datasets_app.selectors.origin_keys import current_rows


def has_other_encodings(file: SourceFile) -> bool:
    """Say whether the file is a text that may be read anew, and its bytes are there."""
    found = FORMATS.get(file.kind)
    if found is None or found.document or is_raw(file.kind):
        return False
    if not found.reader and found is not refused.BINARY:
        return False
    is_asked = file.reason == "needs_encoding"
    there = SourceFile.objects.with_other_encodings().filter(pk=file.pk)
    return not is_asked and there.exists() and blob_path(str(file.blob_id)).is_file()


def encodings_asked(file: SourceFile, tried: str) -> dict[str, Any]:
    """Return the likeliest encodings of a waiting file, and one that a person wants to see."""
    guesses = (file.waiting_for or {}).get("guesses", [])
    if tried in known.names():
        path = blob_path(str(file.blob_id))
        guesses = [*to_choose(path, [tried])[:1], *guesses]
    return {"guesses": guesses, "first": tried or next((g["encoding"] for g in guesses), "")}


def encoding_page(file: SourceFile, tried: str) -> dict[str, Any] | None:
    """Return what reading a text in another encoding shows; None when there is no choice."""
    if not has_other_encodings(file):
        return None
    path = blob_path(str(file.blob_id))
    also = [name for name in (tried, file.encoding) if name in known.names()]
    return {
        "file": file,
        "upload": file.upload,
        "guesses": to_choose(path, also),
        "first": tried or file.encoding,
        "loss": tally_of(current_rows(file)),
    }
