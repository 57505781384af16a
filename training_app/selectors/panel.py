"""What the live part of a run's page shows, the same on first load, over the socket and polled."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from otto_web.lib.work.states import State
from training_app.lm.bands import LossCurve
from training_app.lm.config import RunSpec
from training_app.lm.methods.registry import METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.watching import (
    course_warnings,
    is_gibberish,
    overfit_warning,
    perplexity_band,
    share_of,
)
from training_app.models import Checkpoint, Run, RunEvent, RunLease, RunSample
from training_app.selectors.forecast import train_tokens
from training_app.selectors.log_tail import LogLine, log_tail
from training_app.selectors.queue import Waiting, waiting_runs
from training_app.selectors.speed import seconds_left

PHASE_WORDS = {
    "": "waiting",
    "starting": "starting",
    "tokenizer": "making the tokenizer",
    "packing": "preparing tokens",
    "compiling": "compiling",
    "training": "training",
    "evaluating": "evaluating",
    "saving": "saving",
}
_RECENT = 60  # newest points of each curve that figures are made of
_SAMPLE_STEPS = 3  # columns of the grid besides the one before training
_EVENTS = 30
_SINCE_BEST = 5_000  # training losses since the best validation that are compared


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A fixed prompt with its replies at the shown steps."""

    prompt: str
    reference: str
    replies: list[tuple[str, bool]]  # with whether it is gibberish


@dataclass(slots=True)
class Panel:
    """Everything that `_run_live.html` shows."""

    run: Run
    spec: RunSpec
    lease: RunLease | None
    latest: dict[str, float]
    recent: dict[str, list[tuple[int, float]]]
    best: tuple[int, float] | None
    checkpoints: list[Checkpoint]
    events: list[RunEvent]
    sample_steps: list[int]
    samples: list[SampleRow]
    log: list[LogLine]
    overfits: str = ""
    waits: Waiting | None = None
    now: datetime = field(default_factory=timezone.now)

    @property
    def phase(self) -> str:
        return PHASE_WORDS.get(self.run.phase, self.run.phase)

    @property
    def share(self) -> float:
        total = self.run.total_steps
        return min(1.0, self.run.last_step / total) if total else 0.0

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def elapsed(self) -> timedelta | None:
        if self.run.started_at is None:
            return None
        return (self.run.finished_at or self.now) - self.run.started_at

    @property
    def figures(self) -> dict[str, Any]:
        """Return the newest figures by their short names."""
        rate = self.latest.get("train/rate")
        return {
            "loss": self.latest.get("train/loss"),
            "validation": self.latest.get("validation/loss"),
            "answers": self.latest.get(_ANSWERS) if self.is_of_answers else None,
            "bits_per_byte": self.latest.get("validation/bits_per_byte"),
            "gradient": self.latest.get("train/gradient_norm"),
            "rate": None if rate is None else f"{rate:.1e}",
            "cores": self.latest.get("machine/cores"),
            "memory": self.latest.get("machine/memory_bytes"),
            "disk_free": self.latest.get("machine/disk_free_bytes"),
        }

    @property
    def is_of_answers(self) -> bool:
        """Return whether answers alone are learnt, and so the best state is judged on them."""
        return _watched(self.run) == _ANSWERS

    @property
    def method(self) -> str:
        return METHODS[self.spec.method].label

    @property
    def optimizer(self) -> str:
        return OPTIMIZERS[self.spec.train.optimizer].label

    @property
    def tokens_per_update(self) -> int:
        return self.spec.train.tokens_per_update(self.spec.model.context)

    @property
    def tokens_per_second(self) -> float | None:
        speeds = [value for _, value in self.recent.get("train/tokens_per_second", [])]
        return statistics.median(speeds) if speeds else None

    @property
    def seconds_left(self) -> float | None:
        """Return about how long training still takes, by the newest points."""
        speeds = [value for _, value in self.recent.get("train/tokens_per_second", [])]
        return seconds_left(self.run, self.spec, speeds)

    @property
    def beat_seconds(self) -> float | None:
        return None if self.lease is None else (self.now - self.lease.beat_at).total_seconds()

    @property
    def step_seconds(self) -> float | None:
        return None if self.lease is None else (self.now - self.lease.progress_at).total_seconds()

    @property
    def is_interrupted(self) -> bool:
        return self.run.state == State.QUEUED and self.run.attempts > 0

    @property
    def is_cancelling(self) -> bool:
        return self.run.cancel_requested_at is not None and not self.run.is_over

    @property
    def tries_again_in(self) -> float:
        not_before = self.run.not_before or self.now
        return max(0.0, (not_before - self.now).total_seconds())

    @property
    def passes(self) -> float | None:
        """Return how often the run has been through its data, where the data's size is known."""
        counted = self.run.decided.get("train_tokens")
        tokens = counted or train_tokens(self.spec, self.run.version)
        return self.run.last_step * self.tokens_per_update / tokens if tokens else None

    @property
    def warnings(self) -> list[str]:
        """Return what a person should think about now; said once, however often it was resumed."""
        amber = (event.detail for event in self.events if event.kind in _AMBER)
        found = list(dict.fromkeys(amber))
        train = self.recent.get("train/loss", [])[::-1]
        found += course_warnings(train, self.validation, passes=self.passes or 0.0)
        return found

    @property
    def validation(self) -> LossCurve:
        """Return the newest validation losses that the run is judged by, in order."""
        name = "answer_loss" if self.spec.train.loss_on == "answers" else "loss"
        points = self.recent.get(f"validation/{name}", [])
        losses = [(step, loss) for step, loss in points if math.isfinite(loss)]
        return LossCurve(losses[::-1], self.spec.train.loss_on)

    @property
    def reading(self) -> str:
        """Return one sentence that says how the validation loss goes."""
        points = self.recent.get(_watched(self.run), [])
        name = "The validation loss of answers" if self.is_of_answers else "Validation loss"
        if len(points) < 2:
            return ""
        (step, newest), (before_step, before) = points[0], points[1]
        if newest >= before:
            best = "" if self.best is None else f" The best was {self.best[1]:.3f}."
            return f"{name} is not falling: {newest:.3f} at step {step:,}.{best}"
        share = 100 * (before - newest) / before
        return (
            f"{name} is still falling: {share:.1f} % better than"
            f" {step - before_step:,} steps before."
        )


