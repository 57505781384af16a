"""What people may say about deployments."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import QuerySet

from chat_app.models import Deployment
from chat_app.services.deployments import AliasTakenError
from training_app.models import TrainedModel

ALIAS = RegexValidator(
    r"\A(?!new\Z)[a-z0-9]+(?:-[a-z0-9]+)*\Z",
    "Use small letters, digits and single hyphens, like “support” or “help-desk-2”, not “new”.",
)


class DeployForm(forms.Form):
    """A fresh deployment: which model answers, and under which name."""

    model = forms.ModelChoiceField(queryset=TrainedModel.objects.none(), empty_label=None)
    alias = forms.CharField(
        max_length=60,
        validators=[ALIAS],
        label="Name",
        help_text="What people choose in the chat; it stays when another model takes over.",
    )
    is_logging = forms.BooleanField(
        required=False,
        initial=True,
        label="Log for retraining",
        help_text="Curators can read single exchanges, without names. People see this in the chat.",
    )

    def __init__(self, data: Any, models: QuerySet[TrainedModel], **options: Any) -> None:
        super().__init__(data, **options)
        field = self.fields["model"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = models

    def clean_alias(self) -> str:
        alias: str = self.cleaned_data["alias"]
        if Deployment.objects.filter(alias=alias).exists():
            raise forms.ValidationError(str(AliasTakenError(alias)))
        return alias


class SwitchForm(forms.Form):
    """The model that takes over a deployment."""

    model = forms.ModelChoiceField(queryset=TrainedModel.objects.none(), empty_label=None)

    def __init__(self, data: Any, models: QuerySet[TrainedModel], **options: Any) -> None:
        super().__init__(data, **options)
        field = self.fields["model"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = models
