"""Views of a dataset's table that somebody gave a name."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q

from datasets_app.models.dataset import Dataset
from otto_web.lib.access import Role, has_role


class SavedViewQuerySet(models.QuerySet[Any]):
    """A person's own views, and those that others share."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        if not has_role(user, Role.CURATOR):
            return self.none()
        return self.filter(Q(owner=user.pk) | Q(is_shared=True))


class SavedView(models.Model):
    """A filter with its order and columns, as the address of the table writes it."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="views")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)
    is_shared = models.BooleanField(default=False)
    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "dataset", "name"], name="view_name_unique_per_person"
            )
        ]

    def __str__(self) -> str:
        return self.name
