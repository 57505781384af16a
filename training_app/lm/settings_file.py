"""A run's settings as a YAML file, and files of other systems read as settings.

Read are YAML (JSON is that too), lines of `NAME=value`, and a command line with `--name value`.
Every name that is given is answered for: taken, or said why not.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace

import yaml

from training_app.lm.config import (
    COMPILE_CHOICES,
    DEVICES,
    LENGTH_UNITS,
    LOSS_CHOICES,
    PRECISIONS,
    ConfigError,
    DataConfig,
    ModelConfig,
    RunSpec,
    TrainConfig,
    shown,
)
from training_app.lm.decays import DECAYS
from training_app.lm.families import FAMILIES
from training_app.lm.methods.registry import METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.setting_names import NO_PLACE, OTHER_NAMES
from training_app.lm.tokenizer_kinds import TOKENIZERS

MOST_CHARACTERS = 16_000
_TEXTS = {"name", "system_prompt", "local_model", "method"}
_KNOWN = {item.name for kind in (ModelConfig, TrainConfig, DataConfig) for item in fields(kind)}
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,60}=")
_LONGEST_NAME = 60
_MOST_NESTED = 4
_DEEPEST = 50
_CHOICES: Mapping[str, Collection[str]] = {
    "family": FAMILIES,
    "precision": PRECISIONS,
    "compile": COMPILE_CHOICES,
    "device": DEVICES,
    "loss_on": LOSS_CHOICES,
    "schedule": DECAYS,
    "optimizer": OPTIMIZERS,
    "tokenizer": TOKENIZERS,
    "method": [name for name, method in METHODS.items() if method.is_started],
}
_UNKNOWN = "OTTO knows no such setting"
_SECRETS = ("key", "token", "secret", "password")  # in the name of what nobody should read again
_YES, _NO = {"true", "yes", "on"}, {"false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Line:
    """A setting of the file: what it is called there, and here, and what became of it."""

    given: str
    value: str
    name: str = ""  # of ours; empty where it was not taken
    why: str = ""  # it was not taken
    wrong: str = ""  # of ours; its value is none that the setting has

    def left(self, why: str) -> Line:
        """Return the line as one that was not taken."""
        return Line(self.given, self.value, why=why)

    @property
    def told(self) -> Line:
        """Return a line that was not taken as it is shown: no value that may be a secret."""
        is_secret = not self.wrong and any(word in self.given.lower() for word in _SECRETS)
        return replace(self, value="") if is_secret or self.why == _UNKNOWN else self


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What a file says; `values` go into the fields of the form."""

    lines: list[Line]

    @property
    def values(self) -> dict[str, str]:
        """Return what was taken, by our names; one length only."""
        return {line.name: line.value for line in self.lines if line.name}

    def without(self, name: str, why: str) -> ReadSettings:
        """Return the same with one of our settings not taken."""
        return ReadSettings([one.left(why) if one.name == name else one for one in self.lines])

    @property
    def taken(self) -> list[Line]:
        """Return what became a setting."""
        return [line for line in self.lines if line.name]

    @property
    def left(self) -> list[Line]:
        """Return what did not, with the reason."""
        return [line.told for line in self.lines if not line.name]


def settings_text(spec: RunSpec, *, about: str = "") -> str:
    """Return the settings as YAML that `read_settings` takes; `about` is a comment above it."""
    values = spec.as_json()
    train = {name: value for name, value in values["train"].items() if value is not None}
    data = {name: value for name, value in values["data"].items() if name != "version"}
    way = {"method": spec.method} if spec.start_from else {}
    found = {**way, "model": values["model"], "train": train, "data": data}
    comment = "".join(f"# {line}\n" for line in about.splitlines())
    return comment + yaml.safe_dump(found, sort_keys=False, allow_unicode=True)


