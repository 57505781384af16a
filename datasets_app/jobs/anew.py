"""A file that has rows is read anew: people are asked first where their work would be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from datasets_app.models import (
    Conversation,
    Dataset,
    Decision,
    FileState,
    SourceFile,
    Status,
    Upload,
)
from datasets_app.models.reasons import NEEDS_CONSENT
from datasets_app.selectors import touched
from datasets_app.selectors.earlier_rows import Tally, earlier_rows, tally_of
from datasets_app.selectors.origin_keys import replaced_key
from datasets_app.services import imports, removal
from datasets_app.services.changes import begin_change
from datasets_app.services.keeping import Matching
from datasets_app.services.writing import NewRow
from otto_web.lib.failpoints import failpoint
from otto_web.lib.work.claims import renew


def may_begin(upload: Upload, file: SourceFile, batches: Iterator[list[NewRow]]) -> bool:
    """Compare the rows of a file with what it gives now; False where a person must agree first.

    What was agreed to is what the comparison says: if rows changed since, it is asked anew. The
    moment of the comparison is noted: work on rows that begins behind it is never removed.
    """
    earlier = Matching.of(file, file.reading + 1)
    if earlier is None:
        return True
    told = {**(file.anew or {}), "since": _moment(earlier.dataset)}
    if not (before := tally_of(earlier.rows())).has_work:
        imports.note_comparison(upload, file, told)
        return True
    kept = Tally()
    for batch in batches:
        staying = earlier.with_halves(earlier.found(batch).values())
        kept = kept.plus(tally_of(Conversation.objects.filter(pk__in=staying)))
    lost = before.minus(kept)
    told |= {"kept": kept.as_json(), "lost": lost.as_json()}
    is_agreed = told.get("agreed") == told["lost"]
    if is_agreed:  # it may be the same number of other rows
        told["since"] = (file.anew or {}).get("since", told["since"])
    imports.note_comparison(upload, file, told)
    if is_agreed or not lost.has_work:
        return True
    asked = {"verdict": FileState.WAITING, "reason": NEEDS_CONSENT, "waiting_for": None, "note": ""}
    imports.park_file(upload, file, **asked)
    return False


@transaction.atomic(durable=True)
def _moment(dataset: UUID) -> dict[str, Any]:
    """Return this moment once all that people began to do to rows is done."""
    Dataset.objects.select_for_update(no_key=True).get(pk=dataset)
    return touched.moment()


def outcome(file: SourceFile) -> dict[str, Any] | None:
    """Return what the row of a file goes on saying once it was read anew."""
    told = file.anew or {}
    return {name: told[name] for name in ("kept", "lost", "spared") if told.get(name)} or None


def set_aside_earlier_rows(upload: Upload, file: SourceFile, *, touch: Callable[[], None]) -> None:
    """Remove what only earlier readings of the file gave.

    Rows of versions stay, excluded, and so do those that people worked on since the comparison.
    """
    rows = earlier_rows(file, file.reading)
    excluded = {"status": Status.EXCLUDED, "decision": Decision.EXCLUDE}
    dataset_ids = list(rows.values_list("dataset", flat=True)[:1])
    cursor: int | None = 0 if dataset_ids else None
    since = (file.anew or {}).get("since")
    worked_on = touched.Touched(rows, dataset_ids[0], since) if since and dataset_ids else None
    while cursor is not None:
        touch()
        with suppress(IntegrityError):  # a version was quicker: the same slice once more
            with transaction.atomic(durable=True):
                renew(upload, attempts=0)
                begin_change(dataset_ids[0], is_told=True)
                found = removal.next_slice(rows, after=cursor)
                spared = found.keys() & worked_on.look() if worked_on else set[int]()
                removal.remove_or_keep(
                    [*found], spared=spared, origin_key=replaced_key(), **excluded
                )
                told = _noted(file, len(spared))
                failpoint("imports.mid_removal")
            file.anew = told
            cursor = max(found.values(), default=None)


def _noted(file: SourceFile, spared: int) -> dict[str, Any] | None:
    """Note in the row of a file how many rows stay because somebody worked on them meanwhile."""
    if not spared:
        return file.anew
    told = {**(file.anew or {}), "spared": (file.anew or {}).get("spared", 0) + spared}
    SourceFile.objects.filter(pk=file.pk).update(anew=told)
    return told
