"""Whose word counts for an option: this run's, else the team's, else the built-in value."""

from __future__ import annotations

from typing import Any

from otto_web.loop.models import TeamDefault

THIS_RUN, TEAM, BUILT_IN = "this run", "team", "built-in"
# options that a team may have a default for, by their names on the form of the one-click loop
WITH_DEFAULT = (
    *("way", "epochs", "batch_size", "minutes", "chunk_size", "provider", "llm_model"),
    *("questions", "passing", "threshold", "alias", "model_name", "learning_rate", "device"),
    *("max_length", "max_tokens", "system_prompt", "optimizer", "schedule", "max_grad_norm"),
    *("precision", "checkpoint_every", "keep_last", "opset"),
)
LENGTHS = ("epochs", "minutes")  # a run has one: whoever says one of them says how long


def team_values() -> dict[str, str]:
    """Return the team's defaults by option, as a form would send them; one query."""
    rows = TeamDefault.objects.filter(name__in=WITH_DEFAULT)
    return dict(rows.values_list("name", "value"))


def who_said(value: Any, team: Any, built_in: Any) -> str:
    """Return whose word a value is, where the team and OTTO itself have these."""
    if value in (None, ""):
        value = built_in
    if team not in (None, "") and value == team:
        return TEAM
    return BUILT_IN if value in (built_in, None, "") else THIS_RUN
