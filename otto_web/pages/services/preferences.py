"""How the pages look for one person: kept in the session, so that showing a page asks no row."""

from __future__ import annotations

from typing import TypedDict

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from otto_web.lib.models import Profile, Theme

SESSION_KEY = "look"


class Preferences(TypedDict):
    """Theme, time zone ("" is the browser's), density, and whether single keys are on."""

    theme: str
    zone: str
    is_compact: bool
    keys_on: bool


def preferences_in(profile: Profile) -> Preferences:
    return Preferences(
        theme=profile.theme,
        zone=profile.zone,
        is_compact=profile.is_compact,
        keys_on=profile.keys_on,
    )


def preferences_of(request: HttpRequest) -> Preferences:
    """Return the look of this session; a visitor has the default one."""
    session = getattr(request, "session", None)
    stored = session.get(SESSION_KEY) if session is not None else None
    return stored or preferences_in(Profile(theme=Theme.SYSTEM))


def remember_preferences(request: HttpRequest, user: User) -> None:
    """Copy the person's profile into the session."""
    profile = Profile.objects.filter(user=user).first() or Profile(user=user)
    request.session[SESSION_KEY] = preferences_in(profile)


@transaction.atomic(durable=True)
def save_preferences(person: User, preferences: Preferences) -> Preferences:
    """Keep how this person's pages look."""
    profile, _ = Profile.objects.update_or_create(user=person, defaults=dict(preferences))
    return preferences_in(profile)
