"""Preparing a version by the trainer's own code, and saying what came of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from otto_web.lib.work.claims import LostLease, finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.jobs.trainer.data import base_of, source_of, tokenizer_of
from training_app.lm.config import RunSpec, TrainingError
from training_app.lm.contract import Point, Sample, Start, StoppedError, StopReason, stoppable
from training_app.lm.prepare import prepare
from training_app.lm.prepared_facts import facts_of, write_statistics, write_texts
from training_app.models import Preparation, paths


def prepare_data(preparation_id: UUID | str) -> None:
    """Prepare what waits; a call too many does nothing."""
    perform(Preparation, preparation_id, _prepare, refusals=(TrainingError,))


@dataclass(slots=True)
class _Told:
    """Hears what a run would be told of its data; nothing else happens."""

    notes: list[str] = field(default_factory=list)

    def phase(self, name: str) -> None: ...

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def decided(self, values: Mapping[str, Any]) -> None: ...

    def points(self, points: Sequence[Point]) -> None: ...

    def samples(self, step: int, samples: Sequence[Sample]) -> None: ...

    def checkpoint(
        self,
        step: int,
        write: Callable[[Path], None],
        validation_loss: float | None,
        *,
        is_best: bool,
    ) -> None: ...


def _prepare(order: Preparation, lease: Lease) -> None:
    spec = RunSpec.from_json(order.spec)
    work = paths.absolute(order.folder)
    work.mkdir(parents=True, exist_ok=True)

    def asked() -> StopReason | None:
        lease.touch()
        return "cancel" if lease.is_lost else None

    told = _Told()
    start = Start(base=base_of(order.start_model, spec), tokenizer=tokenizer_of(spec))
    try:
        source = stoppable(source_of(order.version, spec), asked)
        prepared = prepare(spec, source, work, told, start)
        write_texts(prepared)
        facts = facts_of(prepared, context=spec.model.context)
        splits = order.version.counts.get("splits", {})
        rows = sum(int(splits.get(name, 0)) for name in ("train", "validation"))
        write_statistics(prepared, facts, rows=rows)
    except StoppedError as stopped:
        shutil.rmtree(work, ignore_errors=True)
        raise LostLease("Somebody else prepares this, or nobody wants it any more.") from stopped
    except TrainingError:
        shutil.rmtree(work, ignore_errors=True)
        raise
    finish(order, path=order.folder, facts={**facts, "notes": told.notes})
