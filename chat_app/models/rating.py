"""What people think of answers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from chat_app.models.chat import Message

REASONS = {
    "wrong": "wrong",
    "not_helpful": "not helpful",
    "made_up": "made up",
    "other_words": "other words",
}
"""Why an answer may be bad: names in rows, and words of the pages."""


class Rating(models.Model):
    """What one person thinks of one answer."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="ratings")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ratings"
    )
    value = models.SmallIntegerField(help_text="1 ok, -1 not ok")
    reasons = models.JSONField(
        default=list, blank=True, help_text="of a bad answer: names of REASONS"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "user"], name="rating_one_per_person"),
            models.CheckConstraint(name="rating_value_known", condition=Q(value__in=[1, -1])),
        ]

    def __str__(self) -> str:
        return f"{self.value:+d} on {self.message_id}"
