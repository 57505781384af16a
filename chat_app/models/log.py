"""Single exchanges that curators may see."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from chat_app.models.chat import Message
from chat_app.models.correction import Correction
from chat_app.models.deployment import Deployment
from chat_app.models.generation import ABSTAINED, CUT_SHORT
from chat_app.models.rating import Rating
from datasets_app.models import Conversation
from otto_web.lib.access import Role, has_role
from training_app.lm.config import ABSTENTION
from training_app.models import TrainedModel

GOOD = 1


class LogQuerySet(models.QuerySet[Any]):
    """What curators may read of other people's chats: single exchanges without the author."""

    def visible_to(self, user: User) -> LogQuerySet:
        return self if has_role(user, Role.CURATOR) else self.none()

    def with_rating(self) -> LogQuerySet:
        """Add `rated`, the newest rating of each answer, and its `reasons`; None where none is."""
        given = Rating.objects.filter(message=OuterRef("message_id")).order_by("-updated_at")
        rated: LogQuerySet = self.annotate(
            rated=Subquery(given.values("value")[:1]), reasons=Subquery(given.values("reasons")[:1])
        )
        return rated

    def with_correction(self) -> LogQuerySet:
        """Add `better`: the newest better answer that a person wrote, None where there is none."""
        written = Correction.objects.filter(message=OuterRef("message_id")).order_by("-updated_at")
        found: LogQuerySet = self.annotate(better=Subquery(written.values("text")[:1]))
        return found

    def telling(self) -> LogQuerySet:
        """Leave out answers that only say that nothing is known, whoever wrote that."""
        learnt = KeyTextTransform("abstention", KeyTextTransform("data", "model__run__spec"))
        said = Coalesce(learnt, Value(ABSTENTION), output_field=models.TextField())
        told = self.exclude(message__generation__finish=ABSTAINED).annotate(unknowing=said)
        found: LogQuerySet = told.exclude(message__text=F("unknowing"))
        return found

    def whole(self) -> LogQuerySet:
        """Leave out answers that were not written to their end."""
        found: LogQuerySet = self.exclude(message__generation__finish__in=CUT_SHORT)
        return found

    def unused(self) -> LogQuerySet:
        """Leave out what a dataset holds, and what none should hold unless it was corrected."""
        fit = self.telling().whole().order_by().values("pk")
        corrected = Correction.objects.filter(message=OuterRef("message_id"))
        found: LogQuerySet = self.filter(Q(pk__in=fit) | Exists(corrected), conversation=None)
        return found


class LogEntry(models.Model):
    """One logged exchange, made when the answer ends, if deployment and chat log."""

    message = models.OneToOneField(
        Message, primary_key=True, on_delete=models.CASCADE, related_name="log_entry"
    )
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="log_entries")
    model = models.ForeignKey(TrainedModel, null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    objects = LogQuerySet.as_manager()

    class Meta:
        # the log, newest first
        indexes = [models.Index(fields=["-at"], name="logentry_by_time")]

    def __str__(self) -> str:
        return f"log entry {self.message_id}"
