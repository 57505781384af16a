"""Everything that a report of a run says, for the page, the file and Markdown alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from datasets_app.selectors.versions import rows_of_split
from otto_web.lib.curves import smoothed
from training_app.lm.config import RunSpec
from training_app.lm.diagnosis import Finding
from training_app.lm.spreading import spread
from training_app.models import Evaluation, Run, TrainedModel
from training_app.selectors.diagnosis import diagnosis
from training_app.selectors.points import Curves, thinned_curves
from training_app.selectors.replies import ShownReply, shown_replies
from training_app.selectors.run_comparison import Versus, versus
from training_app.selectors.setting_groups import Group, setting_groups

SVG_POINTS = 300
MOST_REPLIES = 12
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Report:
    """A run that can be read without OTTO."""

    run: Run
    spec: RunSpec
    model: TrainedModel | None
    evaluation: Evaluation | None
    findings: list[Finding]
    curves: Curves
    replies: list[ShownReply]
    before: Versus | None  # against the run that it goes on from
    made_at: datetime

    @property
    def groups(self) -> list[Group]:
        return setting_groups(self.run)

    @property
    def rows(self) -> list[tuple[str, int]]:
        """Return the conversations of each split."""
        return [(split, rows_of_split(self.run.version, split)) for split in SPLITS]

    @property
    def dropped(self) -> int | None:
        """Return how many conversations of the dataset are not in the version, where known."""
        found = self.run.version.counts.get("set_aside")
        return None if found is None else int(found)

    @property
    def leaked(self) -> float | None:
        """Return the percentage of validation text that training has word for word, if measured."""
        share = self.evaluation.details.get("leaked_share") if self.evaluation else None
        return None if share is None else 100 * float(share)

    @property
    def verdict(self) -> str:
        """Return the stored verdict; the reason of the end where there is no model."""
        if self.evaluation is None:
            return self.run.message
        return str(self.evaluation.details.get("verdict", ""))

    @property
    def elapsed(self) -> timedelta | None:
        began, ended = self.run.started_at, self.run.finished_at
        return ended - began if began and ended else None

    @property
    def tokens(self) -> int:
        return self.run.last_step * self.spec.train.tokens_per_update(self.spec.model.context)

    @property
    def cores(self) -> float | None:
        """Return how many cores it kept busy on average."""
        values = [value for _, value in self.curves.get("machine/cores", [])]
        return sum(values) / len(values) if values else None

    @property
    def loss(self) -> list[tuple[int, float]]:
        return self.curves.get("train/loss", [])

    @property
    def smooth(self) -> list[tuple[int, float]]:
        return smoothed(self.loss)

    @property
    def validation(self) -> list[tuple[int, float]]:
        return self.curves.get("validation/loss", [])

    @property
    def bounds(self) -> tuple[float, float] | None:
        values = [value for _, value in [*self.loss, *self.validation]]
        return (min(values), max(values)) if values else None

    @property
    def steps(self) -> list[tuple[int, float | None, float]]:
        """Return step, training loss at about it, and validation loss of every evaluation."""
        trained = dict(self.smooth)
        return [(step, _near(trained, step), value) for step, value in self.validation]


def _near(values: dict[int, float], step: int) -> float | None:
    before = [at for at in values if at <= step]
    return values[max(before)] if before else None


def run_report(run: Run) -> Report:
    """Return the report of a run, in a fixed number of queries."""
    curves = thinned_curves([run.pk], most=SVG_POINTS).get(run.pk, {})
    model = getattr(run, "model", None)
    measured = Evaluation.objects.of_validation().filter(model=model, version=run.version_id)
    evaluation = measured.prefetch_related("samples").first() if model else None
    samples = list(evaluation.samples.all()) if evaluation else []
    return Report(
        run=run,
        spec=RunSpec.from_json(run.spec),
        model=model,
        evaluation=evaluation,
        findings=diagnosis(run, curves, evaluation, samples),
        curves=curves,
        replies=_some(shown_replies(samples)),
        before=_before(run),
        made_at=timezone.now(),
    )


def _some(replies: Sequence[ShownReply]) -> list[ShownReply]:
    return spread(list(replies), MOST_REPLIES)


def _before(run: Run) -> Versus | None:
    """Return the run against the one whose model or checkpoint it began with, or repeats."""
    start: Any = run.start_model.run if run.start_model else None
    before = start or run.parent_run
    return versus(before, run) if before is not None else None
