"""Rows of this app, by noun; every name can be imported from here."""

from __future__ import annotations

from chat_app.models.chat import Chat, ChatQuerySet, Kind, Message
from chat_app.models.correction import Correction
from chat_app.models.deployment import (
    QUOTED,
    Deployment,
    DeploymentEvent,
    DeploymentQuerySet,
    Mode,
)
from chat_app.models.generation import ABSTAINED, EDITED, WORDS, Generation
from chat_app.models.log import LogEntry, LogQuerySet
from chat_app.models.rating import Rating
from chat_app.models.serving import EXACT, QUICK, ServingExport

__all__ = [
    "ABSTAINED",
    "EDITED",
    "EXACT",
    "QUICK",
    "QUOTED",
    "WORDS",
    "Chat",
    "ChatQuerySet",
    "Correction",
    "Deployment",
    "DeploymentEvent",
    "DeploymentQuerySet",
    "Generation",
    "Kind",
    "LogEntry",
    "LogQuerySet",
    "Message",
    "Mode",
    "Rating",
    "ServingExport",
]
