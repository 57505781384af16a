"""The run of a pipeline: its preset, changed by what was wished."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from datasets_app.models import Knowledge, Version
from otto_web.loop.models import Pipeline
from otto_web.loop.selectors.wishes import WISHED_OF_TRAINING
from training_app.lm.config import (
    GROUNDED_CONTEXT,
    LENGTH_UNITS,
    RunSpec,
    TrainConfig,
    TrainingError,
)
from training_app.lm.layout import shape_of
from training_app.lm.presets import PRESETS, TUNED_CONTEXT, Preset
from training_app.models import Run, TrainedModel
from training_app.models.paths import absolute
from training_app.selectors.trained_models import base_for
from training_app.services.runs import Order, queue_run


def start_model(pipeline: Pipeline) -> TrainedModel | None:
    """Return the model that the pipeline goes on from, if there is any.

    Raises TrainingError where the one that was chosen is gone.
    """
    user, wished = pipeline.created_by, pipeline.options.get("base", "")
    if user is None:
        raise TrainingError("Whoever started this was deleted. Start again.")
    if not wished:
        return base_for(user)
    found = TrainedModel.objects.visible_to(user).ready().filter(pk=wished).first()
    if found is None:
        raise TrainingError("The model that this was to begin with was deleted. Start again.")
    return found


def queue_ordered(pipeline: Pipeline, version: Version, key: UUID) -> Run:
    """Queue the run of the pipeline, once for each key. Raises TrainingError where refused."""
    spec, start = _spec(pipeline, version)
    spec = replace(spec, train=_trained(spec.train, pipeline.options))
    if said := pipeline.options.get("system_prompt"):
        spec = replace(spec, data=replace(spec.data, system_prompt=said))
    name = pipeline.options.get("model_name") or version.dataset.name[:150]
    reason = pipeline.options.get("force", "")
    order = Order(name, spec, version, key, forced_reason=reason, start_model=start)
    return queue_run(order, created_by=pipeline.created_by)


def _trained(train: TrainConfig, options: dict[str, Any]) -> TrainConfig:
    """Return the training as wished; what was not wished stays the preset's."""
    for unit in ("steps", "minutes", "epochs"):  # the first that is there says how long
        if options.get(unit):
            lengths: dict[str, Any] = dict.fromkeys(LENGTH_UNITS)
            train = replace(train, **lengths | {unit: options[unit]})
            break
    wished = {ours: options.get(name) for name, ours in WISHED_OF_TRAINING.items()}
    given: dict[str, Any] = {
        name: value for name, value in wished.items() if value not in (None, "")
    }
    rate = given.get("learning_rate", train.learning_rate)
    return replace(train, **given, min_learning_rate=min(train.min_learning_rate, rate))


def _spec(pipeline: Pipeline, frozen: Version) -> tuple[RunSpec, TrainedModel | None]:
    """Return what the preset says for the version, and the model that it goes on from."""
    name, version = pipeline.options["preset"], str(frozen.pk)
    preset = PRESETS[name]
    if not preset.is_started:
        spec = preset.spec(name=name, version=version)
        return replace(spec, model=replace(spec.model, context=_context(pipeline, preset))), None
    start = start_model(pipeline)
    if start is None:
        raise TrainingError("The base model that this was to begin with was deleted. Start again.")
    spec = preset.spec(name=name, version=version, start_from=str(start.pk))
    shape = shape_of(absolute(start.path))
    shape = replace(shape, context=min(shape.context, _context(pipeline, preset)))
    is_known = Knowledge.objects.filter(version=frozen).exclude(path="").exists()
    if not is_known or shape.context < GROUNDED_CONTEXT:
        spec = replace(spec, data=replace(spec.data, sources=0))
    return replace(spec, model=shape), start


def _context(pipeline: Pipeline, preset: Preset) -> int:
    usual = TUNED_CONTEXT if preset.is_started else preset.model.context
    return int(pipeline.options.get("max_length") or usual)
