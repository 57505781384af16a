"""Ordering knowledge, asking it a question, and freeing what nothing names any more."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.knowledge.held import lock_path
from datasets_app.models import Knowledge, Lookup, Version
from datasets_app.models.knowledge import LONGEST_QUESTION, knowledge_store
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.uuids import as_uuid
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import State

LOOKUPS_KEPT = 20  # of a version: the page shows the last ones


@transaction.atomic
def order_knowledge(version: Version, *, by: User | None) -> Knowledge:
    """Have the version's knowledge built, or built anew; what is being built is left alone.

    What somebody left half written is not gone on with: it may be what the building failed at.
    """
    total = int(version.counts.get("rows", 0))
    mine = Knowledge.objects.filter(pk=version.pk)
    _, is_new = mine.get_or_create(version=version, defaults={"total": total, "created_by": by})
    over = mine.exclude(state__in=(State.QUEUED, State.RUNNING))
    if is_new or order_anew(over, done=0, total=total, working="", created_by=by):
        audit.record(by, "build knowledge", version)
        hint(Knowledge.job, version.pk)
    return mine.get()


@transaction.atomic(durable=True)
def order_lookup(knowledge: Knowledge, question: str, *, by: User | None) -> Lookup:
    """Have a question looked up; refused with a `CorpusError` that says why."""
    if not question.strip():
        raise CorpusError("There is no question. Type what somebody might ask.")
    if len(question) > LONGEST_QUESTION:
        raise CorpusError(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are "
            "looked up. Shorten it."
        )
    if knowledge.folder is None:
        raise CorpusError("The knowledge of this version is not built yet. Build it first.")
    clean = question.replace("\x00", "")  # which no column takes
    lookup = Lookup.objects.create(knowledge=knowledge, question=clean, created_by=by)
    kept = Lookup.objects.filter(knowledge=knowledge).order_by("-created_at")[:LOOKUPS_KEPT]
    Lookup.objects.filter(knowledge=knowledge).exclude(pk__in=kept.values("pk")).delete()
    hint(Lookup.job, lookup.pk)
    return lookup


def remove_unnamed_folders(before: datetime) -> None:
    """Free the folders of knowledge that no row names and nobody wrote to since `before`."""
    for store in _folders(knowledge_store()):
        row = Knowledge.objects.filter(pk=as_uuid(store.name)).values_list("path", "working")
        named = {Path(path).name for path in row.first() or ()}
        for folder in _folders(store):
            if folder.name not in named and _last_written(folder) < before.timestamp():
                shutil.rmtree(folder, ignore_errors=True)
                lock_path(folder).unlink(missing_ok=True)
        if not any(store.iterdir()):
            store.rmdir()


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.exists() else []


def _last_written(folder: Path) -> float:
    """Return when a folder was last written to; its files may go while they are looked at."""
    times = [folder.stat().st_mtime]
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)
