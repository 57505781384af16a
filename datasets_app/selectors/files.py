"""What the page of one source file shows, and what it asks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import Count, QuerySet

from datasets_app.corpus.conversation import PASSAGE
from datasets_app.corpus.formats.registry import FORMATS, has_columns
from datasets_app.corpus.parsing.casting import OTHERS
from datasets_app.corpus.readers import reading, speakers
from datasets_app.corpus.source import Mapping, Speaker, Waiting
from datasets_app.models import (
    FileState,
    Issue,
    SourceFile,
    reasons,
)
from datasets_app.models.blob import blob_path, read_slice
from datasets_app.models.reasons import GOOD_MEMBER, OFFERED
from datasets_app.selectors.earlier_rows import tally_of
from datasets_app.selectors.encodings import has_other_encodings
from datasets_app.selectors.origin_keys import current_rows

SHOWN_ISSUES = 200
EXAMPLES = 10
BYTES_AROUND = 120
MOST_ALIKE = 2_000  # files whose speakers are asked for together


def file_page(file: SourceFile) -> dict[str, Any]:
    """Return everything the page of one file shows."""
    issues = list(file.issues.order_by("start", "pk")[:SHOWN_ISSUES])
    return {
        "file": file,
        "upload": file.upload,
        "reason": file.note or reasons.sentence(file.reason),
        "kind": kind_in_words(file),
        "parts": parts_in_words(file),
        "address": file.name if file.name.startswith(("http://", "https://")) else "",
        "codes": [
            (reasons.sentence(code), count)
            for code, count in file.issues.values_list("code").annotate(n=Count("pk"))
        ],
        "issues": [(issue, raw_around(file, issue)) for issue in issues],
        "more_issues": max(0, file.n_issues - len(issues)),
        "has_other_columns": has_other_columns(file),
        "has_other_speakers": has_other_speakers(file),
        "has_other_encodings": has_other_encodings(file),
        "has_newer_reader": has_newer_reader(file),
        "anew": file.anew or {},
        "can_stay": file.as_it_was is not None,
        "named": sorted(((file.mapping or {}).get("roles") or {}).items()),
        "columns": columns_in_words(file.mapping or {}),
        "is_prose": _is_prose(file),
        "examples": list(current_rows(file).order_by("position")[:EXAMPLES]),
        "sums": (
            ("loaded", file.n_loaded),
            ("skipped", file.n_skipped),
            ("failed", file.n_failed),
            *([("not read", file.size - file.n_total)] if file.n_total < file.size else ()),
        ),
        "offered": _offered(file),
        "alike": files_alike(file).count() if file.verdict == FileState.WAITING else 0,
    }


def _is_prose(file: SourceFile) -> bool:
    """Say whether the rows of a table were loaded as plain text, which teaches no answers."""
    if not has_columns(file.kind) or file.verdict != FileState.LOADED:
        return False
    first = current_rows(file).order_by("position").first()
    return first is not None and first.n_turns == 1 and first.turns[0]["role"] == PASSAGE


OWN_WORDS = ("roles", "passages")  # of a mapping, which no column holds


def columns_in_words(stored: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what each column was said to be."""
    told = ((name, value) for name, value in stored.items() if value and name not in OWN_WORDS)
    return [(name, ", ".join(v) if isinstance(v, list) else str(v)) for name, v in told]


def roles_in_words(stored: dict[str, Any]) -> list[tuple[str, str]]:
    """Return who has each role, everybody else last."""
    roles: dict[str, str] = stored.get("roles") or {}
    held: dict[str, list[str]] = {}
    for name in sorted(roles, key=lambda name: (name == OTHERS, name)):
        held.setdefault(roles[name], []).append("everybody else" if name == OTHERS else name)
    return [(role, ", ".join(names)) for role, names in held.items()]


def kind_in_words(file: SourceFile) -> str:
    """Return what the file is, as people call it; "" before anybody looked."""
    found = FORMATS.get(file.kind)
    return file.kind if found is None else found.name


def kinds_in_words(kinds: str) -> str:
    """Return kinds, parted by a comma and a space, as people call them: `image, empty file`."""
    names = (FORMATS[kind].name if kind in FORMATS else kind for kind in kinds.split(", "))
    return ", ".join(name.removeprefix("an ").removeprefix("a ") for name in names)


def _offered(file: SourceFile) -> tuple[int, str, str] | None:
    """Return how many members a person may have loaded, what they are, and why they wait."""
    waiting = file.members.filter(verdict=FileState.WAITING, reason__in=OFFERED)
    found = list(waiting.values_list("reason").annotate(n=Count("pk")).order_by("reason"))
    if not found:
        return None
    count = sum(n for _, n in found)
    if found[0][0] == GOOD_MEMBER:
        return count, "good file", "They were unpacked and checked before the damage."
    return count, "hidden sheet", "They are hidden in their workbook, so nothing of them is loaded."


