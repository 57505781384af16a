"""Tokens by which programs speak for a person: made, shown once, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from otto_web.lib import audit
from otto_web.lib.models import ApiToken
from otto_web.lib.presence import notify_person
from otto_web.lib.tokens import OPENING, SHOWN, hash_token

MOST_TOKENS = 50  # of one person, that still work
SECRET_BYTES = 32


class TokenError(ValueError):
    """A token that cannot be made, as a sentence for its person."""


@transaction.atomic(durable=True)
def make_token(
    person: User, name: str, scopes: Sequence[str], *, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make a token; its text is returned this once and kept nowhere. Raises TokenError."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)  # counted one by one
    if ApiToken.objects.working().filter(user=person).count() >= MOST_TOKENS:
        raise TokenError(f"You have {MOST_TOKENS} tokens that work. Revoke one of them first.")
    text = OPENING + secrets.token_urlsafe(SECRET_BYTES)
    token = ApiToken(
        user=person,
        name=name,
        prefix=text[:SHOWN],
        sha256=hash_token(text),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    token.full_clean(exclude=["expires_at", "revoked_at", "last_used_at"])  # none is fine
    token.save(force_insert=True)
    audit.record(person, "token.made", token, after=_said(token))
    return token, text


@transaction.atomic(durable=True)
def revoke_token(token: ApiToken, *, by: User) -> None:
    """End a token for good; what is being answered to it ends within a second."""
    working = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    if working.update(revoked_at=timezone.now()):
        audit.record(by, "token.revoked", token, before=_said(token))
        notify_person(token.user_id)


def _said(token: ApiToken) -> dict[str, str]:
    return {
        "name": token.name,
        "username": token.user.get_username(),
        "begins with": token.prefix,
        "scopes": ", ".join(token.scopes),
    }
