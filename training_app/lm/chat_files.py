"""What a model's folder says of its tokenizer and chat template, read without running anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_app.lm.breaks import without_breaks
from training_app.lm.layout import FolderError
from training_app.lm.sandbox import MOST_SOURCE

TEMPLATE, SETTINGS, SPECIAL = (
    "chat_template.jinja",
    "tokenizer_config.json",
    "special_tokens_map.json",
)
GENERATION = "generation_config.json"
TOKENIZER_FILES = ("tokenizer.json", TEMPLATE, SETTINGS, SPECIAL, GENERATION)
CHATML = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}"
)
_MOST_TOKENIZER_BYTES = 256 << 20
_MOST_BYTES = 4 << 20  # of one of these files; those of large vocabularies have some 100 kB
_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")


@dataclass(frozen=True, slots=True)
class ChatFiles:
    """The chat template's text, empty where there is none, and the tokens that it may name."""

    source: str
    tokens: Mapping[str, Any]  # `bos_token` and others as text, as transformers hands them over
    ends: frozenset[int]  # ids at which generation ends, as the folder says

    @classmethod
    def of_folder(cls, folder: Path) -> ChatFiles:
        """Return what the folder says. Raises FolderError for what is too large or unreadable."""
        settings = _values(folder / SETTINGS)
        ends = _values(folder / GENERATION).get("eos_token_id")
        numbers = ends if isinstance(ends, list) else [ends]
        return cls(
            without_breaks(written_template(folder) or _fitting(folder)),
            _tokens({**_values(folder / SPECIAL), **settings}),
            frozenset(n for n in numbers if isinstance(n, int) and not isinstance(n, bool)),
        )


def written_template(folder: Path) -> str:
    """Return the chat template that a folder brings; nothing where it has none.

    Raises FolderError for a file that is too large or unreadable.
    """
    written = _text(folder / TEMPLATE, 4 * MOST_SOURCE)
    if written is not None:
        return written
    return _named_template(_values(folder / SETTINGS).get("chat_template"))


def _fitting(folder: Path) -> str:
    """Return ChatML where a tokenizer has its control tokens, as those of many bases have."""
    text = _text(folder / "tokenizer.json", _MOST_TOKENIZER_BYTES) or ""
    has_both = '"<|im_start|>"' in text and '"<|im_end|>"' in text
    return CHATML if has_both else ""


def _named_template(value: object) -> str:
    """Return the template of a configuration: a text, or the one of several named “default”."""
    if isinstance(value, list):
        named = [item for item in value if isinstance(item, dict)]
        value = next((i.get("template") for i in named if i.get("name") == "default"), "")
    return value if isinstance(value, str) else ""


def _tokens(settings: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: text for name in _NAMES if (text := _content(settings.get(name)))}
    found |= dict(_more(settings.get("extra_special_tokens")))
    more = settings.get("additional_special_tokens")
    listed = [text for item in more if (text := _content(item))] if isinstance(more, list) else []
    return found | ({"additional_special_tokens": listed} if listed else {})


def _more(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if text := _content(item):
                yield str(name), text


def _content(value: object) -> str:
    """Return a token's text; it is written as a text or as an object that describes it."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""


def _values(path: Path) -> dict[str, Any]:
    text = _text(path, _MOST_BYTES)
    if text is None:
        return {}
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FolderError(f"{path.name} of {path.parent.name} is no JSON: {error}.") from error
    if not isinstance(values, dict):
        raise FolderError(f"{path.name} of {path.parent.name} is no JSON object.")
    return values


def _text(path: Path, most: int) -> str | None:
    try:
        if path.stat().st_size > most:
            raise FolderError(
                f"{path.name} of {path.parent.name} is larger than {most / 1e6:,.1f} MB."
                " A model's own is a few kB; take the file from where the model came from."
            )
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FolderError(f"{path.name} of {path.parent.name} cannot be read: {error}.") from error
