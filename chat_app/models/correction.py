"""Better answers that people wrote under those of models."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from chat_app.models.chat import Message
from datasets_app.models import Knowledge
from training_app.models import TrainedModel


class Correction(models.Model):
    """What a person would have answered instead; the newest of an answer counts.

    `written` is the message of the chat that says so, beside the one that is corrected. Words that
    correct a correction are one more of these, for the same answer of a model.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="corrections")
    written = models.OneToOneField(
        Message, null=True, on_delete=models.SET_NULL, related_name="corrects"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField()
    model = models.ForeignKey(
        TrainedModel,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="which wrote the answer that is corrected; none where it was quoted",
    )
    knowledge = models.ForeignKey(Knowledge, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.message_id}: {self.text[:40]}"
