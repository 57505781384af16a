"""What a person decides about a file: its columns, its speakers, also once more, its encoding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from datasets_app.corpus.formats.registry import reader_of
from datasets_app.corpus.readers.prompted import Passages
from datasets_app.corpus.source import Mapping
from datasets_app.models import FileState, SourceFile, Upload
from datasets_app.models.reasons import NEEDS_CONSENT, OFFERED
from datasets_app.services.imports import NO_COUNTS
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import State

CHOSEN = ("mapping", "mapping_sha256", "chosen_encoding")
READ = ("kind", "kind_why", "encoding", "encoding_why", "reader", "verdict", "reason", "note")

AGAIN: dict[str, Any] = {
    "verdict": FileState.QUEUED,
    "reason": "",
    "note": "",
    "finished_at": None,
}
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What a person changed, as the audit trail tells it."""

    verb: str
    before: dict[str, Any] | None
    after: dict[str, Any]


@transaction.atomic(durable=True)
def choose_columns(files: list[SourceFile], mapping: Mapping, *, by: User | None) -> int:
    """Say what the columns of waiting files are and let them be read; return how many were."""
    return _let_go_mapped(files, mapping, verb="file.columns", by=by)


@transaction.atomic(durable=True)
def choose_speakers(files: list[SourceFile], mapping: Mapping, *, by: User | None) -> int:
    """Say who speaks in waiting files and let them be read; return how many were.

    What was said of their columns stays.
    """
    alike: dict[str, list[SourceFile]] = {}
    for file in files:
        alike.setdefault(_beside(file, mapping).sha256, []).append(file)
    return sum(
        _let_go_mapped(group, _beside(group[0], mapping), verb="file.speakers", by=by)
        for group in alike.values()
    )


def _beside(file: SourceFile, mapping: Mapping) -> Mapping:
    """Return the roles of a mapping beside the columns that a file has already."""
    stored = Mapping.from_json(file.mapping) if file.mapping else mapping
    return replace(stored.with_roles(mapping.roles), pauses=mapping.pauses)


def _let_go_mapped(files: list[SourceFile], mapping: Mapping, *, verb: str, by: User | None) -> int:
    stored = mapping.as_json()
    changes = {"mapping": stored, "mapping_sha256": mapping.sha256}
    return _let_go(files, changes, verb=verb, after=stored, by=by)


def choose_columns_again(file: SourceFile, mapping: Mapping, *, by: User) -> bool:
    """Have a table that was read be read anew under another mapping; False when it is that one."""
    return _read_mapped_anew(file, mapping, verb="file.columns_again", by=by)


def choose_speakers_again(file: SourceFile, mapping: Mapping, *, by: User) -> bool:
    """Have a file that was read be read anew with other roles; False when they are the same."""
    return _read_mapped_anew(file, _beside(file, mapping), verb="file.speakers_again", by=by)


@transaction.atomic(durable=True)
def choose_passages(files: Sequence[SourceFile], passages: Passages, *, by: User | None) -> int:
    """Say how the passages of an upload's files become conversations; return how many change."""
    chosen, first = Mapping(passages=passages.as_json()), files[0]
    _hold(first.upload)
    asked = SourceFile.objects.at_rest().exclude(mapping_sha256=chosen.sha256)
    changed = list(asked.filter(pk__in=[file.pk for file in files]).select_for_update(of=("self",)))
    if not changed:
        return 0
    stored = chosen.as_json()
    changes = {**AGAIN, "cursor": 0, "mapping": stored, "mapping_sha256": chosen.sha256}
    for file in changed:
        before = _as_it_was(file)
        file.anew = before and {"before": before}
        for name, value in changes.items():
            setattr(file, name, value)
    SourceFile.objects.bulk_update(changed, [*changes, "anew"], batch_size=AT_ONCE)
    after = {**stored, "files": len(changed)}
    audit.record(by, "file.passages", first, before=first.mapping, after=after)
    _wake(first.upload)
    return len(changed)


def _read_mapped_anew(file: SourceFile, mapping: Mapping, *, verb: str, by: User) -> bool:
    stored = mapping.as_json()
    asked = SourceFile.objects.at_rest().exclude(mapping_sha256=mapping.sha256)
    changes = {"mapping": stored, "mapping_sha256": mapping.sha256}
    return _read_anew(file, asked, changes, Change(verb, file.mapping, stored), by=by)


def choose_encoding_again(file: SourceFile, encoding: str, *, by: User | None) -> bool:
    """Have a file be read anew in another encoding; False when that one was chosen before.

    What was said of its columns goes when their names may be others now.
    """
    asked = SourceFile.objects.with_other_encodings().exclude(chosen_encoding=encoding)
    changes: dict[str, Any] = {"chosen_encoding": encoding, "waiting_for": None}
    if not json.dumps(file.mapping, ensure_ascii=False).isascii():
        changes |= {"mapping": None, "mapping_sha256": ""}
    before, after = {"encoding": file.encoding}, {"encoding": encoding}
    change = Change("file.encoding_again", before, after)
    return _read_anew(file, asked, changes, change, by=by)


