"""What every page's frame needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from otto_web.lib.access import Role, role_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the visitor's role and the flags that the rail reads."""
    user = getattr(request, "user", None)
    role = role_of(user) if user is not None and user.is_authenticated else None
    return {
        "role": role,
        "is_member": role is not None,
        "is_curator": role is not None and role >= Role.CURATOR,
        "is_trainer": role is not None and role >= Role.TRAINER,
        "is_admin": role is not None and role >= Role.ADMIN,
    }
