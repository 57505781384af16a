"""What an ended run's rows say about why it became as it is."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.selectors.versions import rows_of_split
from otto_web.lib.curves import smoothed
from training_app.lm.answer_test import AnswerFigures
from training_app.lm.bands import LossCurve
from training_app.lm.config import RunSpec
from training_app.lm.diagnosis import Ended, Finding, findings
from training_app.lm.watching import perplexity_of
from training_app.models import EvalSample, Evaluation, Run
from training_app.models.reasons import Reason
from training_app.selectors.forecast import train_tokens
from training_app.selectors.points import Curves


def diagnosis(
    run: Run, curves: Curves, evaluation: Evaluation | None, samples: Sequence[EvalSample]
) -> list[Finding]:
    """Return causes and next steps of a run that is over; nothing while it goes."""
    return findings(ended(run, curves, evaluation, samples)) if run.is_over else []


def ended(
    run: Run, curves: Curves, evaluation: Evaluation | None, samples: Sequence[EvalSample]
) -> Ended:
    """Return what is known of a run that is over."""
    spec = RunSpec.from_json(run.spec)
    tokens = train_tokens(spec, run.version)
    seen = run.last_step * spec.train.tokens_per_update(spec.model.context)
    of_answers = spec.train.loss_on == "answers"
    watched = curves.get("validation/answer_loss", []) if of_answers else []
    losses = smoothed(curves.get("train/loss", []))
    asked = [sample for sample in samples if sample.kind != "off_topic"]
    return Ended(
        is_from_scratch=run.start_model_id is None and not spec.start_from,
        train_rows=rows_of_split(run.version, "train"),
        train_tokens=tokens,
        updates=run.last_step,
        passes=seen / max(1, tokens),
        has_diverged=run.reason == Reason.DIVERGED,
        train_loss=losses[-1][1] if losses else None,
        curve=LossCurve(watched or curves.get("validation/loss", []), spec.train.loss_on),
        leaked=evaluation.details.get("leaked_share") if evaluation else None,
        perplexity=_perplexity(evaluation),
        answers=evaluation.answers if evaluation else AnswerFigures(),
        replies=[sample.reply for sample in asked],
        references=[sample.reference for sample in asked],
        knows=bool(spec.data.sources),
    )


def _perplexity(evaluation: Evaluation | None) -> float | None:
    """Return the perplexity for tokens as large as GPT-2's, so that vocabularies compare."""
    if evaluation is None:
        return None
    return perplexity_of(evaluation.bits_per_byte)
