"""What the list of runs shows."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator

from otto_web.lib.curves import smoothed
from training_app.lm.config import RunSpec
from training_app.lm.presets import DEFAULT_PRESET, PRESETS
from training_app.models import RUN_STATES, Run
from training_app.models.reasons import Reason
from training_app.selectors.points import thinned_curves
from training_app.selectors.speed import seconds_left

RUNS_PER_PAGE = 30
SMALL_CURVE_POINTS = 60
LOSS, VALIDATION_LOSS = "train/loss", "validation/loss"
SPEED = "train/tokens_per_second"
_NEWEST = 20  # points of the speed


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the list: its row, its small curve and how far it is."""

    run: Run
    loss: list[tuple[int, float]]
    validation: list[tuple[int, float]]
    speeds: list[float]

    @property
    def seconds_left(self) -> float | None:
        return seconds_left(self.run, RunSpec.from_json(self.run.spec), self.speeds)

    @property
    def share(self) -> float:
        total = self.run.total_steps
        return min(1.0, self.run.last_step / total) if total else 0.0

    @property
    def reason(self) -> str:
        """Return why the run ended, in short; nothing while it goes or when it ended well."""
        reason = self.run.reason
        return Reason(reason).short if self.run.is_over and reason in Reason.values else ""

    @property
    def bounds(self) -> tuple[float, float] | None:
        values = [value for _, value in [*self.loss, *self.validation]]
        return (min(values), max(values)) if values else None


@dataclass(frozen=True, slots=True)
class RunList:
    """One page of the list."""

    page: Page[Run]
    lines: list[RunLine]
    state: str
    has_going: bool

    @property
    def first_seconds(self) -> float:
        """Return how long the default preset trains."""
        return 60 * (PRESETS[DEFAULT_PRESET].train.minutes or 0.0)


def run_list(user: User, *, state: str = "", page: str = "1") -> RunList:
    """Return a page of runs with their small curves, in a fixed number of queries."""
    runs = Run.objects.visible_to(user).newest_first()
    if state in RUN_STATES:
        runs = runs.filter(state=state)
    related = runs.select_related("version__dataset", "created_by", "model")
    found = Paginator(related, RUNS_PER_PAGE).get_page(page)
    rows = list(found.object_list)
    curves = thinned_curves(
        [run.pk for run in rows], most=SMALL_CURVE_POINTS, names=[LOSS, VALIDATION_LOSS, SPEED]
    )
    lines = [
        RunLine(
            run,
            smoothed(curves.get(run.pk, {}).get(LOSS, [])),
            curves.get(run.pk, {}).get(VALIDATION_LOSS, []),
            [value for _, value in curves.get(run.pk, {}).get(SPEED, [])[-_NEWEST:]],
        )
        for run in rows
    ]
    return RunList(found, lines, state, any(not run.is_over for run in rows))
