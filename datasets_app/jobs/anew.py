"""A file that has rows is read anew: people are asked first where their work would be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from django.db import IntegrityError, transaction

from datasets_app.models import Conversation, Decision, FileState, SourceFile, Status, Upload
from datasets_app.models.reasons import NEEDS_CONSENT
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

    What was agreed to is what the comparison says: if rows changed since, it is asked anew.
    """
    earlier = Matching.of(file, file.reading + 1)
    if earlier is None or not (before := tally_of(earlier.rows())).has_work:
        return True
    kept = Tally()
    for batch in batches:
        staying = earlier.with_halves(earlier.found(batch).values())
        kept = kept.plus(tally_of(Conversation.objects.filter(pk__in=staying)))
    lost = before.minus(kept)
    told = {**(file.anew or {}), "kept": kept.as_json(), "lost": lost.as_json()}
    imports.note_comparison(upload, file, told)
    if not lost.has_work or told.get("agreed") == told["lost"]:
        return True
    asked = {"verdict": FileState.WAITING, "reason": NEEDS_CONSENT, "waiting_for": None, "note": ""}
    imports.park_file(upload, file, **asked)
    return False


def outcome(file: SourceFile) -> dict[str, Any] | None:
    """Return what the row of a file goes on saying once it was read anew."""
    told = {name: (file.anew or {}).get(name) for name in ("kept", "lost")}
    return told if all(told.values()) else None


def set_aside_earlier_rows(upload: Upload, file: SourceFile, *, touch: Callable[[], None]) -> None:
    """Remove what only earlier readings of the file gave; rows of versions stay, excluded."""
    rows = earlier_rows(file, file.reading)
    excluded = {"status": Status.EXCLUDED, "decision": Decision.EXCLUDE}
    dataset_ids = list(rows.values_list("dataset", flat=True)[:1])
    cursor: int | None = 0 if dataset_ids else None
    while cursor is not None:
        touch()
        with suppress(IntegrityError), transaction.atomic(durable=True):  # a version was quicker
            renew(upload, attempts=0)
            begin_change(dataset_ids[0])
            found = removal.next_slice(rows, after=cursor)
            removal.remove_or_keep([*found], origin_key=replaced_key(), **excluded)
            failpoint("imports.mid_removal")
            cursor = max(found.values(), default=None)
