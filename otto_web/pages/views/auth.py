"""Sign-in, sign-out and the one-time link: Django's own views, with our answers."""

from __future__ import annotations

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    PasswordChangeView,
    PasswordResetConfirmView,
)
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy

from otto_web.lib import audit
from otto_web.lib.access import Role, declares, role_required
from otto_web.lib.presence import notify_person
from otto_web.pages.services.preferences import remember_preferences
from otto_web.pages.services.sessions import link_tokens

UNPROCESSABLE = 422


class SignInForm(AuthenticationForm):
    """Name and password; the refusal does not tell which of them was wrong."""

    error_messages = {
        "invalid_login": "User name and password do not match. Capital letters count.",
        "inactive": "This account is deactivated.",
    }


class SignIn(LoginView):
    """Lets a person in; a mistake answers 422 and keeps the name that was typed."""

    template_name = "pages/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_valid(form)
        audit.record(form.get_user(), "person.signed_in", form.get_user(), after=self._address())
        remember_preferences(self.request, form.get_user())
        return answer

    def _address(self) -> dict[str, str]:
        return {"address": self.request.META.get("REMOTE_ADDR", "")}

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        name = form.cleaned_data.get("username", "")
        if name and not AxesProxyHandler.is_locked(self.request, {"username": name}):
            # A name that nobody has is not kept: people type passwords into that field.
            target = User.objects.filter(username=name).first() or User()
            audit.record(None, "person.sign_in_failed", target, after=self._address())
        context = self.get_context_data(form=form)
        return self.render_to_response(context, status=UNPROCESSABLE)


class _JudgedWhereTyped:
    """What is wrong with a new password is said beside the field in which it was chosen."""

    def validate_password_for_user(self, user: User, password_field_name: str = "") -> None:
        del password_field_name  # Django names the confirmation
        super().validate_password_for_user(user, "new_password1")  # type: ignore[misc]


class ChosenPasswordForm(_JudgedWhereTyped, SetPasswordForm):  # type: ignore[type-arg]
    """A first or another password, by a one-time link."""


class ChangedPasswordForm(_JudgedWhereTyped, PasswordChangeForm):
    """Another password, by somebody who knows the old one."""


class SetPassword(PasswordResetConfirmView):
    """Lets the holder of a one-time link choose a password, and signs them in."""

    form_class = ChosenPasswordForm
    template_name = "pages/set_password.html"
    success_url = reverse_lazy("home")
    token_generator = link_tokens
    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"

    def get_user(self, uidb64: str) -> User | None:
        person = super().get_user(uidb64)
        return person if isinstance(person, User) and person.is_active else None

    def form_valid(self, form: SetPasswordForm[Any]) -> HttpResponse:
        with transaction.atomic(durable=True):
            answer = super().form_valid(form)
            audit.record(form.user, "person.password_set", form.user)
            notify_person(form.user.pk)
        remember_preferences(self.request, form.user)
        return answer

    def form_invalid(self, form: SetPasswordForm[Any]) -> HttpResponse:
        context = self.get_context_data(form=form)
        return self.render_to_response(context, status=UNPROCESSABLE)


class ChangePassword(PasswordChangeView):
    """Lets a signed-in person choose another password; other browsers are signed out by it."""

    form_class = ChangedPasswordForm
    template_name = "pages/password_change.html"
    success_url = reverse_lazy("profile")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        with transaction.atomic(durable=True):
            answer = super().form_valid(form)
            audit.record(form.user, "person.password_set", form.user)
            notify_person(form.user.pk)
        messages.success(self.request, "The password is changed. Other browsers are signed out.")
        return answer

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        context = self.get_context_data(form=form)
        return self.render_to_response(context, status=UNPROCESSABLE)


class SignOut(LogoutView):
    """Ends the session, and with it the person's open lines of this browser."""

    next_page = "sign-in"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pk = request.user.pk
        answer: HttpResponse = super().post(request, *args, **kwargs)
        if pk is not None:
            person = User.objects.get(pk=pk)
            audit.record(person, "person.signed_out", person)
            notify_person(pk)
        return answer


sign_in = declares("public")(SignIn.as_view())
sign_out = declares("public")(SignOut.as_view())
set_password = declares("public")(SetPassword.as_view())
password_change = role_required(Role.MEMBER)(ChangePassword.as_view())
