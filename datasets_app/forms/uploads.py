"""What people fill in about uploads and files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection import known
from datasets_app.corpus.parsing.casting import LEFT_OUT, OTHERS
from datasets_app.corpus.parsing.telling import WAYS, Telling
from datasets_app.corpus.parsing.templates import LONGEST
from datasets_app.corpus.roles import canonical
from datasets_app.corpus.source import Mapping, Speaker, Waiting

TABLE_SIGNS = {
    "": "as found",
    ",": "comma  ,",
    ";": "semicolon  ;",
    "\t": "tab",
    "|": "bar  |",
}
COLUMN_FIELDS = (
    *("question", "answer", "speaker", "words", "conversation", "order"),
    *("text", "system", "context", "key"),
)
FACTS = ("tells", "asks", "template")
COLUMN_GROUPS = (
    ("A question and an answer in each row", ("question", "answer", "context")),
    ("One message in each row", ("speaker", "words", "order", "conversation", "begins")),
    ("Several turns in each row, the first one asked", ("turns",)),
    ("Facts in each row, put into language", ("tells", "key", "asks", "template")),
    ("One column of plain text", ("text",)),
    ("All of them", ("system", "delimiter")),
)
BEGINNINGS = {
    "": "–",
    "whole": "never: a whole table or list is one",
    "blank": "below a blank row",
    "anew": "where the order counts anew",
    "pause": "after an hour without a message",
}


TEMPLATE_EXAMPLE = "{{name}} costs {{price}} EUR[[, since {{since|date}}]]."


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """A field of one or more files."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data or [None]  # a field without files is an empty list
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class UploadForm(forms.Form):
    """The way in without JavaScript: small files, in one piece."""

    sent = ManyFilesField(label="Files or archives", allow_empty_file=True)
    dataset = forms.CharField(max_length=200, required=False, label="Load into")

    def clean_sent(self) -> list[UploadedFile]:
        files: list[UploadedFile] = self.cleaned_data["sent"]
        limit = settings.OTTO_CHUNK_BYTES
        for file in files:
            if (file.size or 0) > limit:
                raise forms.ValidationError(
                    f"“{file.name}” is larger than {limit // 2**20} MiB. Larger files go in "
                    "pieces: switch JavaScript on, or use the command import_files."
                )
        return files


class AgainForm(forms.Form):
    dataset = forms.CharField(max_length=200, required=False, label="Load into")


