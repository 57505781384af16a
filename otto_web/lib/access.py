"""Who may do what: four roles, each including the ones before it."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRefresh


class Role(IntEnum):
    """A person's place; a higher role includes the lower ones."""

    MEMBER = 1
    CURATOR = 2
    TRAINER = 3
    ADMIN = 4

    @property
    def group(self) -> str:
        """The name of the Django group that stands for this role."""
        return self.name.lower()


def role_of(user: User | AbstractBaseUser | AnonymousUser) -> Role | None:
    """Return the person's role, read from the database once per user object."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    if not hasattr(user, "_otto_role"):
        names = user.groups.values_list("name", flat=True)
        roles = [role for role in Role if role.group in names]
        user._otto_role = max(roles, default=None)  # type: ignore[attr-defined]  # noqa: SLF001
    return user._otto_role  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001


def has_role(user: User | AbstractBaseUser | AnonymousUser, role: Role) -> bool:
    found = role_of(user)
    return found is not None and found >= role


def forbidden(request: HttpRequest, role: Role) -> HttpResponse:
    """Answer 403 with the role that is needed."""
    return render(request, "pages/403.html", {"needed": role.group}, status=403)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a visitor to sign in; never put the sign-in page where htmx wanted a fragment.

    A page that asks is loaded anew, which leads there; what somebody typed stays where it is.
    """
    if "HX-Request" not in request.headers:
        return redirect_to_login(request.get_full_path())
    if request.method in {"GET", "HEAD"}:
        return HttpResponseClientRefresh()
    return HttpResponse(status=401)


View = Callable[..., Any]


def role_required(role: Role) -> Callable[[View], View]:
    """Let only people of at least this role in; a signed-out visitor is sent to sign in."""

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):
            raise TypeError(f"{view.__name__}: async views check `has_role` themselves")

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            if not has_role(request.user, role):
                return forbidden(request, role)
            answer: HttpResponseBase = view(request, *args, **kwargs)
            return answer

        guarded.access_rule = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def declares(rule: str) -> Callable[[View], View]:
    """Mark a view whose access is checked by other means, named by `rule` (public, tus, api)."""

    def decorate(view: View) -> View:
        view.access_rule = rule  # type: ignore[attr-defined]
        return view

    return decorate
