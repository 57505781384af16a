"""What people may type into chats."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.core.validators import MaxLengthValidator
from django.db.models import QuerySet

from chat_app.models import Chat, Deployment
from chat_app.services.chat_settings import LONGEST_PROMPT, params_of
from chat_app.services.chats import AnswerParams
from chat_app.serving.errors import ServingError
from chat_app.serving.limits import NEW_TOKENS, TEMPERATURE, TOP_K, TOP_P
from chat_app.serving.sampling import SEED_LIMIT

CHOOSE = "Choose who should answer; that one does not answer any more."


class MessageForm(forms.Form):
    """A question; `idem` makes sending it twice harmless, `after` is the answer it follows."""

    text = forms.CharField(strip=True, label="Message")
    idem = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    after = forms.UUIDField(widget=forms.HiddenInput, required=False)


class NewChatForm(forms.Form):
    """Which deployment a new chat talks to, with its first question if there is one."""

    deployment = forms.ModelChoiceField(
        queryset=Deployment.objects.none(),
        error_messages=dict.fromkeys(("required", "invalid_choice"), CHOOSE),
    )
    text = forms.CharField(required=False, strip=True)

    def __init__(self, data: Any, deployments: QuerySet[Deployment]) -> None:
        super().__init__(data)
        field = self.fields["deployment"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = deployments


class RenameForm(forms.Form):
    title = forms.CharField(max_length=200, strip=True)


class SettingsForm(forms.Form):
    """How the chat's answers are written."""

    temperature = forms.FloatField(
        min_value=TEMPERATURE.low,
        max_value=TEMPERATURE.high,
        help_text="0 always takes the likeliest word; that is usual where answers come from what "
        f"is known, else {TEMPERATURE.usual} is.",
    )
    top_p = forms.FloatField(
        min_value=TOP_P.low,
        max_value=TOP_P.high,
        label="Top-p",
        help_text=f"Share of likely words; {TOP_P.usual} is usual.",
    )
    top_k = forms.IntegerField(
        min_value=TOP_K.low,
        max_value=TOP_K.high,
        label="Top-k",
        help_text="Only the k likeliest; 0 is off.",
    )
    new_tokens = forms.IntegerField(
        min_value=NEW_TOKENS.low,
        max_value=NEW_TOKENS.high,
        label="Longest answer, in tokens",
        help_text="30–50 for short answers, 100–200 for long ones.",
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=SEED_LIMIT - 1,
        required=False,
        help_text="The same seed and question give the same answer.",
    )
    system = forms.CharField(
        validators=[MaxLengthValidator(LONGEST_PROMPT)],  # no attribute that cuts what is pasted
        required=False,
        label="System prompt",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Said to the model before each question of this chat. Where it is empty, it hears"
        " the one that it was trained with, if there was one.",
    )

    def __init__(self, data: Any = None, *, chat: Chat) -> None:
        start = {**params_of(chat).as_json(), "system": chat.system}
        super().__init__(data, initial=start, auto_id="settings_%s")
        self.fields["temperature"].widget.attrs["step"] = "0.1"
        self.fields["top_p"].widget.attrs["step"] = "0.01"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            values = {name: value for name, value in cleaned.items() if name != "system"}
            try:
                cleaned["params"] = AnswerParams(**values)
            except ServingError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned
