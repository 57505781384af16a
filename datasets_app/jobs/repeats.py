"""Looking for what repeats in a dataset, in turns: rows are read once, then compared as a whole."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import transaction

from datasets_app.corpus.conversation import Conversation, from_json
from datasets_app.corpus.repeats import compare
from datasets_app.corpus.repeats.clusters import Cluster
from datasets_app.corpus.repeats.index import Index, places_of
from datasets_app.corpus.repeats.meaning import near_pairs
from datasets_app.corpus.repeats.said import said, stored_exchange
from datasets_app.jobs.clusters import publish
from datasets_app.knowledge.encoder import Encoder as LoadedEncoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.held import hold, lock_path
from datasets_app.models import Conversation as Row
from datasets_app.models import Encoder, RepeatSearch, SearchStep, Status
from datasets_app.models.repeats import repeats_store
from otto_web.lib.cores import usable_cores
from otto_web.lib.failpoints import failpoint
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import LostLease, give_back, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform

STEP_ROWS, STEP_QUESTIONS = 2_000, 256
TURN_SECONDS = 20.0  # after which others may have the worker
SPARE_ROWS = 1_000  # an index with so many more lines than twice its rows is begun anew

Numbers = npt.NDArray[np.int64]


def find_repeats(dataset_id: UUID | str) -> None:
    """Work for a while, then let others have the worker; harmless when nothing is ordered."""
    perform(RepeatSearch, dataset_id, _search, refusals=())


@dataclass(slots=True)
class Turn:
    """One claim of a search: it ends after a while, and what it did so far is durable."""

    order: RepeatSearch
    lease: Lease
    ends_at: float

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends_at

    def moved(self, step: SearchStep, done: int, total: int, *, read: int = 0) -> None:
        """Say how far it is; LostLease where somebody else has the search, or nobody wants it."""
        failpoint("repeats.step")
        self.lease.touch()
        read += self.order.read
        renew(self.order, step=step, done=done, total=total, read=read, attempts=0)


def _search(order: RepeatSearch, lease: Lease) -> None:
    turn = Turn(order, lease, time.monotonic() + TURN_SECONDS)
    numbers, revisions = _present(order.dataset_id)
    row, encoder, trouble = _encoder()
    folder, lock = _folder(order, len(numbers))
    with lock:
        index = _read(turn, Index.open(folder), numbers, revisions)
        places = places_of(index.lines(), numbers, revisions)
        places = places[places >= 0]
        if encoder is not None and not turn.is_over:
            index = _encode(turn, index, places, encoder)
        if turn.is_over and (len(places) < len(numbers) or _missing(index, places, encoder)):
            with transaction.atomic(durable=True):
                give_back(order)
                hint(RepeatSearch.job, order.pk)
            return
        turn.moved(SearchStep.COMPARING, 0, len(places))
        found, facts = _compared(turn, index, places, by_meaning=encoder is not None)
        publish(
            order, found, row, {**facts, "trouble": trouble, "newest": int(numbers.max(initial=0))}
        )


def _present(dataset_id: UUID) -> tuple[Numbers, Numbers]:
    """Return numbers and revisions of the rows that count, in order."""
    rows = Row.objects.filter(dataset=dataset_id).exclude(status=Status.EXCLUDED)
    pairs = rows.order_by("pk").values_list("pk", "revision").iterator(chunk_size=50_000)
    found: Numbers = np.fromiter(pairs, np.dtype((np.int64, 2)))
    return found[:, 0], found[:, 1]


def _encoder() -> tuple[Encoder | None, LoadedEncoder | None, str]:
    """Return the encoder that is used now, loaded; a sentence where it cannot be."""
    row = Encoder.objects.current()
    if row is None:
        return None, None, ""
    try:
        return row, LoadedEncoder.open(row.folder, threads=usable_cores()), ""
    except KnowledgeError as error:
        return None, None, f"{error} Rows were compared by their words only."


def _folder(order: RepeatSearch, rows: int) -> tuple[Path, IO[bytes]]:
    """Return the index, held; a new one where another process has it or most of it is outdated."""
    folder = order.path
    if folder is not None and folder.exists() and (lock := hold(folder)):
        if Index.open(folder).rows <= 2 * rows + SPARE_ROWS:
            return folder, lock
        lock.close()
    new = repeats_store() / f"{order.pk}-{order.fence}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    lock = hold(new)
    if lock is None:
        raise LostLease(f"Another process writes to {new}.")
    renew(order, folder=new.relative_to(settings.OTTO_DATA_DIR).as_posix())
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        lock_path(folder).unlink(missing_ok=True)
    return new, lock


def _read(turn: Turn, index: Index, numbers: Numbers, revisions: Numbers) -> Index:
    """Read what is new or changed until the turn is over."""
    missing = numbers[places_of(index.lines(), numbers, revisions) < 0]
    done = len(numbers) - len(missing)
    for start in range(0, len(missing), STEP_ROWS):
        step = missing[start : start + STEP_ROWS].tolist()
        rows = Row.objects.filter(pk__in=step).order_by("pk")
        told = list(rows.values_list("pk", "revision", "turns"))
        if told:
            compared = [said(from_json(turns)) for _, _, turns in told]
            index = index.with_rows([(pk, revision) for pk, revision, _ in told], compared)
        done += len(step)
        turn.moved(SearchStep.READING, done, len(numbers), read=len(told))
        if turn.is_over:
            break
    return index


def _asked(index: Index, places: Numbers) -> tuple[npt.NDArray[np.uint64], Numbers]:
    """Return the questions of these rows, each once, and the number of the first row that asks."""
    lines = index.lines()[places]
    lines = lines[lines["asked"] > 0]
    keys, first = np.unique(lines["asked"], return_index=True)
    return keys, lines["pk"][first]


def _missing(index: Index, places: Numbers, encoder: LoadedEncoder | None) -> bool:
    if encoder is None:
        return False
    known = index.for_encoder(encoder.sha256, encoder.dims).vector_keys()
    return bool(np.isin(_asked(index, places)[0], known, invert=True).any())


def _encode(turn: Turn, index: Index, places: Numbers, encoder: LoadedEncoder) -> Index:
    """Give a vector to each question that has none, until the turn is over."""
    index = index.for_encoder(encoder.sha256, encoder.dims)
    keys, first = _asked(index, places)
    wanted = np.flatnonzero(np.isin(keys, index.vector_keys(), invert=True))
    done = len(keys) - len(wanted)
    for start in range(0, len(wanted), STEP_QUESTIONS):
        step = wanted[start : start + STEP_QUESTIONS]
        texts = {pk: stored_exchange(one)[0] for pk, one in fetched(first[step].tolist()).items()}
        there = [place for place in step.tolist() if int(first[place]) in texts]
        if there:
            vectors = encoder.encode([texts[int(first[place])] for place in there])
            index = index.with_vectors(encoder.sha256, keys[there].tolist(), vectors)
        done += len(step)
        turn.moved(SearchStep.ENCODING, done, len(keys))
        if turn.is_over:
            break
    return index


def fetched(numbers: Sequence[int]) -> Mapping[int, Conversation]:
    """Return what these rows say; one that was removed is not among them."""
    rows = Row.objects.filter(pk__in=numbers).values_list("pk", "turns")
    return {pk: from_json(turns) for pk, turns in rows}


def _compared(
    turn: Turn, index: Index, places: Numbers, *, by_meaning: bool
) -> tuple[list[Cluster], dict[str, Any]]:
    rows = compare.Comparison(index, places, fetched, turn.lease.touch)
    same = [*compare.near_questions(rows), *(_same_meaning(rows) if by_meaning else ())]
    questions, crowded = compare.question_clusters(rows, same)
    found = compare.without_repeated(
        [
            *questions,
            *compare.near_clusters(rows),
            *compare.exact_clusters(rows),
            *compare.snapshot_clusters(rows),
        ]
    )
    return found, {"crowded": crowded}


def _same_meaning(rows: compare.Comparison) -> Iterator[tuple[int, int]]:
    """Yield the questions that mean the same and state nothing else, the nearest first."""
    keys, places = np.unique(rows.lines["asked"], return_index=True)
    known = rows.index.vector_keys()
    chosen = np.flatnonzero(np.isin(known, keys[keys > 0]))
    vectors = np.asarray(rows.index.vector_rows()[chosen], np.float32)
    near = near_pairs(vectors, still=rows.still)
    ranked = sorted(near, key=lambda pair: (-near[pair], pair))
    first = places[np.searchsorted(keys, known[chosen])]
    yield from compare.same_questions(rows, first, ranked, least=0.0)
