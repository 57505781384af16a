"""Building the knowledge of a version, in turns, and looking a question up in it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from datasets_app.corpus.conversation import USER, Turn, from_json
from datasets_app.knowledge.encoder import Encoder as LoadedEncoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.held import hold, lock_path
from datasets_app.knowledge.known import KnownAnswers
from datasets_app.knowledge.layout import MANIFEST
from datasets_app.knowledge.pieces import Row
from datasets_app.knowledge.store import Writer, finished, take_over
from datasets_app.models import Encoder, Knowledge, Lookup
from datasets_app.models.knowledge import knowledge_store
from datasets_app.selectors.knowledge import key_of
from datasets_app.selectors.origin_titles import NOWHERE, places_of
from datasets_app.selectors.versions import version_rows
from otto_web.lib.cores import usable_cores
from otto_web.lib.failpoints import failpoint
from otto_web.lib.files import fsync_path, sha256_of
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import LostLease, finish, give_back, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform

STEP_ROWS, STEP_SIGNS = 500, 4_000_000
READ_ROWS = 50  # one may have 10 MB
TURN_SECONDS = 20.0  # after which others may have the worker
FOUND_FOR_A_LOOKUP = 3
FAR = "None of it is near enough: a chat would say that it does not know."


def build_knowledge(version_id: UUID | str) -> None:
    """Build for a while, then let others have the worker; harmless when nothing is ordered."""
    perform(Knowledge, version_id, _build, refusals=(KnowledgeError,))


def look_up(lookup_id: UUID | str) -> None:
    """Find what a question would be answered from."""
    perform(Lookup, lookup_id, _look_up, refusals=(KnowledgeError,))


def _build(order: Knowledge, lease: Lease) -> None:
    row, encoder, trouble = _encoder()
    folder, lock = _working_folder(order)
    with lock:
        facts = finished(folder, encoder)
        if facts is None:
            writer = Writer(folder, encoder=encoder, earlier=_earlier(order), still=lease.touch)
            if not _write_for_a_turn(order, writer):
                with transaction.atomic(durable=True):
                    give_back(order)
                    hint(Knowledge.job, order.pk)
                return
            facts = writer.finish()
        failpoint("knowledge.finished")
        _publish(order, folder, facts, row, trouble)


def _encoder() -> tuple[Encoder | None, LoadedEncoder | None, str]:
    """Return the encoder that is used now, loaded; a sentence where it cannot be."""
    row = Encoder.objects.current()
    if row is None:
        return None, None, ""
    try:
        return row, LoadedEncoder.open(row.folder, threads=usable_cores()), ""
    except KnowledgeError as error:
        return row, None, f"{error} What was built finds by words only."


def _working_folder(order: Knowledge) -> tuple[Path, IO[bytes]]:
    """Return the folder to write to, held: the one that was begun, unless its writer has it yet."""
    begun = Path(settings.OTTO_DATA_DIR) / order.working if order.working else None
    if begun is not None and begun.exists() and (lock := hold(begun)):
        return begun, lock
    folder = knowledge_store() / str(order.pk) / f"f{order.fence}"
    shutil.rmtree(folder, ignore_errors=True)
    if begun is not None:
        take_over(begun, folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = hold(folder)
    if lock is None:
        raise LostLease(f"Another process writes to {folder}.")
    renew(order, working=_relative(folder))
    return folder, lock


def _earlier(order: Knowledge) -> Path | None:
    """Return a folder of known vectors: the version's own, or the newest of its dataset."""
    if order.folder is not None:
        return order.folder
    others = Knowledge.objects.filter(version__dataset=order.version.dataset_id)
    newest = others.exclude(path="").order_by("-version__number").first()
    return newest.folder if newest else None


def _write_for_a_turn(order: Knowledge, writer: Writer) -> bool:
    """Write the next rows; False when the turn is over before they are."""
    end = time.monotonic() + TURN_SECONDS
    for step in _steps(_rows(order.version_id, behind=writer.position)):
        writer.add(step)
        failpoint("knowledge.step")
        renew(order, done=writer.rows, attempts=0)
        if time.monotonic() > end:
            return False
    return True


def _steps(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yield rows together: some hundred, fewer of long ones."""
    step: list[Row] = []
    signs = 0
    for row in rows:
        step.append(row)
        signs += sum(len(turn.text) for turn in row.conversation.turns)
        if len(step) == STEP_ROWS or signs > STEP_SIGNS:
            yield step
            step, signs = [], 0
    if step:
        yield step


def _rows(version_id: UUID, *, behind: int) -> Iterator[Row]:
    lines = version_rows(version_id, None).filter(position__gt=behind)
    told = lines.iterator(chunk_size=READ_ROWS)
    while some := list(islice(told, READ_ROWS)):
        places = places_of([line["conversation_id"] for line in some])
        for line in some:
            place = places.get(line["conversation_id"], NOWHERE)
            yield Row(
                position=line["position"],
                pk=line["conversation_id"],
                row_hash=line["row_hash"],
                split=line["split"],
                conversation=from_json(line["turns"]),
                page=place.page,
                above=place.above,
            )


def _publish(
    order: Knowledge, folder: Path, facts: dict[str, Any], encoder: Encoder | None, trouble: str
) -> None:
    """Name the folder in the row; the sweep frees the one before it, an hour from now.

    Until then whoever was told its path a moment ago still finds it.
    """
    fsync_path(folder)
    fsync_path(folder.parent)
    before = order.folder
    finish(
        order,
        path=_relative(folder),
        working="",
        encoder=encoder,
        facts={name: told for name, told in facts.items() if name != "files"},
        manifest_sha256=sha256_of(folder / MANIFEST),
        message=trouble,
    )
    if before is not None and before.exists():
        os.utime(before)
    lock_path(folder).unlink(missing_ok=True)


def _relative(folder: Path) -> str:
    return folder.relative_to(settings.OTTO_DATA_DIR).as_posix()


def _look_up(lookup: Lookup, lease: Lease) -> None:
    if lookup.knowledge.folder is None:
        raise KnowledgeError("The knowledge of this version is not built yet. Build it first.")
    asked = [Turn(USER, lookup.question)]
    known = KnownAnswers().find(key_of(lookup.knowledge), asked, most=FOUND_FOR_A_LOOKUP)
    if not known.is_there:
        raise KnowledgeError(known.note)
    results = [
        {
            "question": one.piece.question,
            "context": one.piece.context,
            "answer": one.piece.answer,
            "row": one.piece.row,
            "cosine": one.cosine,
            "words": one.words,
        }
        for one in known.found
    ]
    told = [known.note, FAR if results and not known.is_near else ""]
    finish(lookup, results=results, message=" ".join(filter(None, told)))
