"""What the team wants of the one-click loop where nobody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.forms.boundfield import BoundField

from otto_web.loop.forms.pipelines import PipelineForm, in_words
from otto_web.loop.selectors.config_env import ReadConfig, read_config
from otto_web.loop.selectors.defaults import WITH_DEFAULT
from training_app.lm.config import ConfigError
from training_app.lm.settings_file import MOST_CHARACTERS

NONE = ("", "no default of the team")


class DefaultsForm(PipelineForm):
    """The options of the one-click loop that a team may have a default for; all may be empty."""

    def __init__(
        self, user: User, data: Any = None, *, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(user, data, initial=initial)
        self.fields = {name: self.fields[name] for name in WITH_DEFAULT}
        for name, field in self.fields.items():
            if isinstance(field, forms.ModelChoiceField):
                field.empty_label = NONE[1]
            elif isinstance(field, forms.ChoiceField):
                offered = dict(field.choices)  # type: ignore[arg-type]
                field.choices = [NONE, *((one, offered[one]) for one in offered if one != "")]
            self.initial.setdefault(name, "")

    def _begins(self) -> dict[str, str]:
        return self.team

    def clean(self) -> dict[str, Any]:
        found = forms.Form.clean(self) or {}
        self._check_training(found)
        return found

    def values(self) -> dict[str, str]:
        """Return what was sent, checked, as the form would send it again.

        Not in it is what was not sent, and what the form showed as empty though the team has it:
        a model that this person does not see, or a provider that is switched off.
        """
        sent = {name: self.data[name].strip() for name in self.fields if name in self.data}
        return {name: value for name, value in sent.items() if value or name not in self.unseen}

    def kept(self) -> list[str]:
        """Return the labels of the defaults that stay though the form could not show them."""
        kept = [name for name in self.unseen if name not in self.values()]
        return [str(self.fields[name].label) for name in kept]

    @property
    def fields_in_order(self) -> list[BoundField]:
        return [self[name] for name in self.fields]


class ConfigForm(forms.Form):
    """A settings file of the earlier pipeline: pasted, or chosen."""

    config_text = forms.CharField(
        required=False,
        max_length=MOST_CHARACTERS,
        label="Text of the file",
        widget=forms.Textarea({"rows": 5, "class": "mono", "spellcheck": "false"}),
    )
    config_file = forms.FileField(required=False, label="Or choose config.env")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        sent = found.get("config_file")
        if sent is not None and sent.size > 4 * MOST_CHARACTERS:
            raise forms.ValidationError(f"Settings take at most {MOST_CHARACTERS:,} characters.")
        text = sent.read().decode("utf-8", "replace") if sent else found.get("config_text", "")
        if not self.errors and not text.strip():
            raise forms.ValidationError("Paste the text of the file, or choose it.")
        found["text"] = text
        return found

    def told(self) -> ReadConfig | None:
        """Return what the file says; None where it is none, and then the form says so."""
        if not self.is_valid():
            return None
        try:
            return read_config(self.cleaned_data["text"])
        except ConfigError as error:
            self.add_error(None, str(error))
            return None


@dataclass(frozen=True, slots=True)
class Taken:
    """A line of a settings file that became an option, as the page lists it."""

    given: str
    label: str
    value: str


def taken_in_words(read: ReadConfig, form: PipelineForm) -> list[Taken]:
    """Return what was taken, in the words of the form."""
    found = []
    for line in read.taken:
        field = form.fields.get(line.name)
        label = str(field.label) if field else line.name
        found.append(
            Taken(line.given, label, _words(field, read.values.get(line.name, line.value)))
        )
    return found


def _words(field: forms.Field | None, value: str) -> str:
    try:
        return in_words(field, value) if field else value
    except forms.ValidationError:
        return value
