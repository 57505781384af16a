"""The engine's work on one answer."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models

from chat_app.models.chat import Message
from chat_app.models.deployment import Deployment
from chat_app.models.serving import ServingExport
from datasets_app.models import Knowledge
from otto_web.lib.work.rows import Retry, Work
from otto_web.lib.work.states import UNDER_WAY, State
from training_app.models import TrainedModel
from training_app.models.uses import NeedsModels

WORDS = ("question", "answer")  # of a source: what goes with the version that it came from
ABSTAINED = "abstained"  # how an answer ended that says that nothing is known
EDITED = "edited"  # how an answer ended whose words a person wrote
FINISHES = {
    *("stop", "length", "quoted", "stopped", "interrupted", "failed"),
    *(ABSTAINED, EDITED),
}
CUT_SHORT = {"length": "cut at the longest length", "stopped": "stopped"}
"""How an answer ended that was not written to its end, in words."""


def may_go_on(row: Generation) -> bool:
    """Return whether an answer of a model ended before the model ended it."""
    return row.model_id is not None and row.finish in {*CUT_SHORT, "interrupted"}


class _WithoutWords(models.Func):
    """Sources as a row keeps them, without their words; ranks and numbers stay."""

    template = (
        "COALESCE((SELECT jsonb_agg(one - 'question' - 'answer' - 'source' ORDER BY place)"
        " FROM jsonb_array_elements(%(expressions)s) WITH ORDINALITY told (one, place)),"
        " '[]'::jsonb)"
    )
    output_field = models.JSONField()


class _WithoutStops(models.Func):
    """Settings without those that hold words."""

    template = "(%(expressions)s - 'stop' - 'logit_bias')"
    output_field = models.JSONField()


def forget_prompts(rows: models.QuerySet[Any]) -> None:
    """Take what the models read out of answers, and where they were told to stop."""
    rows.update(prompt_ids=[], prompt_text="", params=_WithoutStops("params"))


def forget_words(rows: models.QuerySet[Any]) -> None:
    """Take the words of what is known out of answers: shown sources, and the prompts they made."""
    told = rows.exclude(sources=[])
    told.update(sources=_WithoutWords("sources"), prompt_ids=[], prompt_text="")


def forget_knowledge(collector: Any, field: Any, rows: models.QuerySet[Any], using: str) -> None:
    """Let answers outlive what is known, without its words; Django calls it `on_delete`."""
    forget_words(rows)
    models.SET_NULL(collector, field, rows, using)


class Generation(NeedsModels, Work):
    """The engine's work on one assistant message.

    The engine looks for it itself. A lost answer is not begun again once it has words: people have
    read them.
    """

    retry = Retry(
        lost=State.INTERRUPTED, message="The engine stopped while this answer was written."
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="generation")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="+")
    model = models.ForeignKey(
        TrainedModel, null=True, on_delete=models.PROTECT, related_name="generations"
    )
    export = models.ForeignKey(ServingExport, null=True, on_delete=models.PROTECT, related_name="+")
    knowledge = models.ForeignKey(
        Knowledge, null=True, on_delete=forget_knowledge, related_name="+"
    )
    sources = models.JSONField(
        default=list, editable=False, help_text="what it was answered from, or may be asked instead"
    )
    unsupported = models.JSONField(
        default=list, editable=False, help_text="spans of the text that stand in nothing known"
    )
    continues = models.ForeignKey(
        "self",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the answer whose words it begins with",
    )
    stop_requested_at = models.DateTimeField(null=True, editable=False)
    prompt_ids = models.JSONField(default=list, editable=False)
    prompt_text = models.TextField(
        default="", editable=False, help_text="what the model read, control tokens included"
    )
    answer_ids = models.JSONField(default=list, editable=False)
    params = models.JSONField(default=dict, blank=True)
    seed = models.PositiveBigIntegerField(default=0)
    dropped_turns = models.PositiveIntegerField(default=0)
    timings = models.JSONField(default=dict, editable=False)
    finish = models.CharField(max_length=20, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    brought_in_at = models.DateTimeField(
        null=True, editable=False, help_text="when a file said all this; nobody answered it here"
    )

    class Meta(Work.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @classmethod
    def uses_of(cls, model_id: UUID) -> list[str]:
        writing = cls.objects.filter(model=model_id, state__in=UNDER_WAY)
        return ["it is writing an answer"] if writing.exists() else []

    @classmethod
    def lease_seconds(cls) -> float:
        seconds: float = settings.OTTO_GENERATION_LEASE_SECONDS
        return seconds