@transaction.atomic(durable=True)
def _read_anew(
    file: SourceFile,
    asked: QuerySet[SourceFile],
    changes: dict[str, Any],
    told: Change,
    *,
    by: User | None,
) -> bool:
    """Let a worker read a file again.

    Its rows stay until it was read to its end, and so its counts until that begins: the worker
    keeps those that say what they said.
    """
    _hold(file.upload)
    before = _as_it_was(SourceFile.objects.get(pk=file.pk))
    changes = {**changes, "anew": before and {"before": before}}
    if not asked.filter(pk=file.pk).update(**AGAIN, cursor=0, **changes):
        return False
    audit.record(by, told.verb, file, before=told.before, after=told.after)
    _wake(file.upload)
    return True


def _as_it_was(file: SourceFile) -> dict[str, Any] | None:
    """Return what choosing anew changes in the row of a file; of several times, the first."""
    before: dict[str, Any] | None = (file.anew or {}).get("before")
    if before or file.verdict == FileState.WAITING:
        return before
    return {name: getattr(file, name) for name in (*CHOSEN, *READ, *NO_COUNTS)}


@transaction.atomic(durable=True)
def keep_as_it_was(file: SourceFile, *, by: User) -> bool:
    """Take back that a file is read anew, as long as none of its rows changed; False if one did."""
    _hold(file.upload)
    before = SourceFile.objects.get(pk=file.pk).as_it_was
    if before is None:
        return False
    again = {"anew": None, "waiting_for": None, "finished_at": timezone.now()}
    SourceFile.objects.filter(pk=file.pk).update(**before, **again)
    audit.record(by, "file.kept_as_it_was", file, before={"mapping": file.mapping})
    return True


@transaction.atomic(durable=True)
def agree_to_lose(file: SourceFile, lost: dict[str, int], *, by: User) -> bool:
    """Let a file be read anew although this much work goes; False if it is other work now."""
    _hold(file.upload)
    waiting = SourceFile.objects.filter(pk=file.pk, verdict=FileState.WAITING, reason=NEEDS_CONSENT)
    anew = waiting.values_list("anew", flat=True).first()
    if anew is None or anew["lost"] != lost:
        return False
    again = {"verdict": FileState.QUEUED, "reason": "", "note": ""}
    waiting.update(**again, anew={**anew, "agreed": lost})
    audit.record(by, "file.agreed_to_lose", file, after=lost)
    _wake(file.upload)
    return True


def read_by_newer_reader(file: SourceFile, *, by: User) -> bool:
    """Have a file be read anew that an older reader read; False when this one did."""
    asked = SourceFile.objects.at_rest().exclude(reader__in=("", reader_of(file.kind).label))
    told = Change("file.newer_reader", {"reader": file.reader}, {})
    return _read_anew(file, asked, {}, told, by=by)


@transaction.atomic(durable=True)
def choose_encoding(files: list[SourceFile], encoding: str, *, by: User | None) -> int:
    """Say how the bytes of waiting files are read and let them be read."""
    changes = {"chosen_encoding": encoding}
    return _let_go(files, changes, verb="file.encoding", after=changes, by=by)


@transaction.atomic(durable=True)
def load_members(archive: SourceFile, *, by: User) -> int:
    """Have the members loaded that an archive or workbook only offers; return how many they are."""
    _hold(archive.upload)
    waiting = SourceFile.objects.filter(parent=archive, verdict=FileState.WAITING)
    done = waiting.filter(reason__in=OFFERED).update(verdict=FileState.QUEUED, reason="")
    if done:
        audit.record(by, "file.load_members", archive, after={"members": done})
        _wake(archive.upload)
    return done


def _let_go(
    files: list[SourceFile],
    changes: dict[str, Any],
    *,
    verb: str,
    after: dict[str, Any],
    by: User | None,
) -> int:
    first = files[0]
    _hold(first.upload)
    chosen = SourceFile.objects.filter(pk__in=[file.pk for file in files])
    done = chosen.filter(verdict=FileState.WAITING).update(
        verdict=FileState.QUEUED, reason="", note="", waiting_for=None, **changes
    )
    if done:
        audit.record(by, verb, first, after={**after, "files": done})
        _wake(first.upload)
    return done


def _hold(upload: Upload) -> None:
    """Make a worker that is about to end this upload wait, so that it finds the file."""
    Upload.objects.select_for_update(no_key=True).filter(pk=upload.pk).first()


def _wake(upload: Upload) -> None:
    """Hand the upload to a worker again; one that reads it already goes on with the file."""
    at_rest = (State.SUCCEEDED, State.FAILED)
    order_anew(Upload.objects.filter(pk=upload.pk, state__in=at_rest))
    hint(Upload.job, upload.pk)
