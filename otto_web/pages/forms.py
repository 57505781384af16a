"""What people type on the pages of the frame."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils import timezone

from chat_app.models import Deployment
from otto_web.lib.access import Role
from otto_web.lib.models import Profile
from otto_web.lib.tokens import SCOPE_WORDS, Scope
from otto_web.pages.services.preferences import Preferences

ROLES = {
    Role.MEMBER: "member: chats and rates answers",
    Role.CURATOR: "curator: also uploads, datasets and versions",
    Role.TRAINER: "trainer: also runs, models and deployments",
    Role.ADMIN: "admin: also people and settings",
}
FARTHEST_DAY = date(2100, 1, 1)


def as_role(value: str) -> Role:
    return Role(int(value))


def is_one(value: str) -> bool:
    return value == "1"


class RoleForm(forms.Form):
    """One of the four roles."""

    role = forms.TypedChoiceField(
        label="Role",
        choices=[(role.value, words) for role, words in ROLES.items()],
        coerce=as_role,
        initial=Role.MEMBER.value,
        help_text="Each role includes the ones before it.",
    )


class PersonForm(RoleForm):
    """A person to be."""

    name = forms.CharField(label="Name", max_length=150, help_text="As the team knows them.")
    username = forms.CharField(
        label="User name",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text="For signing in: letters, digits and @ . + - _",
        widget=forms.TextInput({"autocapitalize": "none", "autocomplete": "off"}),
    )
    field_order = ["name", "username", "role"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(f"“{username}” is taken. Choose another user name.")
        return username


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none at run time
    """How the pages look for one person."""

    zone = forms.ChoiceField(label="Time zone", required=False)
    is_compact = forms.TypedChoiceField(
        label="Density",
        choices=[("1", "compact rows (32 px)"), ("0", "roomy rows (44 px)")],
        coerce=is_one,
    )

    class Meta:
        model = Profile
        fields = ["theme", "zone", "is_compact", "keys_on"]
        labels = {"theme": "Theme", "keys_on": "Single-key shortcuts"}
        help_texts = {
            "theme": "“System” follows your computer's setting.",
            "keys_on": "Keys like / and ? without Ctrl. They always rest while you type.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zoneinfo.available_timezones() - {"localtime"})
        field = self.fields["zone"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", "as this browser says"), *((zone, zone) for zone in zones)]
        self.initial["is_compact"] = "1" if self.instance.is_compact else "0"

    def preferences(self) -> Preferences:
        """Return what was chosen."""
        chosen = self.cleaned_data
        return Preferences(
            theme=chosen["theme"],
            zone=chosen["zone"],
            is_compact=chosen["is_compact"],
            keys_on=chosen["keys_on"],
        )


class TokenForm(forms.Form):
    """A token to be: its name, what it may do, and until when."""

    name = forms.CharField(
        label="Name", max_length=100, help_text="Where you use it, such as “night script”."
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope.value, words) for scope, words in SCOPE_WORDS.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that it may do."},
    )
    deployments = forms.MultipleChoiceField(
        label="Only these deployments",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="For asking models; where none is chosen, it may ask all.",
    )
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text="It works through that day. Without one it works until it is revoked.",
    )

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data)
        names = Deployment.objects.visible_to(person).filter(is_active=True).order_by("alias")
        field = self.fields["deployments"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(name, name) for name in names.values_list("alias", flat=True)]
        if not field.choices:
            del self.fields["deployments"]

    def clean_last_day(self) -> date | None:
        day: date | None = self.cleaned_data["last_day"]
        if day is not None and not timezone.localdate() <= day < FARTHEST_DAY:
            raise forms.ValidationError("Choose today or a later day, before the year 2100.")
        return day

    def wanted(self) -> dict[str, Any]:
        """Return what was chosen, as the service wants it."""
        chosen = self.cleaned_data
        scopes = set(chosen["scopes"])
        if Scope.ANSWERS in scopes and chosen.get("deployments"):
            scopes.remove(Scope.ANSWERS)
            scopes |= {f"{Scope.ANSWERS}:{name}" for name in chosen["deployments"]}
        day = chosen["last_day"]
        end = datetime.combine(day + timedelta(days=1), time.min) if day else None
        expires_at = timezone.make_aware(end) if end else None
        return {"name": chosen["name"], "scopes": sorted(scopes), "expires_at": expires_at}
