"""A settings file of the earlier pipeline, read as options of the one-click loop.

Every name that it gives is answered for: taken, or said why not.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import slugify

from datasets_app.corpus.providers.registry import KINDS
from datasets_app.models import Provider
from otto_web.loop.selectors.defaults import LENGTHS
from otto_web.loop.selectors.wishes import WISHED_OF_TRAINING
from training_app.lm.config import TrainingError
from training_app.lm.settings_file import Line, ReadSettings, read_settings
from training_app.selectors.names import model_named

FOLDERS = {
    "pipeline_input_dir": "folder",
    "pipeline_chunks_dir": "chunks_dir",
    "pipeline_qa_dir": "pairs_dir",
    "export_output_dir": "export_dir",
}
# names in lower case, as the earlier pipeline's files and options say them
OWN_NAMES = {
    **FOLDERS,
    "pipeline_llm_provider": "provider",
    "pipeline_llm_model": "llm_model",
    "pipeline_questions_per_chunk": "questions",
    "finetune_model_name": "way",
    "finetune_output_dir": "model_name",
    "export_model_name": "alias",
    "chunk_size": "chunk_size",
    "pipeline_chunk_size": "chunk_size",
    "questions_per_chunk": "questions",
    "validation_threshold": "passing",
    "format_threshold": "threshold",
    "filter_threshold": "threshold",  # its older name
}
# what a run's settings file says, by our name there and here
OF_TRAINING = {
    **{ours: name for name, ours in WISHED_OF_TRAINING.items()},
    "epochs": "epochs",
    "context": "max_length",
    "system_prompt": "system_prompt",
    "name": "model_name",
}
NO_PLACE = {
    "export_model_path": "the model that this run makes is the one that is exported",
    "export_skip_merge": "adapters are always merged, so the folder is an ordinary one",
    "use_bf16": "false: automatic precision is what there is without it",
}
NOBODY = "built-in"  # the generator that asks no provider
LOCAL = ("local", NOBODY)


@dataclass(frozen=True, slots=True)
class ReadConfig(ReadSettings):
    """What a file says of the one-click loop."""

    @property
    def values(self) -> dict[str, str]:
        """Return what the form can be filled with, by its fields."""
        taken = (line for line in self.taken if line.name not in FOLDERS.values())
        return {line.name: "" if line.value == NOBODY else line.value for line in taken}

    @property
    def form_values(self) -> dict[str, str]:
        """Return the same for a form that is filled already: a length empties the others."""
        found = self.values
        others = dict.fromkeys(LENGTHS, "") if set(LENGTHS) & set(found) else {}
        return {**others, **found}

    @property
    def folders(self) -> dict[str, str]:
        """Return the folders that it names; a command reads and writes them, a page does not."""
        return {line.name: line.value for line in self.taken if line.name in FOLDERS.values()}

    def without_folders(self, why: str) -> ReadConfig:
        """Return the same with its folders not taken."""
        folders = FOLDERS.values()
        return ReadConfig([one.left(why) if one.name in folders else one for one in self.lines])


def read_config(text: str) -> ReadConfig:
    """Return every setting that a text names. Raises ConfigError where it is no settings file."""
    return _last_of_each(ReadSettings([_ours(line) for line in read_settings(text).lines]))


def _ours(line: Line) -> Line:
    given = line.given.lower().lstrip("-").replace("-", "_")
    if given in NO_PLACE and line.value.lower() != "bf16":
        return line.left(NO_PLACE[given])
    if given in OWN_NAMES:
        return _own(line, OWN_NAMES[given])
    if line.name in OF_TRAINING:
        return Line(line.given, line.value, OF_TRAINING[line.name])
    return line if not line.name else line.left("the one-click loop has no such option")


def _own(line: Line, name: str) -> Line:
    value = line.value.strip()
    if not value:
        return line.left("it has no value")
    taken = {"provider": _provider, "way": _model}
    if name in taken:
        return taken[name](Line(line.given, value))
    if name == "alias":
        value = slugify(value).replace("_", "-").strip("-")
        return Line(line.given, value, name) if value else line.left("no name can be made of it")
    if name == "model_name":
        value = value.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return Line(line.given, value, name)


def _provider(line: Line) -> Line:
    if line.value.lower() in LOCAL:
        return Line(line.given, NOBODY, "provider")
    there = Provider.objects.filter(is_on=True)
    kind = line.value.lower()
    found = there.filter(name=line.value).first() or there.filter(kind=kind).first()
    if found is None:
        known = "an admin adds it on the page Providers first" if kind in KINDS else "none is here"
        return line.left(f"there is no provider “{line.value}” here: {known}")
    return Line(line.given, str(found.pk), "provider")


def _model(line: Line) -> Line:
    for name in dict.fromkeys((line.value, line.value.rstrip("/").rpartition("/")[2])):
        try:
            return Line(line.given, str(model_named(name).pk), "way")
        except TrainingError:
            continue
    return line.left(
        f"there is no model “{line.value}” here: add it on the page of base models, or let the"
        " newest base model be taken"
    )


def _last_of_each(read: ReadSettings) -> ReadConfig:
    last = {line.name: place for place, line in enumerate(read.lines) if line.name}
    again = "another line says the same option further down"
    return ReadConfig(
        [
            line.left(again) if line.name and last[line.name] != place else line
            for place, line in enumerate(read.lines)
        ]
    )
