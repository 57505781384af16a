"""Who a script speaks for: the person behind an `Authorization: Bearer` header."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from otto_web.lib.models import ApiToken

SCHEME = "bearer "
NOTED_EVERY = timedelta(minutes=1)


def hash_token(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def user_of_token(header: str) -> User | None:
    """Return the active person of a valid, unexpired token in the header, or None."""
    if not header.lower().startswith(SCHEME):
        return None
    now = timezone.now()
    sha256 = hash_token(header[len(SCHEME) :].strip())
    alive = Q(expires_at=None) | Q(expires_at__gt=now)
    valid = ApiToken.objects.filter(alive, sha256=sha256, revoked_at=None, user__is_active=True)
    token = valid.select_related("user").first()
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user
