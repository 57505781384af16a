"""Answers what files wait for, where a command was told the answers beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from datasets_app.corpus.source import Mapping
from datasets_app.jobs.loading import import_here
from datasets_app.models import FileState, SourceFile, Upload
from datasets_app.selectors.encodings import has_other_encodings
from datasets_app.services import choices

ROUNDS = 3
"""A file may ask how it is read, what its columns are, and who speaks: each once."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is said of all files that ask."""

    encoding: str = ""
    columns: Mapping | None = None
    speakers: Mapping | None = None


def answer(upload: Upload, answers: Answers) -> None:
    """Answer what the files of an upload ask, as far as it was told, and read these."""
    _read_in_encoding(upload, answers.encoding)
    for _ in range(ROUNDS):
        done = _choose(upload, "needs_encoding", answers.encoding, choices.choose_encoding)
        done += _choose(upload, "needs_mapping", answers.columns, choices.choose_columns)
        done += _choose(upload, "needs_speakers", answers.speakers, choices.choose_speakers)
        if not done:
            return
        import_here(upload)


def _choose(
    upload: Upload, reason: str, said: str | Mapping | None, choose: Callable[..., int]
) -> int:
    waiting = list(upload.files.filter(verdict=FileState.WAITING, reason=reason))
    return choose(waiting, said, by=None) if said and waiting else 0


def _read_in_encoding(upload: Upload, encoding: str) -> None:
    """Read anew what is no Unicode and was taken for something else."""
    if not encoding:
        return
    older = SourceFile.objects.filter(upload=upload).exclude(encoding__in=("", encoding))
    others = [
        file for file in older.exclude(encoding__startswith="utf") if has_other_encodings(file)
    ]
    for file in others:
        choices.choose_encoding_again(file, encoding, by=None)
    if others:
        import_here(upload)
