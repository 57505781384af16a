"""What the options of a command are in the end: given, else the file's, the team's, built in."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import forms
from django.core.management.base import CommandError

from datasets_app.models import Provider
from otto_web.loop.forms.defaults import DefaultsForm
from otto_web.loop.forms.pipelines import USUAL
from otto_web.loop.management.people import script_user
from otto_web.loop.selectors.config_env import NOBODY, ReadConfig, read_config
from otto_web.loop.selectors.defaults import (
    BUILT_IN,
    LENGTHS,
    TEAM,
    THIS_RUN,
    WITH_DEFAULT,
)
from otto_web.loop.selectors.wishes import label_of
from training_app.lm.config import ConfigError

# what the command calls an option, where the form has another name for it
DESTS = {
    "way": "model_name",
    "model_name": "output_dir",
    "opset": "opset_version",
    "questions": "questions_per_chunk",
    "passing": "validation_threshold",
    "threshold": "format_threshold",
    "llm_model": "model",
}
BUILT_INS = {
    "chunk_size": USUAL.chunk_size,
    "provider": NOBODY,
    "questions": USUAL.questions,
    "passing": USUAL.passing,
    "threshold": USUAL.threshold,
    "device": "auto",
    "alias": "",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """An option with the value that counts, and whose word that is."""

    name: str
    value: Any
    said: str
    team: Any
    built_in: Any

    @property
    def line(self) -> str:
        """Return it as `--show-settings` prints it."""
        team = "-" if self.team in (None, "") else self.team
        built_in = "-" if self.built_in in (None, "") else self.built_in
        value = "-" if self.value in (None, "") else self.value
        option = f"--{DESTS.get(self.name, self.name).replace('_', '-')}"
        said = f"{self.said}; team: {team}, built-in: {built_in}"
        return f"{option}: {value} ({said})  {label_of(self.name)}"


def add_settings(parser: ArgumentParser) -> None:
    """Add the options by which a settings file is named and settings are shown."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a config.env of the earlier pipeline"
    )
    parser.add_argument(
        "--show-settings",
        action="store_true",
        help="print every option with its value and whose word it is, and do nothing",
    )


def config_of(path: Path | None) -> ReadConfig:
    """Return what a settings file says; nothing without one."""
    if path is None:
        return ReadConfig([])
    try:
        return read_config(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def settled(options: Mapping[str, Any], config: ReadConfig, file: Path | None) -> list[Settled]:
    """Return every option that may come from several places; raises for a value that cannot be."""
    form, said = DefaultsForm(script_user()), config.values
    return list(_settled(form, options, said, f"{THIS_RUN}: {file.name if file else ''}"))


def _settled(
    form: DefaultsForm, options: Mapping[str, Any], config: Mapping[str, str], by_file: str
) -> Iterator[Settled]:
    length = _length_in(options) or _length_in(config)
    for name in WITH_DEFAULT:
        given, built_in = options.get(DESTS.get(name, name)), BUILT_INS.get(name)
        team = _clean(form, name, form.team.get(name, ""))
        if length and name in LENGTHS and name not in length:
            value, said = built_in, BUILT_IN
        elif given not in (None, ""):
            value, said = given, THIS_RUN
        elif name in config:
            value, said = _clean(form, name, config[name]), by_file
        elif team not in (None, ""):
            value, said = team, TEAM
        else:
            value, said = built_in, BUILT_IN
        yield Settled(name, built_in if value in (None, "") else value, said, team, built_in)


def _length_in(told: Mapping[str, Any]) -> set[str]:
    return {name for name in LENGTHS if told.get(name) not in (None, "")}


def _clean(form: DefaultsForm, name: str, value: str) -> Any:
    if value == "":
        return None
    try:
        found = form.fields[name].clean(value)
    except forms.ValidationError as error:
        raise CommandError(f"{label_of(name)}: {error.messages[0]}") from error
    return found.name if isinstance(found, Provider) else found
