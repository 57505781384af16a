"""What the reaper cleans up among the traces of signing in."""

from __future__ import annotations

from datetime import datetime

from axes.models import AccessLog
from django.contrib.sessions.models import Session

from otto_web.pages.services.locks import KNOWN_FOR

AT_ONCE = 1000


def forget_ended_sessions(now: datetime) -> None:
    """Delete sessions that nobody can use any more; by Django's index on `expire_date`."""
    ended = Session.objects.filter(expire_date__lt=now).values("pk")
    Session.objects.filter(pk__in=ended[:AT_ONCE]).delete()


def forget_old_sign_ins(now: datetime) -> None:
    """Delete the notes of good sign-ins once they open no address any more."""
    old = AccessLog.objects.filter(attempt_time__lt=now - KNOWN_FOR).order_by("pk").values("pk")
    AccessLog.objects.filter(pk__in=old[:AT_ONCE]).delete()


SWEEPS = (forget_ended_sessions, forget_old_sign_ins)