class ColumnsForm(forms.Form):
    """What each row holds: question and answer, one message, several turns, or plain text."""

    question = forms.ChoiceField(required=False, label="Question")
    answer = forms.ChoiceField(required=False, label="Answer")
    context = forms.ChoiceField(required=False, label="What is put after the question, if any")
    speaker = forms.ChoiceField(required=False, label="Who speaks")
    words = forms.ChoiceField(required=False, label="The words")
    order = forms.ChoiceField(required=False, label="Time or number, if any")
    conversation = forms.ChoiceField(required=False, label="Which conversation it belongs to")
    begins = forms.ChoiceField(
        required=False,
        label="Or a new conversation begins",
        choices=list(BEGINNINGS.items()),
    )
    turns = forms.MultipleChoiceField(required=False, label="Turns in order")
    text = forms.ChoiceField(required=False, label="Text")
    system = forms.ChoiceField(required=False, label="Instruction to the assistant, if any")
    tells = forms.ChoiceField(
        required=False, label="Each row becomes", choices=[("", "–"), *WAYS.items()]
    )
    key = forms.ChoiceField(required=False, label="The column that names what a row is about")
    asks = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="The question in my own words",
        widget=forms.TextInput(attrs={"placeholder": "How much is {{name}}?"}),
    )
    template = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="The answer in my own words",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": TEMPLATE_EXAMPLE}),
    )
    delimiter = forms.ChoiceField(
        required=False, label="Cells are divided by", choices=list(TABLE_SIGNS.items())
    )
    also_alike = forms.BooleanField(required=False)
    save_as = forms.CharField(
        required=False, max_length=100, label="Keep this for the next such table, under the name"
    )

    def __init__(self, asked: dict[str, Any], data: Any = None) -> None:
        super().__init__(data, initial=asked.get("suggested") or {})
        self.columns: list[str] = asked.get("columns", [])
        columns = [(name, name) for name in self.columns]
        for name in (*COLUMN_FIELDS, "turns"):
            picker = self.fields[name]
            assert isinstance(picker, forms.ChoiceField)  # noqa: S101 - narrows the type
            picker.choices = columns if name == "turns" else [("", "–"), *columns]

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the pickers under the way of reading that they belong to."""
        return [(title, [self[name] for name in names]) for title, names in COLUMN_GROUPS]

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        names = (*COLUMN_FIELDS, "begins", "delimiter", *FACTS)
        values = {name: found.get(name) or None for name in names}
        others = (values["question"], values["text"], values["words"], found.get("turns"))
        if any(others) and values["tells"] == self.initial.get("tells"):
            values |= dict.fromkeys((*FACTS, "key"))  # another way was chosen than the proposed one
        if not values["tells"]:
            values |= dict.fromkeys((*FACTS, "key"))
        if values["conversation"]:
            values["begins"] = None  # a column that names it says more
        try:
            found["mapping"] = mapping = Mapping(**values, turns=tuple(found.get("turns", ())))
            if mapping.tells:
                told = (mapping.key, mapping.asks, mapping.template)
                Telling.of(mapping.tells, self.columns, *told)
        except CorpusError as error:
            raise forms.ValidationError(str(error)) from error
        return found


SPEAKER_ROLES = {
    "user": "asks",
    "assistant": "answers",
    "system": "instructs",
    LEFT_OUT: "is left out",
}


class SpeakersForm(forms.Form):
    """Who asks and who answers; everybody else shares one role."""

    others = forms.ChoiceField(label="Everybody else", choices=list(SPEAKER_ROLES.items()))
    whole = forms.BooleanField(
        required=False,
        label="Keep a chat of many days as one conversation",
        help_text="Otherwise, in a text with dates, a question begins a new one after six hours "
        "without a message, and any words after a day; what was asked for may come for a week.",
    )
    also_alike = forms.BooleanField(required=False)
    save_as = forms.CharField(
        required=False, max_length=100, label="Keep this for the next such file, under the name"
    )

    def __init__(self, asked: Waiting, data: Any = None) -> None:
        suggested = (asked.suggested.roles if asked.suggested else None) or {}
        is_whole = bool(asked.suggested and asked.suggested.pauses)
        initial = {"others": suggested.get(OTHERS, "user"), "whole": is_whole}
        super().__init__(data, initial=initial)
        self._speakers = asked.speakers
        for number, one in enumerate(asked.speakers):
            self.fields[f"role_{number}"] = forms.ChoiceField(
                label=one.name,
                choices=list(SPEAKER_ROLES.items()),
                initial=suggested.get(canonical(one.name), "user"),
            )

    def rows(self) -> list[tuple[Speaker, forms.BoundField]]:
        """Return each speaker with the field for the role."""
        return [(one, self[f"role_{number}"]) for number, one in enumerate(self._speakers)]

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        roles = {
            canonical(one.name): found.get(f"role_{number}", "user")
            for number, one in enumerate(self._speakers)
        }
        try:
            found["mapping"] = Mapping(
                roles={**roles, OTHERS: found.get("others", "user")},
                pauses="whole" if found.get("whole") else None,
            )
        except CorpusError as error:
            raise forms.ValidationError(str(error)) from error
        return found


class AnewForm(forms.Form):
    """Whether a file is read anew, and how much of people's work a person saw that this takes."""

    choice = forms.ChoiceField(choices=[(name, name) for name in ("keep", "agree", "newer")])
    rows = forms.IntegerField(required=False)
    held = forms.IntegerField(required=False)
    decided = forms.IntegerField(required=False)
    edited = forms.IntegerField(required=False)
    tagged = forms.IntegerField(required=False)
    judged = forms.IntegerField(required=False)

    def lost(self) -> dict[str, int]:
        """Return the numbers that were seen."""
        return {name: value for name, value in self.cleaned_data.items() if name != "choice"}


class EncodingForm(forms.Form):
    """How the bytes of a file become characters: as one of the guesses, or as one looked for."""

    encoding = forms.ChoiceField(choices=[(name, name) for name in sorted(known.names())])
    also_alike = forms.BooleanField(required=False)


class TryEncodingForm(forms.Form):
    """An encoding whose first lines a person wants to see."""

    encoding = forms.ChoiceField(
        label="Another encoding",
        choices=[
            (group, [(name, name) for name in names]) for group, names in known.groups().items()
        ],
    )
