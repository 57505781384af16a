"""Conversations to a tokenizer and packed token files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from datasets_app.corpus.conversation import Conversation
from training_app.lm.chat_files import TOKENIZER_FILES, written_template
from training_app.lm.config import RunSpec, TrainingError
from training_app.lm.contract import RunEvents, Start, TokenSource
from training_app.lm.layout import file_sha256
from training_app.lm.neighbours import encoded_split
from training_app.lm.otto_template import OttoTemplate
from training_app.lm.packing import Packed, open_packed, pack
from training_app.lm.template import OTTO, Template, kind_of, with_system_prompt
from training_app.lm.tokenizer import with_control_tokens
from training_app.lm.tokenizer_kinds import TOKENIZERS


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything the loop reads: the template and both splits as token files."""

    folder: Path
    template: Template
    train: Packed
    validation: Packed
    is_chat: bool  # False when there were passages only: such a model completes, it does not chat

    @property
    def tokenizer_sha256(self) -> str:
        """Return the hash of the tokenizer's file."""
        return file_sha256(self.folder / "tokenizer.json")


class _Texts:
    """All texts of a split, again at each iteration."""

    def __init__(self, conversations: Callable[[], Iterator[Conversation]]) -> None:
        self._conversations = conversations

    def __iter__(self) -> Iterator[str]:
        return (turn.text for talk in self._conversations() for turn in talk.turns)


def prepare(
    spec: RunSpec, data: TokenSource, work: Path, events: RunEvents, start: Start
) -> Prepared:
    """Return the prepared data, made anew unless `work` holds just these from an earlier call.

    Raises TrainingError where a split is empty or has no text.
    """
    folder = work / "prepared"
    key = _key(spec, data, start)
    known = _reopened(folder, key)
    if known is not None:
        return known
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prepared.json").unlink(missing_ok=True)
    events.phase("tokenizer")
    template = _template(spec, data, start, events)
    template.save(folder, context=spec.model.context)
    events.phase("packing")
    is_chat = _pack_splits(spec, data, folder, template, events)
    files = {name: file_sha256(folder / name) for name in _packed_files(folder)}
    facts = json.dumps({"key": key, "is_chat": is_chat, "template": template.kind, "files": files})
    (folder / "prepared.json").write_text(facts, encoding="utf-8")
    made = _reopened(folder, key)
    assert made is not None  # noqa: S101 written just now, in this process
    return made


def _packed_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.bin"))


def check_files(folder: Path) -> int:
    """Return how many token files are as they were written.

    Raises TrainingError where one is not: a run must not learn from damaged data.
    """
    facts: dict[str, Any] = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    known: dict[str, str] = facts.get("files", {})
    for name, sha256 in known.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != sha256:
            raise TrainingError(
                f"The prepared file {name} is not as it was written: it was changed or the disk"
                " damaged it. Run again: the data are prepared anew. Then look at the disk."
            )
    return len(known)


def _key(spec: RunSpec, data: TokenSource, start: Start) -> str:
    """Return what the prepared files depend on, as one hash."""
    base = None if start.base is None else _base_key(start.base)
    parts = [data.fingerprint, base, spec.model.vocab_size, spec.model.context]
    parts += [spec.data.system_prompt, spec.data.tokenizer]
    if start.tokenizer is not None:
        parts.append(file_sha256(start.tokenizer))
    if spec.data.sources:
        parts += [spec.data.sources, spec.data.abstention, spec.train.seed]
        parts += [None if data.knowledge is None else data.knowledge.name]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _base_key(base: Path) -> list[str]:
    """Return the hashes of what a base's template is made of; a missing file has an empty one."""
    paths = [base / name for name in TOKENIZER_FILES]
    return [file_sha256(path) if path.is_file() else "" for path in paths]


def _reopened(folder: Path, key: str) -> Prepared | None:
    try:
        facts: dict[str, Any] = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if facts["key"] == key:
        check_files(folder)
    train, validation = (open_packed(folder / split) for split in ("train", "validation"))
    if facts["key"] != key or train is None or validation is None:
        return None
    template = Template.open(folder, kind=facts["template"])
    return Prepared(folder, template, train, validation, bool(facts["is_chat"]))


def _template(spec: RunSpec, data: TokenSource, start: Start, events: RunEvents) -> Template:
    """Return the template that the start model has, or OTTO's own for a tokenizer without one."""
    if start.base is not None:
        if kind_of(start.base) != OTTO:
            if not written_template(start.base):
                events.note(
                    "The start model brings no chat template. ChatML is taken, since its tokenizer"
                    " has the control tokens of that."
                )
            return Template.open(start.base)
        tokenizer = Tokenizer.from_file(str(start.base / "tokenizer.json"))
        added = with_control_tokens(tokenizer)
        if added:
            events.note(f"{added} control tokens were added, so that the model can take turns.")
        return OttoTemplate.of(tokenizer)
    if start.tokenizer is not None:
        return OttoTemplate.of(Tokenizer.from_file(str(start.tokenizer)))
    texts = _Texts(lambda: iter(data.train))
    made = TOKENIZERS[spec.data.tokenizer].load()(texts, spec.model.vocab_size)
    if made.note:
        events.note(made.note)
    return OttoTemplate.of(made.tokenizer)


def _pack_splits(
    spec: RunSpec, data: TokenSource, folder: Path, template: Template, events: RunEvents
) -> bool:
    is_chat = False
    entries = template.entries

    def prompted(split: str) -> Iterator[Conversation]:
        nonlocal is_chat
        for conversation in getattr(data, split):
            is_chat = is_chat or not conversation.is_passage
            yield with_system_prompt(conversation, spec.data.system_prompt)

    for split in ("train", "validation"):
        if spec.data.sources:
            is_chat, encoded = True, encoded_split(spec, data, split, template)
        else:
            encoded = template.encode_all(prompted(split))
        facts = pack(
            encoded,
            folder / split,
            vocab_size=entries,
            context=spec.model.context,
        )
        if split == "train" and facts.overlong:
            events.note(
                f"{facts.overlong:,} of {facts.conversations:,} conversations are longer than"
                f" the context of {spec.model.context} tokens: they train in pieces."
            )
    return is_chat
