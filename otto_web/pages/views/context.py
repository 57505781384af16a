"""What every page's frame needs."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from otto_web.lib import delays
from otto_web.lib.access import Role, role_of
from otto_web.pages.selectors.sidebar import sidebar
from otto_web.pages.services.preferences import preferences_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the visitor's role, the flags that the sidebar reads, and how the pages shall look."""
    user = getattr(request, "user", None)
    role = role_of(user) if user is not None and user.is_authenticated else None
    preferences = preferences_of(request)
    if preferences["zone"]:
        timezone.activate(preferences["zone"])
    else:
        timezone.deactivate()
    return {
        "role": role,
        "is_member": role is not None,
        "is_curator": role is not None and role >= Role.CURATOR,
        "is_trainer": role is not None and role >= Role.TRAINER,
        "is_admin": role is not None and role >= Role.ADMIN,
        "preferences": preferences,
        "navigation": partial(sidebar, request, role),
        "is_delayed": delays.is_delayed(),
    }
