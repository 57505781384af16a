"""The one vocabulary of states: rows, pages, interfaces and files say the same words."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """Where a piece of work stands; each kind uses those that it can be in."""

    RECEIVING = "receiving"  # an upload whose bytes still come: nobody can work on it yet
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # a person must say something
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"  # some of it succeeded
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # what it left stands, and it is not tried again


OPEN = (State.RECEIVING, State.QUEUED, State.RUNNING, State.WAITING)
UNDER_WAY = (State.QUEUED, State.RUNNING)
OVER = (State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED, State.INTERRUPTED)
