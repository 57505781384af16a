"""Settings given as `key=value` lines, for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from training_app.lm.config import (
    LENGTH_UNITS,
    MOST_CONTEXT,
    OLD_NAMES,
    ConfigError,
    DataConfig,
    ModelConfig,
    RunSpec,
    TrainConfig,
    shown,
)
from training_app.lm.setting_names import OTHER_NAMES


def changed_spec(
    spec: RunSpec, lines: Iterable[str], *, most_context: int = MOST_CONTEXT
) -> RunSpec:
    """Return the specification with these settings.

    Raises ConfigError for one that is not known, or that a model to start from brings along: it
    can only be read in windows of at most its `most_context`.
    """
    given = dict(_pair(line) for line in lines)
    parts = {"model": ModelConfig, "train": TrainConfig, "data": DataConfig}
    named = {item.name: part for part, kind in parts.items() for item in fields(kind)}
    method = str(given.pop("method", spec.method))
    changes: dict[str, dict[str, Any]] = {part: {} for part in parts}
    for key, value in given.items():
        if key not in named:
            known = ", ".join(sorted([*named, "method"]))
            raise ConfigError(key, f"There is no setting “{key}”; the settings are {known}.")
        changes[named[key]][key] = value
    if spec.start_from:
        _refuse_shape(spec, changes["model"], most_context)
    if any(key in given for key in LENGTH_UNITS):
        changes["train"] = dict.fromkeys(LENGTH_UNITS) | changes["train"]
    values = spec.as_json()
    merged = {part: values[part] | changes[part] for part in parts}
    return replace(
        spec,
        model=ModelConfig.from_json(merged["model"]),
        train=TrainConfig.from_json(merged["train"]),
        data=DataConfig.from_json(merged["data"]),
        method=method,
    )


def _refuse_shape(spec: RunSpec, changes: Mapping[str, Any], most_context: int) -> None:
    for key, value in changes.items():
        own = getattr(spec.model, key)
        if key == "context" and isinstance(value, int) and value > most_context:
            raise ConfigError(key, f"The model to start from reads at most {most_context} tokens.")
        if key != "context" and value != own:
            raise ConfigError(
                key, f"“{key}” is {shown(own)} in the model to start from; it cannot be changed."
            )


def checked_name(line: str) -> str:
    """Return our name of the setting that a `key=value` line is about."""
    key = line.partition("=")[0].strip()
    return OLD_NAMES.get(key, OTHER_NAMES.get(key.replace("-", "_"), key))


def _pair(line: str) -> tuple[str, Any]:
    key, separator, text = line.partition("=")
    if not separator:
        raise ConfigError(key, f"“{line}” is not of the form key=value.")
    key = checked_name(line)
    try:
        return key, json.loads(text)
    except ValueError:
        return key, text