def parts_in_words(file: SourceFile) -> str:
    """Return how many parts a document has and what became of them; "" for any other file."""
    found = FORMATS.get(file.kind)
    if found is None or found.document is None or not file.n_parts:
        return ""
    counts = (
        (file.n_parts_loaded, "loaded"),
        (file.n_parts_skipped, "skipped"),
        (file.n_parts_failed, "failed"),
    )
    became = ", ".join(f"{count:,} {verdict}" for count, verdict in counts if count)
    return f"{file.n_parts:,} {found.document.unit}{'s' * (file.n_parts != 1)}: {became}."


def files_alike(file: SourceFile) -> QuerySet[SourceFile]:
    """Return other files of the upload that wait for the same choice."""
    waiting = SourceFile.objects.filter(upload=file.upload, verdict=FileState.WAITING)
    asked = file.waiting_for or {}
    same = waiting.filter(reason=file.reason, waiting_for__columns=asked.get("columns"))
    found: QuerySet[SourceFile] = same.exclude(pk=file.pk)
    return found


def raw_around(file: SourceFile, issue: Issue) -> tuple[str, str, str]:
    """Return the bytes before, in and behind an issue, as text to look at."""
    if file.blob_id is None or issue.place:
        return "", issue.sample, ""
    start = max(0, issue.start - BYTES_AROUND)
    data = read_slice(file.blob_id, start, issue.start - start + 3 * BYTES_AROUND)
    cut, end = issue.start - start, min(issue.end - start, issue.start - start + 2 * BYTES_AROUND)
    return _shown(data[:cut]), _shown(data[cut:end]), _shown(data[end : end + BYTES_AROUND])


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def has_other_columns(file: SourceFile) -> bool:
    """Say whether the file is a table that was read and may be read under another mapping."""
    read = SourceFile.objects.at_rest().filter(pk=file.pk)
    was_asked = bool(file.mapping) and Mapping.from_json(file.mapping or {}).has_columns
    return (has_columns(file.kind) or was_asked) and read.exists()


def has_newer_reader(file: SourceFile) -> bool:
    """Say whether an older reader read the file than the one that is there now."""
    found = FORMATS.get(file.kind)
    if found is None or found.reader is None or file.reader in {"", found.reader.label}:
        return False
    read = SourceFile.objects.at_rest().filter(pk=file.pk)
    return read.exists()


def has_other_speakers(file: SourceFile) -> bool:
    """Say whether a person said who speaks in the file, and may say so anew."""
    read = SourceFile.objects.at_rest().filter(pk=file.pk, mapping__has_key="roles")
    return read.exists()


def speakers_asked(file: SourceFile) -> Waiting:
    """Return who speaks in a waiting file and in those of its upload that wait for the same."""
    others = files_alike(file).order_by("pk").values_list("waiting_for", flat=True)
    asked: list[Any] = [file.waiting_for, *others[:MOST_ALIKE]]
    return speakers.together(asked)


def speakers_page(file: SourceFile) -> dict[str, Any] | None:
    """Return what saying anew who speaks shows; None when there is no choice."""
    if not has_other_speakers(file):
        return None
    mapping = Mapping.from_json(file.mapping or {})
    names = [name for name in mapping.roles or {} if name != OTHERS]
    shown = tuple(Speaker(name, 0, 0, 0) for name in names)
    asked = Waiting("needs_speakers", "", speakers=shown, suggested=mapping)
    loss = tally_of(current_rows(file))
    return {"file": file, "upload": file.upload, "asked": asked, "loss": loss}


def columns_page(file: SourceFile) -> dict[str, Any] | None:
    """Return what choosing a table's columns again shows; None when there is no choice."""
    if not has_other_columns(file):
        return None
    stored = file.mapping if file.verdict == FileState.LOADED else None
    mapping = Mapping.from_json(stored) if stored else None
    path, encoding = blob_path(str(file.blob_id)), file.chosen_encoding or None
    asked = (
        reading.columns_of_section(path, file.kind, reading.Asked(file.section, mapping))
        if FORMATS[file.kind].document
        else reading.columns_of(path, file.kind, mapping=mapping, encoding=encoding)
    )
    if asked is None:
        return None
    loss = tally_of(current_rows(file))
    return {"file": file, "upload": file.upload, "asked": asdict(asked), "loss": loss}
