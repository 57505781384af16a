"""Settings given as `key=value` lines, for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from training_app.lm.config import (
    LENGTH_UNITS,
    ConfigError,
    DataConfig,
    ModelConfig,
    RunSpec,
    TrainConfig,
)


def changed_spec(spec: RunSpec, lines: Iterable[str]) -> RunSpec:
    """Return the specification with these settings; an unknown one is refused with a sentence."""
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


def _pair(line: str) -> tuple[str, Any]:
    key, separator, text = line.partition("=")
    if not separator:
        raise ConfigError(key, f"“{line}” is not of the form key=value.")
    try:
        return key, json.loads(text)
    except ValueError:
        return key, text