def read_settings(text: str) -> ReadSettings:
    """Return every setting that a text names. Raises ConfigError where it is no settings file."""
    if len(text) > MOST_CHARACTERS:
        raise ConfigError("", f"Settings take at most {MOST_CHARACTERS:,} characters.")
    pairs = list(_pairs(text))
    if not pairs:
        raise ConfigError("", "There is no setting in this text.")
    lines = [_line(given, value) for given, value in pairs]
    return ReadSettings(_one_each(lines))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    rows = [row.strip() for row in text.splitlines()]
    rows = [row for row in rows if row and not row.startswith("#")]
    if rows and all(_ENV.match(row.removeprefix("export ")) for row in rows):
        for row in rows:
            name, _, value = row.removeprefix("export ").partition("=")
            yield name, _env_value(value)
    elif any(re.search(r"(?:^|\s)--[a-z]", row) for row in rows):
        yield from _of_command(" ".join(row.removesuffix("\\") for row in rows))
    else:
        yield from _of_yaml(text)


def _env_value(text: str) -> str:
    """Return a value without its quotation marks, or without the remark behind it."""
    text = text.strip()
    if text[:1] in {'"', "'"} and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    return re.split(r"\s#", text, maxsplit=1)[0].strip().strip("\"'")


def _of_command(text: str) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError("", "A quotation mark of the command is not closed.") from error
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            continue
        name, has_value, value = word[2:].partition("=")
        if not has_value:
            value = words.pop(0) if words and not words[0].startswith("--") else "true"
        yield name, value


def _of_yaml(text: str) -> Iterator[tuple[str, str]]:
    try:
        _check_shape(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise ConfigError("", f"This is no YAML{where}: write `name: value` lines.") from error
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError("", "Settings are `name: value` lines; this text has none.")
    yield from _of_node(root, 0)


def _check_shape(text: str) -> None:
    """Look at the text in one pass first: what nests deeply costs the square of its length."""
    depth = 0
    for event in yaml.parse(text):
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError("", "A settings file repeats nothing by `*name`: write it out.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ConfigError("", "Settings stand at most a few levels deep; this text goes on.")


def _of_node(node: yaml.MappingNode, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the values of a mapping and of those in it: their titles only group them."""
    for key, value in node.value:
        if isinstance(value, yaml.MappingNode) and depth < _MOST_NESTED:
            yield from _of_node(value, depth + 1)
        elif isinstance(value, yaml.ScalarNode):
            is_null = value.tag == "tag:yaml.org,2002:null"
            yield str(key.value), "" if is_null else str(value.value)
        else:
            yield str(key.value), "a list"


def _line(given: str, value: str) -> Line:
    name = given.strip().lstrip("-").lower().replace("-", "_").replace(" ", "_")
    given, value = given[:_LONGEST_NAME], value.strip()
    name = OTHER_NAMES.get(name, name)
    if name in NO_PLACE:
        return Line(given, value, why=NO_PLACE[name])
    if name in {"use_bf16", "bf16"}:
        return Line(given, "bf16" if value.lower() in {*_YES, "1"} else "auto", "precision")
    if name not in _KNOWN | _TEXTS:
        return Line(given, value, why=_UNKNOWN)
    if value in ("", "a list"):
        return Line(given, value, why="it has no single value")
    return _checked(given, name, value)


def _checked(given: str, name: str, value: str) -> Line:
    if name == "optimizer":
        value = "adamw" if value.lower().startswith("adamw") else value.lower()
    if name == "schedule" and value.startswith("constant"):
        value = "constant"
    if name == "name":
        value = value.replace("\\", "/").rstrip("/").rpartition("/")[2]
    if name in _CHOICES and value not in _CHOICES[name]:
        return Line(given, value, why=f"it is one of {', '.join(_CHOICES[name])}", wrong=name)
    if name == "tie_word_embeddings" and value.lower() not in _YES | _NO:
        return Line(given, value, why=f"it is true or false, not {shown(value)}", wrong=name)
    if name in LENGTH_UNITS and value.startswith("-"):
        return Line(given, value, why="a length is above 0", wrong=name)
    return Line(given, value, name)


def _one_each(lines: list[Line]) -> list[Line]:
    """Let each setting be given once, the last time, and one length: the steps before the rest."""
    last = {line.name: place for place, line in enumerate(lines) if line.name}
    lengths = [unit for unit in LENGTH_UNITS if unit in last]
    again, other = "it is given again further down", f"{''.join(lengths[:1])} say how long already"
    return [
        line.left(again)
        if line.name and last[line.name] != place
        else line.left(other)
        if line.name in lengths[1:]
        else line
        for place, line in enumerate(lines)
    ]
