"""What a run's page shows besides its live part."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from otto_web.lib.curves import smoothed
from otto_web.lib.work.states import State
from training_app.lm.watching import PerplexityBand, perplexity_band, share_of
from training_app.models import Evaluation, Run
from training_app.models.reasons import Reason
from training_app.selectors.diagnosis import diagnosis
from training_app.selectors.panel import run_panel
from training_app.selectors.points import thinned_curves
from training_app.selectors.replies import shown_replies
from training_app.selectors.setting_groups import setting_groups

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
    samples = list(evaluation.samples.all()) if evaluation else []
    heights = [value for curve in (loss, validation) for _, value in curve]
    is_stopped = run.state in {State.CANCELLED, State.FAILED}
    return {
        "panel": panel,
        "run": run,
        "model": model,
        "evaluation": evaluation,
        "band": _band(run, evaluation),
        "findings": diagnosis(run, curves, evaluation, samples),
        "replies": shown_replies(samples),
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
        "settings": setting_groups(run),
        "idem_key": uuid4(),  # one page orders one run, however often its button is pressed
    }


def _band(run: Run, evaluation: Evaluation | None) -> PerplexityBand | None:
    """Return what the perplexity is called, of what the run learned from."""
    if evaluation is None:
        return None
    is_of_answers = run.spec["train"].get("loss_on") == "answers"
    watched = evaluation.answer_loss if is_of_answers else None
    return perplexity_band(evaluation.bits_per_byte * share_of(watched, evaluation.loss))


def _table(
    loss: list[tuple[int, float]], validation: list[tuple[int, float]]
) -> list[tuple[int, float | None, float | None]]:
    """Return about 24 lines with both losses: every evaluation, and steps spread between them."""
    by_step, evaluated = dict(loss), dict(validation)
    every = max(1, len(loss) // TABLE_ROWS)
    spread = [step for step, _ in loss[::every]]
    steps = sorted({*spread, *evaluated})
    return [(step, by_step.get(step), evaluated.get(step)) for step in steps]
