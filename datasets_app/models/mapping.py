"""What people said of columns or speakers, kept under a name for the next file like it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from datasets_app.models.querysets import CuratorsQuerySet


class SavedMapping(models.Model):
    """What the columns of a kind of table are; `columns` are all of its names, sorted.

    Without columns it says who asks and who answers, by the names of those who speak.
    """

    name = models.CharField(max_length=100, unique=True)
    columns = ArrayField(models.TextField())
    mapping = models.JSONField(help_text="as Mapping.as_json gives it")
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    saved_at = models.DateTimeField(auto_now=True)
    objects = CuratorsQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
