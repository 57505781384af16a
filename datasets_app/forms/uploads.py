"""What people fill in about uploads and files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import COMMON
from datasets_app.corpus.parsing.casting import LEFT_OUT, OTHERS
from datasets_app.corpus.roles import canonical
from datasets_app.corpus.source import Mapping, Speaker, Waiting
from datasets_app.models import SourceFile

TABLE_SIGNS = {
    "": "as found",
    ",": "comma  ,",
    ";": "semicolon  ;",
    "\t": "tab",
    "|": "bar  |",
}
COLUMN_FIELDS = ("question", "answer", "text", "system", "context")
MORE_ENCODINGS = ("utf-8", "utf-16-le", *COMMON)


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
    """Which column is the question, which the answer; or which one is plain text."""

    question = forms.ChoiceField(required=False, label="Question")
    answer = forms.ChoiceField(required=False, label="Answer")
    text = forms.ChoiceField(required=False, label="Or one column of plain text")
    system = forms.ChoiceField(required=False, label="Instruction to the assistant, if any")
    context = forms.ChoiceField(required=False, label="What is put after the question, if any")
    delimiter = forms.ChoiceField(
        required=False, label="Cells are divided by", choices=list(TABLE_SIGNS.items())
    )
    also_alike = forms.BooleanField(required=False)

    def __init__(self, asked: dict[str, Any], data: Any = None) -> None:
        super().__init__(data, initial=asked.get("suggested") or {})
        columns = [("", "–"), *((name, name) for name in asked.get("columns", []))]
        for name in COLUMN_FIELDS:
            picker = self.fields[name]
            assert isinstance(picker, forms.ChoiceField)  # noqa: S101 - narrows the type
            picker.choices = columns

    def pickers(self) -> list[forms.BoundField]:
        """Return the fields that are shown as pickers."""
        return [field for field in self if field.name != "also_alike"]

    def clean(self) -> dict[str, Any]:
        values = {
            name: self.cleaned_data.get(name) or None for name in (*COLUMN_FIELDS, "delimiter")
        }
        try:
            self.cleaned_data["mapping"] = Mapping(**values)
        except CorpusError as error:
            raise forms.ValidationError(str(error)) from error
        return self.cleaned_data


SPEAKER_ROLES = {
    "user": "asks",
    "assistant": "answers",
    "system": "instructs",
    LEFT_OUT: "is left out",
}


class SpeakersForm(forms.Form):
    """Who asks and who answers; everybody else shares one role."""

    others = forms.ChoiceField(label="Everybody else", choices=list(SPEAKER_ROLES.items()))
    also_alike = forms.BooleanField(required=False)

    def __init__(self, asked: Waiting, data: Any = None) -> None:
        suggested = (asked.suggested.roles if asked.suggested else None) or {}
        super().__init__(data, initial={"others": suggested.get(OTHERS, "user")})
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
            found["mapping"] = Mapping(roles={**roles, OTHERS: found.get("others", "user")})
        except CorpusError as error:
            raise forms.ValidationError(str(error)) from error
        return found


class EncodingForm(forms.Form):
    """How the bytes of a file become characters."""

    encoding = forms.ChoiceField(label="Read it as", widget=forms.RadioSelect)
    also_alike = forms.BooleanField(required=False)

    def __init__(self, file: SourceFile, data: Any = None) -> None:
        super().__init__(data)
        guesses = [guess["encoding"] for guess in (file.waiting_for or {}).get("guesses", [])]
        picker = self.fields["encoding"]
        assert isinstance(picker, forms.ChoiceField)  # noqa: S101 - narrows the type
        picker.choices = [(name, name) for name in dict.fromkeys((*guesses, *MORE_ENCODINGS))]
