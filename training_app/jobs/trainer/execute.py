"""The trainer process: one attempt of a run, from its rows to its model."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from otto_web.lib.disk import is_disk_full
from otto_web.lib.files import sha256_of
from otto_web.lib.patience import DATABASE_AWAY
from otto_web.lib.revision import code_commit
from otto_web.lib.work.claims import LostLease
from otto_web.lib.work.states import State
from training_app.jobs.exits import Exit
from training_app.jobs.trainer.data import base_of, source_of, tokenizer_of
from training_app.jobs.trainer.link import Link
from training_app.jobs.trainer.log import RunLog
from training_app.jobs.trainer.publish import publish
from training_app.jobs.trainer.writer import DiskFullError, RunWriter
from training_app.lm.config import ConfigError, RunSpec, TrainingError
from training_app.lm.contract import Start, StopReason
from training_app.lm.driver import train_run
from training_app.lm.loop import DivergedError
from training_app.models import Checkpoint, Run, paths
from training_app.models.reasons import Reason
from training_app.selectors.answer_tests import RUN_SECONDS, answer_test_of, known_to
from training_app.services.attempts import Claim, end_run
from training_app.services.recording import check_fence
from training_app.services.results import DiscardedError

log = logging.getLogger(__name__)
_REFUSALS: tuple[tuple[type[TrainingError], Exit, Reason], ...] = (
    (DivergedError, Exit.DIVERGED, Reason.DIVERGED),
    (ConfigError, Exit.CONFIGURATION, Reason.CONFIGURATION),
    (DiskFullError, Exit.DISK, Reason.DISK),
    (TrainingError, Exit.DATA, Reason.DATA),
)
_STOPPED: dict[StopReason, Exit] = {
    "cancel": Exit.CANCELLED,
    "keep": Exit.CANCELLED,  # before the first update: there is nothing to keep
    "drain": Exit.DRAINED,
    "timeout": Exit.TIMED_OUT,
}


def execute_run(run_id: UUID, fence: int, pipe: int) -> Exit:
    """Train under this fence until the run ends or has to stop; return how it ended."""
    try:
        return _execute(run_id, fence, pipe)
    except Exception as error:
        if not is_disk_full(error):
            raise
        log.warning("the disk takes nothing: %s", error)
        return Exit.NO_ROOM


def _execute(run_id: UUID, fence: int, pipe: int) -> Exit:
    run = Run.objects.select_related("version__dataset", "start_model", "start_checkpoint").get(
        pk=run_id
    )
    claim = Claim(run.pk, fence, run.attempts)
    run_log = RunLog(paths.attempt_folder(run.pk, fence), run.pk)
    link = Link(
        pipe,
        lost_seconds=settings.OTTO_BEAT_LOST_SECONDS,
        check=partial(_check_if_possible, claim),
    )
    link.listen()
    if run.is_to_be_kept:  # stopped while nobody trained: the model is all that is left to do
        link.ask("keep")
    run_log.line("started", attempt=run.attempts, fence=fence)
    try:
        code = _attempt(run, claim, link, run_log)
    except LostLease:
        code = Exit.FENCE_LOST
    except TrainingError as error:
        code = Exit.NO_ROOM if is_disk_full(error) else _refused(claim, error)
    except MemoryError:
        code = Exit.MEMORY
    except BaseException as error:
        if not is_disk_full(error):
            run_log.line("crashed", level="error", error=f"{type(error).__name__}: {error}")
        raise
    if code != Exit.FENCE_LOST:
        run_log.line("ended", exit=int(code))
    return code


def _check_if_possible(claim: Claim) -> None:
    """Check the fence; with the database away nothing is known, and the trainer waits on."""
    try:
        check_fence(claim)
    except DATABASE_AWAY as error:
        connection.close()
        log.warning("the database is away, waiting: %s", error)


def _attempt(run: Run, claim: Claim, link: Link, run_log: RunLog) -> Exit:
    check_fence(claim)
    spec = RunSpec.from_json(run.spec)
    work = paths.attempt_folder(run.pk, claim.fence) / "work"
    work.mkdir(parents=True, exist_ok=True)
    version = run.version
    source = source_of(version, spec)
    writer = RunWriter(claim, link, run_log, keep_last=spec.train.keep_last)
    writer.check_room()  # else an attempt would find out only after its first minute
    result = train_run(spec, source, work, writer, link.should_stop, _start(run, spec, writer))
    if result.outcome != "succeeded" and result.folder is None:
        return _STOPPED[result.outcome]
    if link.should_stop() == "cancel":  # somebody changed their mind while it was finishing
        return Exit.CANCELLED
    writer.phase("saving")
    try:
        publish(run, claim, result, run_log)
    except DiscardedError:  # or only now
        return Exit.CANCELLED
    return Exit.DONE


def _start(run: Run, spec: RunSpec, writer: RunWriter) -> Start:
    return Start(
        base=base_of(run.start_model, spec),
        tokenizer=tokenizer_of(spec),
        checkpoints=[path for row in _checkpoints(run) if (path := _intact(row, writer))],
        must_resume=run.start_checkpoint is not None,
        decided=run.decided,
        cache=settings.OTTO_CACHE_DIR,
        manifest=run_manifest(run),
        grounds=known_to(run.version, run.spec["data"]),
        answer_test=answer_test_of(
            run.version, "validation", seconds=RUN_SECONDS, abstention=spec.data.abstention
        ),
    )


def _checkpoints(run: Run) -> list[Checkpoint]:
    """Return what the attempt may begin with, newest first.

    What the run goes on from is followed back to the first run, where the best one may be.
    """
    found = list(run.checkpoints.order_by("-step", "-fence"))
    start = run.start_checkpoint
    while start is not None:
        earlier = start.run.checkpoints.filter(step__lte=start.step)
        found += earlier.order_by("-step", "-fence")
        start = start.run.start_checkpoint
    return found


def _intact(row: Checkpoint, writer: RunWriter) -> Path | None:
    """Return the folder whose manifest is the one that the row names."""
    folder = paths.absolute(row.path)
    manifest = folder / "manifest.json"
    if manifest.is_file() and sha256_of(manifest) == row.manifest_sha256:
        return folder
    writer.note(f"The checkpoint at step {row.step} is damaged and is not used.")
    return None


def run_manifest(run: Run) -> dict[str, Any]:
    """Return what a model says about the run it comes from."""
    version = run.version
    return {
        "run": str(run.pk),
        "run_name": run.name,
        "spec": run.spec,
        "spec_sha256": run.spec_sha256,
        "version": {
            "id": str(version.pk),
            "dataset": version.dataset.name,
            "number": version.number,
            "manifest_sha256": version.manifest_sha256,
            "counts": version.counts,
            "quality_score": version.quality_score,
        },
        "trained_anyway": run.forced_reason,
        "start_model": None if run.start_model is None else str(run.start_model),
        "parent_run": None if run.parent_run_id is None else str(run.parent_run_id),
        "attempt": run.attempts,
        "fence": run.fence,
        "git_commit": code_commit(),
    }


def _refused(claim: Claim, error: TrainingError) -> Exit:
    """End the run as failed with the error's own sentence."""
    code, reason = next((code, why) for kind, code, why in _REFUSALS if isinstance(error, kind))
    end_run(claim, State.FAILED, reason=reason, message=str(error))
    return code
