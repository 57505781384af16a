"""What the limited child does with a model that somebody brought: it becomes a folder, or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from training_app.lm.bases.encoder_shape import is_encoder, read_json
from training_app.lm.bases.errors import BaseError
from training_app.lm.config import TrainingError
from training_app.lm.layout import MANIFEST, hashes

ENCODER, LANGUAGE = "encoder", "language"
REFUSED = "refused"
_SCHEMA = 1


def take_in(file: BinaryIO, out: Out, source: str, name: str, about: dict[str, Any]) -> None:
    """Fill the working folder with the model at `source`, and tell what it is.

    `source` is a GGUF file or a folder in Hugging Face's layout; `about` goes into otto.json. What
    OTTO does not take in is told as a refusal with its sentence.
    """
    try:
        target = Path.cwd()
        facts = _taken_in(Path(source), target, name, about)
        size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
        out.say(facts={**facts, "bytes": size})
    except TrainingError as error:
        raise ArchiveStop(REFUSED, str(error)) from error


def _taken_in(source: Path, target: Path, name: str, about: dict[str, Any]) -> dict[str, Any]:
    """Make the folder; what does it is imported here, in the child, and by nobody else."""
    if source.is_file():
        from training_app.lm.bases.language_folder import write_gguf  # noqa: PLC0415

        return _language(target, write_gguf(source, target), about)
    config = read_json(source / "config.json")
    if is_encoder(config):
        from training_app.lm.bases.encoder_folder import write_encoder  # noqa: PLC0415

        return {"kind": ENCODER, **write_encoder(source, target, name=name)}
    raise BaseError("The folder holds no model of a kind that OTTO takes in.")


def _language(target: Path, facts: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """Write otto.json last; return what it and the shelf need to know."""
    has_template = (target / "chat_template.jinja").is_file()
    said = facts.pop("said")
    manifest = {
        "schema": _SCHEMA,
        **({"template": "jinja"} if has_template else {}),
        "is_chat": has_template,
        **facts,
        "base": {**said, **about},
        "files": hashes(target),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (target / MANIFEST).write_text(text, encoding="utf-8")
    return {"kind": LANGUAGE, "said": said, "is_chat": has_template, **facts}
