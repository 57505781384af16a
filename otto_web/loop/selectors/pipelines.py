"""What pages and commands tell of the one-click loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User

from chat_app.models import ServingExport
from otto_web.lib.work.states import State
from otto_web.loop.models import STEP_WORDS, Pipeline, PipelineStep
from otto_web.loop.selectors import details
from training_app.lm.presets import DEFAULT_TUNING
from training_app.models import Base, Evaluation, Export, Run, TrainedModel
from training_app.selectors.replies import ShownReply, few_replies
from training_app.selectors.speed import preset_seconds, tuning_seconds
from training_app.selectors.trained_models import base_for

FROM_NOTHING, SCRATCH_STEPS = "tiny", 1_000  # a preset, which answers the sample after so many
# Loading, freezing and proving, beside the training; from a base its answers are also made
# findable, and many more weights are proved. Measured on two cores without other work.
_SAMPLE_OTHER_SECONDS, _TUNED_OTHER_SECONDS = 45.0, 180.0
FEW_STEPS = 10  # the first and last training losses are means of so many steps


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step with its words."""

    step: PipelineStep
    words: str
    lines: Sequence[str] = ()  # of each document, chunk or pair, where that was wished


def shown_steps(pipeline: Pipeline) -> list[ShownStep]:
    """Return the steps in order; one query, and three more where each thing is to be listed."""
    return [
        ShownStep(
            step, STEP_WORDS.get(step.name, step.name), details.newest_lines(pipeline, step.name)
        )
        for step in pipeline.steps.order_by("number")
    ]


@dataclass(frozen=True, slots=True)
class Tested:
    """How the answer test of a pipeline's model ended, with a few of its replies."""

    evaluation: Evaluation
    replies: list[ShownReply]


def tested(pipeline: Pipeline) -> Tested | None:
    """Return what the answer test found, once there is a model; two queries."""
    measured = Evaluation.objects.of_own_validation().filter(model__run=pipeline.run_id)
    found = measured.first() if pipeline.run_id else None
    return Tested(found, few_replies(found)) if found else None


def recent_pipelines(user: User) -> list[Pipeline]:
    found = Pipeline.objects.visible_to(user).select_related("dataset", "deployment")
    return list(found.order_by("-queued_at")[:20])


def facts(pipeline: Pipeline, seconds: float) -> dict[str, Any]:
    """Return the loop in figures, for scripts; what was not reached is null."""
    run = pipeline.run
    answer = None
    if pipeline.chat is not None:
        messages = pipeline.chat.messages.filter(role="assistant")
        answer = messages.select_related("generation").first()
    return {
        "state": pipeline.state,
        "conversations": pipeline.dataset.conversations.count() if pipeline.dataset else None,
        "version": str(pipeline.version) if pipeline.version else None,
        "run": str(run.pk) if run else None,
        "base": str(run.start_model) if run and run.start_model else None,
        **(_training(run) if run else {}),
        "parity_max_error": _parity(run),
        "onnx": _portable(run),
        "reply": answer.text if answer else None,
        "reply_tokens_per_second": answer.generation.timings.get("tokens_per_second")
        if answer
        else None,
        "seconds": round(seconds, 1),
    }


def _training(run: Run) -> dict[str, Any]:
    losses = run.points.filter(name="train/loss").order_by("step")
    values = list(losses.values_list("value", flat=True))
    speeds = list(run.points.filter(name="train/tokens_per_second").values_list("value", flat=True))
    model = getattr(run, "model", None)
    found = model.evaluations.of_own_validation().first() if model else None
    answers = found.answers if found and found.answers.total else None
    return {
        "model": str(model) if model else None,
        "answers_right": answers.right if answers else None,
        "answers_total": answers.total if answers else None,
        "answers_contradicting": answers.contradicting if answers else None,
        "abstained": answers.abstained if answers else None,
        "off_topic_abstained": answers.off_topic_abstained if answers else None,
        "off_topic_total": answers.off_topic_total if answers else None,
        "train_loss_first": _mean(values[:FEW_STEPS]),
        "train_loss_last": _mean(values[-FEW_STEPS:]),
        "validation_loss": found.loss if found else None,
        "perplexity": found.perplexity if found else None,
        "bits_per_byte": found.bits_per_byte if found else None,
        "tokens_per_second": _mean(speeds),
    }


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _parity(run: Run | None) -> float | None:
    export = ServingExport.objects.filter(model__run=run).first() if run else None
    return export.parity_max if export else None


def _portable(run: Run | None) -> dict[str, Any] | None:
    ready = Export.objects.filter(format="onnx", state=State.SUCCEEDED)
    found = ready.filter(model__run=run).first() if run else None
    if found is None:
        return None
    return {"opset": found.opset, "parity_max_error": found.parity_max, **found.figures}


@dataclass(frozen=True, slots=True)
class SampleWays:
    """The two ways with the bundled sample: from a base model, and from nothing."""

    base: TrainedModel | None  # what the first begins with, where it is here
    coming: Sequence[Base]  # base models on their way
    key: UUID = field(default_factory=uuid4)  # of the form: sent twice, it starts one loop
    scratch_key: UUID = field(default_factory=uuid4)

    @property
    def has_base(self) -> bool:
        """Return whether the first way can be gone, now or soon."""
        return self.base is not None or bool(self.coming)

    @property
    def tuned_seconds(self) -> float | None:
        """Return about how long it takes from the base that is here."""
        if self.base is None:
            return None
        return tuning_seconds(DEFAULT_TUNING, self.base) + _TUNED_OTHER_SECONDS

    @property
    def scratch_seconds(self) -> float:
        """Return about how long it takes from nothing."""
        return preset_seconds(FROM_NOTHING, steps=SCRATCH_STEPS) + _SAMPLE_OTHER_SECONDS

    @property
    def bytes_done(self) -> int:
        return sum(one.bytes_done for one in self.coming)

    @property
    def bytes_total(self) -> int:
        return sum(one.bytes_total for one in self.coming)


def sample_ways(user: User) -> SampleWays:
    """Return what the sample may begin with; two queries."""
    coming = Base.objects.visible_to(user).may_answer_soon()
    return SampleWays(base_for(user), list(coming))
