"""What people may say about deployments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import QuerySet

from chat_app.models import Deployment, Mode
from chat_app.services.deployments import AliasTakenError
from datasets_app.models import Knowledge
from training_app.models import TrainedModel

ALIAS = RegexValidator(
    r"\A(?!new\Z)[a-z0-9]+(?:-[a-z0-9]+)*\Z",
    "Use small letters, digits and single hyphens, like “support” or “help-desk-2”, not “new”.",
)


AS_LEARNT = "those that the model learnt with; a base model has none"
NOTHING = "none"  # chosen, unlike an empty field


class KnowingForm(forms.Form):
    """What a deployment answers from, and whose words it uses."""

    mode = forms.ChoiceField(
        label="How it answers",
        choices=Mode.choices,
        initial=Mode.WRITE,
        help_text="A quote needs no model and no training: it says what your team has said.",
    )
    knowledge = forms.ChoiceField(
        label="Known answers",
        help_text="Those of a frozen version; a quote needs some. They are shown below each answer "
        "to everybody who chats. Another version takes over at once, without training.",
    )

    def __init__(self, data: Any, known: Sequence[Knowledge], **options: Any) -> None:
        super().__init__(data, **options)
        self._known = {str(one.pk): one for one in known}
        self._choose("knowledge", [(NOTHING, "none: the model’s own memory"), *self._named()])

    def _named(self) -> list[tuple[str, str]]:
        """Return each as a choice; what no encoder reads answers questions about anything."""
        by_words = " (found by words alone)"
        return [
            (pk, f"{one.version}{'' if one.facts.get('encoder') else by_words}")
            for pk, one in self._known.items()
        ]

    def _choose(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = choices

    @property
    def chosen(self) -> Knowledge | None:
        """Return the knowledge that was chosen."""
        return self._known.get(self.cleaned_data.get("knowledge", ""))

    @property
    def is_quoting(self) -> bool:
        return bool(self.cleaned_data.get("mode") == Mode.QUOTE)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("mode") == Mode.QUOTE and values.get("knowledge") not in self._known:
            self.add_error("knowledge", "Choose the known answers that it quotes.")
        return values


class DeployForm(KnowingForm):
    """A fresh deployment: who answers, from what, and under which name."""

    field_order = ("mode", "knowledge", "model")
    model = forms.ModelChoiceField(
        queryset=TrainedModel.objects.none(),
        empty_label="none: it quotes",
        required=False,
        label="Model that writes",
        help_text="Not needed for quotes. A base model that nobody trained here has not learnt to "
        "answer from what is known: train it, and quote until then.",
    )
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

    def __init__(
        self,
        data: Any,
        models: QuerySet[TrainedModel],
        known: Sequence[Knowledge],
        **options: Any,
    ) -> None:
        super().__init__(data, known, **options)
        field = self.fields["model"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = models
        for name in ("model", "knowledge"):
            vars(self.fields[name])["depends"] = True  # whether it is needed, its hint says
        self._choose("knowledge", [("", AS_LEARNT), (NOTHING, "none"), *self._named()])
        self.fields["knowledge"].required = False
        if not known:
            del self.fields["mode"], self.fields["knowledge"]
            field.required, field.empty_label = True, None
        elif not models.exists():
            del self.fields["model"]
            self._choose("mode", [choice for choice in Mode.choices if choice[0] == Mode.QUOTE])

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("mode") == Mode.WRITE and not values.get("model"):
            self.add_error("model", "Choose the model that writes.")
        return values

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
