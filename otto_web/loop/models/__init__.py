"""Rows of this app, by noun; every name can be imported from here."""

from __future__ import annotations

from otto_web.loop.models.defaults import TeamDefault, TeamDefaultQuerySet
from otto_web.loop.models.pipeline import (
    STEP_WORDS,
    Pipeline,
    PipelineQuerySet,
    PipelineStep,
)

__all__ = [
    "STEP_WORDS",
    "Pipeline",
    "PipelineQuerySet",
    "PipelineStep",
    "TeamDefault",
    "TeamDefaultQuerySet",
]
