"""Why a run ended: a code for filters, and the sentence a person reads."""

from __future__ import annotations

from django.db import models


class Reason(models.TextChoices):
    """The label is the sentence; the trainer's own words replace it where it has some."""

    CONFIGURATION = (
        "configuration",
        "A setting of this run cannot be used. Change it and run again.",
    )
    DATA = "data", "The version cannot be trained on as it is."
    DIVERGED = (
        "diverged",
        "The loss broke; the best checkpoint is kept. Try again with a tenth of the rate.",
    )
    OOM = (
        "oom",
        "The memory was not enough. Halve the micro-batch and double the accumulation.",
    )
    CRASH_LOOP = (
        "crash_loop",
        "The trainer ended three times without a newer checkpoint. The log says where.",
    )
    DISK = (
        "disk",
        "The disk stayed full or read-only. Free some space, then continue the run.",
    )
    TIMED_OUT = "timed_out", "The time limit ended the run; its last checkpoint is kept."
    WORKER_LOST = "worker_lost", "The worker went away; the run waits for the next one."

    @property
    def short(self) -> str:
        """Return the reason as a table has room for it."""
        return _SHORT[self]


_SHORT = {
    Reason.CONFIGURATION: "a setting",
    Reason.DATA: "the data",
    Reason.DIVERGED: "the loss broke",
    Reason.OOM: "too little memory",
    Reason.CRASH_LOOP: "ended three times",
    Reason.DISK: "disk full",
    Reason.TIMED_OUT: "time limit",
    Reason.WORKER_LOST: "worker lost",
}
