"""The settings of a run as options of a command and as a file, also by the names of other systems.

What a preset says gives way to the file, the file to an option, an option to `--set`.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_app.lm.config import LENGTH_UNITS, ConfigError
from training_app.lm.setting_names import OTHER_NAMES
from training_app.lm.settings_file import MOST_CHARACTERS, Line, read_settings
from training_app.selectors.setting_words import SETTINGS
from training_app.services.spec_lines import checked_name

_LENGTHS = {
    "steps": "optimizer updates; the run stops exactly there",
    "epochs": "passes over the data",
    "minutes": "whole clock",
}
_WAYS = {"method": "what is trained of a model that goes on", "system_prompt": "opens each talk"}
_TEXTS = {"system_prompt", "name", "local_model", "method"}
_OF_RUN = ("name", "local_model")


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gave: `key=value` lines for `changed_spec`, name, start, and what was left."""

    lines: list[str]
    name: str = ""
    start: str = ""
    left: tuple[Line, ...] = ()


def add_options(parser: ArgumentParser) -> None:
    """Give a command one option for each setting, with the names of other systems beside ours."""
    group = parser.add_argument_group(
        "settings",
        "Each takes its value from the preset unless it is given here, by --set or in --config.",
    )
    words = _LENGTHS | {name: one.label for name, one in SETTINGS.items()} | _WAYS
    for name, label in words.items():
        other = [given for given, ours in OTHER_NAMES.items() if ours == name]
        flags = [f"--{one.replace('_', '-')}" for one in (name, *other)]
        group.add_argument(*flags, dest=_dest(name), metavar="VALUE", help=label.replace("%", "%%"))
    parser.add_argument(
        "--config", default="", metavar="FILE", help="a run's settings as YAML, before the options"
    )


def given_settings(options: Mapping[str, Any]) -> Given:
    """Return what the options of a command say. Raises ConfigError for a file that is none."""
    found = read_settings(_file_text(options["config"])) if options["config"] else None
    for line in () if found is None else found.left:
        if line.wrong:
            raise ConfigError(line.wrong, f"{line.given} ({line.value}): {line.why}.")
    of_file = {} if found is None else found.values
    of_options = {
        name: options[_dest(name)]
        for name in (*LENGTH_UNITS, *SETTINGS, *_WAYS)
        if options[_dest(name)] is not None
    }
    values = _over(of_file, _first_length(of_options))
    lines = [_line(name, text) for name, text in values.items() if name not in _OF_RUN]
    return Given(
        lines=_without_lengths(lines, options["set"]) + options["set"],
        name=options["name"] or values.get("name", ""),
        start=options["start"] or values.get("local_model", ""),
        left=() if found is None else tuple(found.left),
    )


def _dest(name: str) -> str:
    return f"setting_{name}"


def _file_text(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(MOST_CHARACTERS + 1)
    except OSError as error:
        raise ConfigError("config", f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError("config", f"{path} is no text.") from error


def _first_length(values: dict[str, str]) -> dict[str, str]:
    """Keep one length: a number of steps caps passes and minutes, as it does elsewhere."""
    lengths = [unit for unit in LENGTH_UNITS if unit in values]
    return {name: text for name, text in values.items() if name not in lengths[1:]}


def _over(below: Mapping[str, str], above: Mapping[str, str]) -> dict[str, str]:
    says_length = any(unit in above for unit in LENGTH_UNITS)
    kept = {
        name: text for name, text in below.items() if not (says_length and name in LENGTH_UNITS)
    }
    return kept | dict(above)


def _without_lengths(lines: list[str], above: Iterable[str]) -> list[str]:
    """Leave the length out where a line of `--set` says another."""
    if not any(checked_name(line) in LENGTH_UNITS for line in above):
        return lines
    return [line for line in lines if checked_name(line) not in LENGTH_UNITS]


def _line(name: str, text: str) -> str:
    """Return a `key=value` line; words stay words whatever they look like."""
    if name in _TEXTS:
        return f"{name}={json.dumps(text)}"
    is_switch = text.lower() in {"true", "false"}
    return f"{name}={text.lower() if is_switch else text}"
