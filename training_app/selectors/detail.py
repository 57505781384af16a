"""What a run's page shows besides its live part."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from otto_web.lib.curves import smoothed
from otto_web.lib.work.states import State
from training_app.lm.methods.registry import METHODS
from training_app.models import Evaluation, Run
from training_app.models.reasons import Reason
from training_app.selectors.panel import run_panel
from training_app.selectors.points import thinned_curves
from training_app.selectors.replies import shown_replies
from training_app.selectors.setting_words import SETTINGS

SVG_POINTS = 400
TABLE_ROWS = 24


def run_detail_page(run: Run) -> dict[str, Any]:
    """Return everything of a run's page, in a fixed number of queries."""
    panel = run_panel(run.pk)
    curves = thinned_curves([run.pk], most=SVG_POINTS).get(run.pk, {})
    loss, validation = curves.get("train/loss", []), curves.get("validation/loss", [])
    model = getattr(run, "model", None)
    measured = Evaluation.objects.of_validation().filter(model=model)
    evaluation = measured.prefetch_related("samples").first()
    heights = [value for curve in (loss, validation) for _, value in curve]
    is_stopped = run.state in {State.CANCELLED, State.FAILED}
    return {
        "panel": panel,
        "run": run,
        "model": model,
        "evaluation": evaluation,
        "replies": shown_replies(evaluation.samples.all()) if evaluation else [],
        "stopped": run.message.removesuffix(str(evaluation.details.get("verdict", "")))
        if evaluation
        else run.message,
        "loss": loss,
        "smooth": smoothed(loss),
        "validation": validation,
        "bounds": (min(heights), max(heights)) if heights else None,
        "rows": _table(loss, validation),
        "can_stop": not run.is_over and run.cancel_requested_at is None,
        "can_continue": is_stopped and panel is not None and bool(panel.checkpoints),
        "can_retry": run.state == State.FAILED and run.reason == Reason.DIVERGED,
        "settings": _settings(run),
        "idem_key": uuid4(),  # one page orders one run, however often its button is pressed
    }


def _table(
    loss: list[tuple[int, float]], validation: list[tuple[int, float]]
) -> list[tuple[int, float | None, float | None]]:
    """Return about 24 lines with both losses: every evaluation, and steps spread between them."""
    by_step, evaluated = dict(loss), dict(validation)
    every = max(1, len(loss) // TABLE_ROWS)
    spread = [step for step, _ in loss[::every]]
    steps = sorted({*spread, *evaluated})
    return [(step, by_step.get(step), evaluated.get(step)) for step in steps]


def _settings(run: Run) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return the run's settings in titled groups, as they were used."""
    spec = run.spec
    method = METHODS[spec.get("method", "scratch")]
    way = {"what is trained": f"{method.label}: {method.sentence}"}
    groups = [("Method", way), ("Network", spec["model"]), ("Training", spec["train"])]
    groups += [("Data", spec["data"]), ("Decided at the start", run.decided)]
    return [
        (title, [(setting_words(key), value) for key, value in values.items()])
        for title, values in groups
    ]


def setting_words(key: str) -> str:
    """Return a setting's name as the form says it; what the form does not ask, in plain words."""
    return SETTINGS[key].label if key in SETTINGS else key.replace("_", " ")
