"""Turns what happens during a run into rows and files, all under the attempt's fence."""

from __future__ import annotations

import errno
import logging
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import OperationalError, connection
from safetensors import SafetensorError

from otto_web.lib.disk import disk_words, is_disk_full
from otto_web.lib.failpoints import failpoint
from otto_web.lib.files import durable_folder, sha256_of
from otto_web.lib.patience import DATABASE_AWAY
from training_app.jobs.trainer.link import Link
from training_app.jobs.trainer.log import RunLog
from training_app.jobs.trainer.resources import Resources
from training_app.lm.config import TrainingError
from training_app.lm.contract import Point, Sample
from training_app.models import paths
from training_app.services import recording
from training_app.services.attempts import Claim

log = logging.getLogger(__name__)
Result = TypeVar("Result")
_MOST_MISSES = 3
_PAUSES = (0.2, 0.5, 1.0, 2.0)


class DiskFullError(TrainingError):
    """Checkpoints could not be written three times in a row."""


class RunWriter:
    """The receiver of a run's events."""

    def __init__(self, claim: Claim, link: Link, run_log: RunLog, *, keep_last: int) -> None:
        self._claim = claim
        self._link = link
        self._log = run_log
        self._keep_last = keep_last
        self._resources = Resources()
        self._misses = 0
        self._bytes_expected = 0

    def phase(self, name: str) -> None:
        self._persist(lambda: recording.record_phase(self._claim, name))
        self._log.line("phase", phase=name)

    def note(self, sentence: str) -> None:
        self._warn("note", sentence, level="info")

    def decided(self, values: Mapping[str, Any]) -> None:
        self._persist(lambda: recording.record_decided(self._claim, values))
        self._log.line("decided", **values)

    def points(self, points: Sequence[Point]) -> None:
        if not points:
            return
        failpoint("trainer.points")
        last = max(step for _, step, _ in points)
        points = [*points, *self._resources.points(last)]
        differs_at = self._persist(lambda: recording.record_points(self._claim, points))
        values = {name: value for name, step, value in points if step == last}
        self._log.at(last, _finite(values.get("train/loss")))
        figures: dict[str, Any] = {name: _finite(value) for name, value in values.items()}
        self._log.line("progress", **figures)
        if differs_at is not None:
            self._warn(
                "nondeterministic",
                f"From step {differs_at} on this attempt computes other numbers than the one"
                " before it: another machine, build or thread count.",
            )

    def samples(self, step: int, samples: Sequence[Sample]) -> None:
        if samples:
            self._persist(lambda: recording.record_samples(self._claim, step, samples))
            self._log.line("samples", count=len(samples), at_step=step)

    def checkpoint(
        self,
        step: int,
        write: Callable[[Path], None],
        validation_loss: float | None,
        *,
        is_best: bool,
    ) -> None:
        self._persist(lambda: recording.check_fence(self._claim))
        final = paths.attempt_folder(self._claim.run_id, self._claim.fence) / f"step-{step}"
        try:
            self.check_room()
            with durable_folder(final) as folder:
                write(folder)
        except (OSError, SafetensorError) as error:
            if not (isinstance(error, OSError) or is_disk_full(error)):
                raise
            self._missed(step, error)
            return
        self._misses = 0
        facts = self._facts(final, step, validation_loss, is_best=is_best)
        stale = self._persist(
            lambda: recording.record_checkpoint(self._claim, facts, keep_last=self._keep_last)
        )
        self._log.line("checkpoint", at_step=step, validation_loss=validation_loss, is_best=is_best)
        for path in stale:
            shutil.rmtree(paths.absolute(path), ignore_errors=True)
        failpoint("trainer.checkpointed")

    def _facts(
        self, final: Path, step: int, validation_loss: float | None, *, is_best: bool
    ) -> recording.CheckpointFacts:
        self._bytes_expected = sum(path.stat().st_size for path in final.iterdir())
        return recording.CheckpointFacts(
            step=step,
            path=paths.relative(final),
            manifest_sha256=sha256_of(final / "manifest.json"),
            bytes=self._bytes_expected,
            validation_loss=validation_loss,
            is_best=is_best,
        )

    def check_room(self) -> None:
        """Raise OSError when less is free than a checkpoint and a reserve take."""
        free = shutil.disk_usage(settings.OTTO_DATA_DIR).free
        if free < self._bytes_expected + settings.OTTO_DISK_RESERVE_BYTES // 4:
            raise OSError(errno.ENOSPC, f"only {free / 1e6:,.0f} MB are free")

    def _missed(self, step: int, error: Exception) -> None:
        self._misses += 1
        why = getattr(error, "strerror", None) or error
        sentence = (
            f"The checkpoint at step {step} could not be written ({why})."
            " The one before it is kept."
        )
        self._warn("checkpoint missed", sentence)
        if self._misses >= _MOST_MISSES:
            words = disk_words(error) or "The disk does not take them"
            raise DiskFullError(
                f"Three checkpoints in a row could not be written. {words}."
                " Free some space, or make it writable, and continue from the last checkpoint."
            ) from error

    def _warn(self, kind: str, sentence: str, *, level: str = "warning") -> None:
        self._persist(lambda: recording.record_note(self._claim, kind, sentence))
        self._log.line(kind, level=level, message=sentence)

    def _persist(self, write: Callable[[], Result]) -> Result:
        """Write, and try again for as long as the database is away and a supervisor watches."""
        for tries in range(1_000_000):
            try:
                return write()
            except DATABASE_AWAY as error:
                if self._link.is_orphan:
                    raise
                connection.close()
                log.warning("the database is away, waiting: %s", error)
                time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
        raise OperationalError("the database stayed away")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
