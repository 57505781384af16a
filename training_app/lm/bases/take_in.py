"""What the limited child does with a model that somebody brought: it becomes a folder, or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from training_app.lm.bases.card import said_by_card
from training_app.lm.bases.encoder_shape import is_encoder, read_json
from training_app.lm.bases.unpack import opened
from training_app.lm.chat_files import TEMPLATE, ChatFiles, written_template
from training_app.lm.config import TrainingError
from training_app.lm.layout import MANIFEST, hashes
from training_app.lm.served_shape import why_unservable

ENCODER, LANGUAGE = "encoder", "language"
REFUSED = "refused"
_SCHEMA = 1
_MUTE = "It brings no chat template: train it on conversations before it is deployed."
_FITTING = "It brings no chat template; ChatML is taken, whose control tokens its tokenizer has."


def take_in(
    file: BinaryIO, out: Out, source: str, scratch: str, name: str, about: dict[str, Any]
) -> None:
    """Fill the working folder with the model at `source`, and tell what it is.

    `source` is a GGUF file, a wheel or zip that holds a model, or a folder in Hugging Face's
    layout; `scratch` is a place for what is unpacked; `about` goes into otto.json. Raises
    ArchiveStop with a sentence for what OTTO does not take in.
    """
    target = Path.cwd()
    try:
        model = opened(Path(source), Path(scratch))
        facts = _taken_in(model, target, name, about)
    except TrainingError as error:
        raise ArchiveStop(REFUSED, str(error)) from error
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    out.say(facts={**facts, "bytes": size})


def _taken_in(model: Path, target: Path, name: str, about: dict[str, Any]) -> dict[str, Any]:
    """Make the folder; what does it is imported here, in the child, and by nobody else."""
    if model.is_file():
        from training_app.lm.bases.language_folder import write_gguf  # noqa: PLC0415

        return _language(target, write_gguf(model, target), about)
    said = said_by_card(model)
    if is_encoder(read_json(model / "config.json")):
        from training_app.lm.bases.encoder_folder import write_encoder  # noqa: PLC0415

        return {"kind": ENCODER, "said": said, **write_encoder(model, target, name=name)}
    from training_app.lm.bases.hf_folder import write_hf  # noqa: PLC0415

    return _language(target, {**write_hf(model, target), "said": said}, about)


def _language(target: Path, facts: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """Write otto.json last; return what it and the page need to know."""
    said = facts.pop("said")
    chats = _chats(target)
    manifest = {
        "schema": _SCHEMA,
        "is_chat": bool(chats),
        **chats,
        **facts,
        "base": {**said, **about},
        "files": hashes(target),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (target / MANIFEST).write_text(text, encoding="utf-8")
    return {
        "kind": LANGUAGE,
        "said": said,
        "is_chat": bool(chats),
        "note": chats.get("note", "" if chats else _MUTE),
        "unservable": why_unservable(target),
        **facts,
    }


def _chats(target: Path) -> dict[str, Any]:
    """Return which template the model chats by, tried once; nothing where it has none.

    What fits its control tokens is written where it brings none of its own. Raises TemplateError
    for one that loops, grows or reaches out, and for one that writes no turns.
    """
    from training_app.lm.template import Template, kind_of  # noqa: PLC0415

    source = ChatFiles.of_folder(target).source
    if not source:
        return {}
    has_own = bool(written_template(target))
    if not has_own:
        (target / TEMPLATE).write_text(source, encoding="utf-8")
    template = Template.open(target, kind=kind_of(target))
    template.encode(Conversation((Turn(USER, "Hello"), Turn(ASSISTANT, "Hello to you."))))
    template.prompt([Turn(USER, "Hello")])
    found = {"template": template.kind, "stop_ids": sorted(template.stop_ids)}
    return found if has_own else {**found, "note": _FITTING}
