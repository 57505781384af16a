"""A run's settings in titled groups, as they were used: for its page, comparisons and reports."""

from __future__ import annotations

from typing import Any

from training_app.lm.methods.registry import METHODS
from training_app.models import Run
from training_app.selectors.setting_words import SETTINGS

Group = tuple[str, list[tuple[str, Any]]]


def setting_groups(run: Run) -> list[Group]:
    """Return what the run was told and what it decided, by the words of the form."""
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
