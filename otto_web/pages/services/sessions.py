"""What lets a person in without a password (sessions, one-time links, keys), and its end."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.sessions.models import Session
from django.db.models import F
from django.utils import timezone

from otto_web.lib.models import ApiToken, Profile


class LinkTokens(PasswordResetTokenGenerator):
    """Makes the secret part of one-time links; it fits until the person's access is ended."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        ended = Profile.objects.filter(user=user).values_list("times_ended", flat=True).first()
        return f"{super()._make_hash_value(user, timestamp)}{ended or 0}"


link_tokens = LinkTokens()


def end_access(person: User) -> None:
    """End every session, link and key of the person for good; call it inside a transaction."""
    end_sessions(person)
    Profile.objects.get_or_create(user=person)
    Profile.objects.filter(user=person).update(times_ended=F("times_ended") + 1)
    ApiToken.objects.filter(user=person, revoked_at=None).update(revoked_at=timezone.now())


def end_sessions(person: User) -> None:
    """Delete the person's sessions; whose a session is stands inside of it alone."""
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    theirs = [
        session.pk
        for session in alive.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(person.pk)
    ]
    Session.objects.filter(pk__in=theirs).delete()
