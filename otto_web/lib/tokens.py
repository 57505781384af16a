"""Who a program speaks for: the person behind an `Authorization: Bearer` header.

A token does what its scopes say, and never more than its person's role allows. Attempts that fail
are counted and slowed down as those to sign in are: by the visible beginning of the token in place
of a name.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessLog
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from otto_web.lib.access import Role, has_role
from otto_web.lib.models import ApiToken

SCHEME = "bearer "
OPENING = "otto-"  # so that scanners of code recognise what should not stand there
SHOWN = 12  # characters by which people know a token again
NOTED_EVERY = timedelta(minutes=1)
GOOD_NOTED_EVERY = timedelta(days=1)


class Scope(StrEnum):
    """What a token may be used for; `answers:NAME` is for that deployment alone."""

    ANSWERS = "answers"
    UPLOADS = "uploads"
    READ = "read"
    FREEZE = "freeze"
    TRAIN = "train"


SCOPE_WORDS = {
    Scope.ANSWERS: "ask models, by the OpenAI-compatible API",
    Scope.UPLOADS: "send files (curators and above)",
    Scope.READ: "look at datasets, runs and models and take their files, as its person may",
    Scope.FREEZE: "freeze versions of datasets (curators and above)",
    Scope.TRAIN: "train tokenizers and models, measure and stop them (trainers and above)",
}


class TokenRefusedError(Exception):
    """Nobody may do that by what the request brought: 401, 403 or, after many tries, 429."""

    def __init__(self, status: int, sentence: str, *, retry_after: int = 0) -> None:
        super().__init__(sentence)
        self.status, self.retry_after = status, retry_after


def hash_token(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def token_of(request: HttpRequest, scope: Scope, *, role: Role = Role.MEMBER) -> ApiToken:
    """Return the valid token of a request that may do this, with its person as `user`.

    Raises TokenRefusedError.
    """
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith(SCHEME):
        raise TokenRefusedError(401, "Send a token of yours: “Authorization: Bearer otto-…”.")
    text = header[len(SCHEME) :].strip()
    credentials = {"username": text[:SHOWN].replace("\0", "")}
    AxesProxyHandler.update_request(request)
    if AxesProxyHandler.is_locked(request, credentials):
        minutes = settings.AXES_COOLOFF_TIME * 60
        raise TokenRefusedError(
            429,
            f"Too many wrong tokens came from this address. Wait {minutes:.0f} minutes.",
            retry_after=round(minutes * 60),
        )
    token = (
        ApiToken.objects.working().filter(sha256=hash_token(text)).select_related("user").first()
    )
    if token is None:
        AxesProxyHandler.user_login_failed("api", credentials, request)
        request.axes_locked_out = False  # type: ignore[attr-defined]  # the answer is ours, no page
        raise TokenRefusedError(401, "This token is not valid, or no longer.")
    if not has_role(token.user, role):
        raise TokenRefusedError(403, f"Only people of the role {role.group} or above may do that.")
    if not any(one.partition(":")[0] == scope for one in token.scopes):
        raise TokenRefusedError(
            403,
            f"This token is not for that: it lacks the scope “{scope}”. Make another in your"
            " profile, under API tokens.",
        )
    _note_use(request, token)
    return token


def is_still_good(token: ApiToken, *, role: Role = Role.MEMBER) -> bool:
    """Tell whether a token that was good may still be used by its person, of at least this role."""
    found = ApiToken.objects.working().filter(pk=token.pk).select_related("user").first()
    return found is not None and has_role(found.user, role)


def deployments_of(token: ApiToken) -> set[str] | None:
    """Return the deployments that a token is for; None for all of them."""
    if Scope.ANSWERS in token.scopes:
        return None
    opening = f"{Scope.ANSWERS}:"
    return {one.removeprefix(opening) for one in token.scopes if one.startswith(opening)}


def _note_use(request: HttpRequest, token: ApiToken) -> None:
    """Note that the token was used, and that it is known at this address."""
    now = timezone.now()
    if token.last_used_at is not None and now - token.last_used_at <= NOTED_EVERY:
        return
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    address = request.axes_ip_address  # type: ignore[attr-defined]
    good = AccessLog.objects.filter(username=token.prefix, ip_address=address)
    if not good.filter(attempt_time__gt=now - GOOD_NOTED_EVERY).exists():
        AccessLog.objects.create(username=token.prefix, ip_address=address)


def user_of(request: HttpRequest, scope: Scope) -> User:
    """Return whom a request's token speaks for. Raises TokenRefusedError."""
    return token_of(request, scope).user