_ANSWERS = "validation/answer_loss"
_AMBER = {"note", "checkpoint missed", "nondeterministic"}


def run_panel(run_id: UUID) -> Panel | None:
    """Return the live part of a run in a fixed number of queries; None where there is none."""
    related = ("version__dataset", "created_by", "lease", "start_model")
    run = Run.objects.select_related(*related).filter(pk=run_id).first()
    if run is None:
        return None
    recent = _recent_points(run_id)
    steps, samples = _sample_grid(run, _poor_steps(run, recent))
    found = Panel(
        run=run,
        spec=RunSpec.from_json(run.spec),
        lease=getattr(run, "lease", None),
        latest={name: points[0][1] for name, points in recent.items() if _known(points)},
        recent=recent,
        best=_best_validation(run),
        checkpoints=list(run.checkpoints.order_by("-step", "-fence")),
        events=list(run.events.order_by("-seq")[:_EVENTS]),
        sample_steps=steps,
        samples=samples,
        log=log_tail(run_id),
        waits=waiting_runs().get(run.pk) if run.state == State.QUEUED else None,
    )
    if not run.is_over and found.validation.is_overfitting:
        found.overfits = overfit_warning(_train_since_best(found), found.validation)
    return found


def _poor_steps(run: Run, recent: dict[str, list[tuple[int, float]]]) -> set[int]:
    """Return the evaluations whose perplexity is that of gibberish, of what the run learns from."""
    losses = dict(recent.get("validation/loss", []))
    watched = losses
    if run.spec["train"].get("loss_on") == "answers":
        watched = dict(recent.get("validation/answer_loss", []))
    return {
        step
        for step, bits in recent.get("validation/bits_per_byte", [])
        if math.isfinite(bits)
        and perplexity_band(bits * share_of(watched.get(step), losses.get(step))).tone == "bad"
    }


def _train_since_best(panel: Panel) -> list[tuple[int, float]]:
    best_step, _ = panel.validation.best
    points = panel.run.points.filter(name="train/loss", step__gte=best_step)
    return list(points.order_by("step").values_list("step", "value")[:_SINCE_BEST])


def _known(points: list[tuple[int, float]]) -> bool:
    return bool(points) and math.isfinite(points[0][1])


def _recent_points(run_id: UUID) -> dict[str, list[tuple[int, float]]]:
    """Return the newest points of each curve, newest first."""
    query = """
        SELECT name, step, value FROM (
            SELECT name, step, value,
                   row_number() OVER (PARTITION BY name ORDER BY step DESC) AS place
            FROM training_app_runpoint WHERE run_id = %s
        ) newest WHERE place <= %s ORDER BY name, step DESC
    """
    found: dict[str, list[tuple[int, float]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, [run_id, _RECENT])
        for name, step, value in cursor.fetchall():
            found.setdefault(name, []).append((step, value))
    return found


def _watched(run: Run) -> str:
    """Return the curve by which the best weights are chosen."""
    return _ANSWERS if run.spec["train"].get("loss_on") == "answers" else "validation/loss"


def _best_validation(run: Run) -> tuple[int, float] | None:
    """Return the update with the best weights, and its loss; before training there are none."""
    points = run.points.filter(name=_watched(run), step__gt=0).exclude(value=math.nan)
    best = points.order_by("value", "step").values_list("step", "value").first()
    return None if best is None else (best[0], best[1])


def _sample_grid(run: Run, poor: Collection[int]) -> tuple[list[int], list[SampleRow]]:
    """Return steps and rows of the grid: before training, and the newest evaluations.

    At the `poor` ones it wrote gibberish whatever a single reply looks like.
    """
    rows = list(RunSample.objects.filter(run=run).order_by("prompt_no", "step"))
    steps = sorted({row.step for row in rows})
    if len(steps) > _SAMPLE_STEPS + 1:
        steps = [steps[0], *steps[-_SAMPLE_STEPS:]]
    by_prompt = groupby(rows, lambda row: row.prompt_no)
    return steps, [_sample_row(list(group), steps, poor) for _, group in by_prompt]


def _sample_row(rows: Iterable[RunSample], steps: list[int], poor: Collection[int]) -> SampleRow:
    by_step = {row.step: row for row in rows}
    newest = by_step[max(by_step)]
    replies = [(step, by_step[step].reply if step in by_step else "–") for step in steps]
    told = [(reply, step in poor or is_gibberish(reply)) for step, reply in replies]
    return SampleRow(newest.prompt, newest.reference, told)
