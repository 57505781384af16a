"""Who may see the rows of the data rooms."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models

from otto_web.lib.access import Role, has_role


class CuratorsQuerySet(models.QuerySet[Any]):
    """Rows that every curator of the installation may see."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self if has_role(user, Role.CURATOR) else self.none()
