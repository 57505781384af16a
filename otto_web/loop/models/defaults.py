"""What the team wants of the one-click loop where nobody says otherwise."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models

from otto_web.lib.access import Role, has_role


class TeamDefaultQuerySet(models.QuerySet[Any]):
    """Whoever may change data may say what it usually becomes."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self if has_role(user, Role.CURATOR) else self.none()


class TeamDefault(models.Model):
    """A setting's value for the whole team; one without a row has its built-in value."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.TextField(help_text="as a form would send it")
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    set_at = models.DateTimeField(auto_now=True)
    objects = TeamDefaultQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"
