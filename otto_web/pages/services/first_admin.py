"""The first person of a new installation."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q

from otto_web.lib import audit
from otto_web.lib.access import Role

NAME = "admin"


@transaction.atomic(durable=True)
def create_first_admin() -> str | None:
    """Create `admin` when nobody administers yet; return the random password, kept nowhere else."""
    group = Group.objects.select_for_update().get(name=Role.ADMIN.group)
    if User.objects.filter(Q(groups=group) | Q(is_superuser=True)).exists():
        return None
    password = secrets.token_urlsafe(12)
    admin = User.objects.create_user(NAME, password=password)
    admin.groups.add(group)
    audit.record(None, "create_first_admin", admin, after={"username": NAME})
    return password
