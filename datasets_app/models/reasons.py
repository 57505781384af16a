"""The sentence behind each reason code, for pages, commands and exports alike."""

from __future__ import annotations

from datasets_app.corpus.source import REASONS

GOOD_MEMBER, HIDDEN_SHEET = "good_member", "hidden_sheet"
GATHERED = "gathered"
NEEDS_CONSENT = "needs_consent"
OFFERED = (GOOD_MEMBER, HIDDEN_SHEET)
"""Why a file waits for a person who may have it loaded as it is."""
SENTENCES: dict[str, str] = {
    **REASONS,
    "own_fault": "OTTO made a mistake while reading this file, so it is not loaded to its end. "
    "The log of the worker has the details.",
    "too_slow": "Reading this file took longer than one file may take, so it was stopped.",
    "wrong_sha256": "The bytes that arrived are not the ones announced: their SHA-256 differs. "
    "Upload the file again.",
    NEEDS_CONSENT: "Reading this file anew would take people’s work away. Nothing was changed yet: "
    "please look at what would stay and what would go.",
    "empty_archive": "There are no files inside this archive.",
    GOOD_MEMBER: "Its archive is damaged, but this file is whole. You can have it loaded.",
    GATHERED: "It is read as a part of another file here, since only together they say all.",
    "already_uploaded": "These bytes were uploaded before, so nothing was loaded a second time.",
    "worker_lost": "Reading was interrupted several times at the same place, so it was stopped.",
    "bytes_lost": "The bytes of this upload are no longer on the disk. Upload the file again.",
}


def sentence(code: str) -> str:
    """Return the sentence of a reason; an unknown one is shown as it is."""
    return SENTENCES.get(code, code)
