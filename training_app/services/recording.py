"""What an attempt writes while it trains; each write checks the fence in its own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from otto_web.lib.failpoints import failpoint
from otto_web.lib.words import figure
from otto_web.lib.work.claims import LostLease, held
from training_app.events import notify_run_after_commit
from training_app.lm.contract import Point, Sample
from training_app.models import Checkpoint, Run, RunLease, RunSample
from training_app.services.attempts import Claim
from training_app.services.run_events import NewEvent, add_event, take_numbers

# what the clock and the machine have a say in never comes out the same again; all else must
_TIMED = ("train/tokens_per_second", "machine/")

_UPSERT = """
INSERT INTO training_app_runpoint AS p (run_id, name, step, value, seq, fence)
SELECT %s, name, step, value, %s + place - 1, %s
FROM unnest(%s::text[], %s::bigint[], %s::float8[]) WITH ORDINALITY AS t(name, step, value, place)
ON CONFLICT (run_id, name, step) DO UPDATE
    SET value = EXCLUDED.value, seq = EXCLUDED.seq, fence = EXCLUDED.fence
    WHERE p.value IS DISTINCT FROM EXCLUDED.value
RETURNING name, step, xmax <> 0
"""


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """A checkpoint folder that is durable already and waits for its row."""

    step: int
    path: str  # relative to the data folder
    manifest_sha256: str
    bytes: int
    validation_loss: float | None
    is_best: bool


@transaction.atomic
def record_points(claim: Claim, points: Sequence[Point]) -> int | None:
    """Write a batch of points; returns the first step that came out differently, if one did."""
    unique = {(name, step): value for name, step, value in points}
    first = take_numbers(claim.run_id, len(unique), fence=claim.fence)
    names, steps = [key[0] for key in unique], [key[1] for key in unique]
    with connection.cursor() as cursor:
        values: list[Any] = [claim.run_id, first, claim.fence, names, steps, list(unique.values())]
        cursor.execute(_UPSERT, values)
        written = cursor.fetchall()
        changed = [step for name, step, was in written if was and not name.startswith(_TIMED)]
    failpoint("trainer.in_transaction")
    _progress(claim, max(steps))
    last = first + len(unique) - 1
    notify_run_after_commit(claim.run_id, last)
    return min(changed, default=None)


def _progress(claim: Claim, step: int) -> None:
    Run.objects.filter(pk=claim.run_id, last_step__lt=step).update(last_step=step)
    RunLease.objects.filter(run_id=claim.run_id, fence=claim.fence).update(
        progress_at=Now(), progress_step=step
    )


@transaction.atomic
def record_samples(claim: Claim, step: int, samples: Sequence[Sample]) -> None:
    """Write the replies to the fixed prompts at this step; a repeat replaces them."""
    first = take_numbers(claim.run_id, len(samples), fence=claim.fence)
    rows = [
        RunSample(
            run_id=claim.run_id,
            step=step,
            prompt_no=number,
            prompt=prompt,
            reply=reply,
            reference=reference,
            seq=first + index,
            fence=claim.fence,
        )
        for index, (number, prompt, reply, reference) in enumerate(samples)
    ]
    RunSample.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["run", "step", "prompt_no"],
        update_fields=["prompt", "reply", "reference", "seq", "fence"],
    )
    last = first + len(samples) - 1
    notify_run_after_commit(claim.run_id, last)


@transaction.atomic
def record_phase(claim: Claim, phase: str) -> None:
    """Say what the attempt is doing now."""
    seq = take_numbers(claim.run_id, 1, fence=claim.fence)
    Run.objects.filter(pk=claim.run_id).update(phase=phase)
    RunLease.objects.filter(run_id=claim.run_id, fence=claim.fence).update(progress_at=Now())
    notify_run_after_commit(claim.run_id, seq)


@transaction.atomic
def record_decided(claim: Claim, values: Mapping[str, Any]) -> None:
    """Keep what was measured once, so that every later attempt does the same."""
    add_event(claim.run_id, NewEvent("decided", _in_words(values)), fence=claim.fence)
    run = Run.objects.get(pk=claim.run_id)
    decided = {**run.decided, **values}
    steps = int(decided.get("steps") or run.total_steps)
    Run.objects.filter(pk=claim.run_id).update(decided=decided, total_steps=steps)


def _in_words(values: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in values.items() if isinstance(value, str | int | float)}
    told = (f"{key.replace('_', ' ')} {figure(value)}" for key, value in plain.items())
    return ", ".join(told)[:500]


@transaction.atomic
def record_note(claim: Claim, kind: str, sentence: str) -> None:
    """Add something that a person should read to the run's history."""
    add_event(claim.run_id, NewEvent(kind, sentence), fence=claim.fence)


@transaction.atomic
def record_checkpoint(claim: Claim, facts: CheckpointFacts, *, keep_last: int) -> list[str]:
    """Name a durable checkpoint; returns the folders that are no longer needed."""
    detail = f"step {facts.step}" + (", the best so far" if facts.is_best else "")
    add_event(claim.run_id, NewEvent("checkpoint", detail), fence=claim.fence)
    mine = Checkpoint.objects.filter(run_id=claim.run_id)
    newest = mine.aggregate(step=Max("step"))["step"]
    if facts.is_best:
        mine.filter(is_best=True).update(is_best=False)
    Checkpoint.objects.update_or_create(
        run_id=claim.run_id,
        step=facts.step,
        fence=claim.fence,
        defaults={
            "path": facts.path,
            "manifest_sha256": facts.manifest_sha256,
            "bytes": facts.bytes,
            "validation_loss": facts.validation_loss,
            "is_best": facts.is_best,
        },
    )
    if newest is None or facts.step > newest:
        Run.objects.filter(pk=claim.run_id).update(no_progress_deaths=0)
    return _prune(claim, keep_last)


def _prune(claim: Claim, keep_last: int) -> list[str]:
    """Drop all but the last ones, the best, and what another run begins with."""
    mine = Checkpoint.objects.filter(run_id=claim.run_id)
    kept = set(mine.order_by("-step", "-fence").values_list("pk", flat=True)[:keep_last])
    stale = mine.exclude(pk__in=kept).filter(is_best=False, continued_by=None)
    paths = list(stale.values_list("path", flat=True))
    stale.delete()
    return paths


def check_fence(claim: Claim) -> None:
    """Return when this attempt still owns the run; raises LostLease when it does not."""
    if not held(claim.row).exists():
        raise LostLease("Another attempt owns this run.")
