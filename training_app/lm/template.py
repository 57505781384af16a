"""What turns become ids by, one for each family of models: in training, evaluation and serving."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import ClassVar

from tokenizers import Tokenizer

from datasets_app.corpus.conversation import SYSTEM, Conversation, Turn
from training_app.lm.chat_files import ChatFiles
from training_app.lm.config import TrainingError
from training_app.lm.layout import MANIFEST

OTTO, JINJA = "otto", "jinja"  # how otto.json names them
OTTO_OPENING = "{{- '<|endoftext|>' -}}{%- for message in messages -%}"  # of our own Jinja
KINDS = {
    OTTO: "training_app.lm.otto_template:OttoTemplate.of_folder",
    JINJA: "training_app.lm.jinja_template:JinjaTemplate.of_folder",
}


class TemplateError(TrainingError):
    """A conversation or a prompt that cannot be written as tokens, or a template that is no use."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The ids of one conversation, its end included; `answers[i]` is 1 where loss may count."""

    ids: list[int]
    answers: list[int]

    @property
    def last_answer(self) -> list[int]:
        """Return the ids of the last answer, its end included; none where no loss counts."""
        end = len(self.ids) - next((n for n, one in enumerate(self.answers[::-1]) if one), 0)
        start = end
        while start and self.answers[start - 1]:
            start -= 1
        return self.ids[start:end]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads before it answers, and what had to go so that it fits."""

    ids: list[int]
    dropped_turns: int = 0
    cut_tokens: int = 0  # taken from the front of the newest turn, when it alone is too long


class Template(ABC):
    """Turns to ids by one tokenizer; control tokens go in by id, all other text stays text."""

    __slots__ = ()

    kind: ClassVar[str]  # of KINDS
    tokenizer: Tokenizer
    end_of_text: int  # stands between texts, and fills up batches
    end_of_turn: int

    @staticmethod
    def open(folder: Path, *, kind: str = "") -> Template:
        """Return the template of a model's folder; what otto.json says holds unless `kind` is said.

        A folder of another house is read by its own chat template where it has one. Raises
        TemplateError where the tokenizer or the chat template is of no use, FolderError where a
        file is too large or unreadable.
        """
        named = kind or kind_of(folder)
        place = KINDS.get(named)
        if place is None:
            raise TemplateError(
                f"The model in {folder.name} wants the template “{named}”, which this version of"
                " OTTO does not know. Update OTTO."
            )
        template: Template = resolve_name(place)(folder)
        return template

    @property
    def entries(self) -> int:
        """Return how many ids there are room for: one more than the largest."""
        return entries_of(self.tokenizer)

    @property
    @abstractmethod
    def stop_ids(self) -> frozenset[int]:
        """Return the ids that end an answer."""

    @property
    @abstractmethod
    def begin(self) -> int | None:
        """Return the id that opens a text for other tools; None where there is none."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Return the Jinja by which other tools write turns: the same ids as `prompt`."""

    @abstractmethod
    def encode_all(self, conversations: Iterable[Conversation]) -> Iterator[Encoded]:
        """Yield the conversations encoded, in order, a batch at a time.

        Raises TemplateError for a turn of a role that the model does not know.
        """

    @abstractmethod
    def prompt(
        self, turns: Sequence[Turn], *, budget: int | None = None, answer_start: str = ""
    ) -> Prompt:
        """Return history and the assistant's cue, at most `budget` ids where one is given.

        The oldest whole turns go first, never the system prompt or the cue; `answer_start` is the
        part of an answer that is to be continued. Raises TemplateError where system prompt and cue
        alone need more than `budget` tokens, and for a turn of a role that the model does not know.
        """

    @abstractmethod
    def completion(self, text: str, *, budget: int | None = None) -> Prompt:
        """Return the ids that a model of plain passages continues; the end of the text is kept.

        There are at most `budget` ids, what opens a text included, where one is given.
        """

    @abstractmethod
    def save(self, folder: Path, *, context: int) -> str:
        """Write the files by which AutoTokenizer opens tokenizer and chat template.

        Return a sentence where a control token that somebody types is none here, but one there.
        """

    def encode(self, conversation: Conversation) -> Encoded:
        """Return one conversation as it is trained on. Raises TemplateError for an unknown role."""
        return next(self.encode_all([conversation]))

    def text_ids(self, text: str) -> list[int]:
        """Return the ids of plain text, without any control token."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of these ids; control tokens have none."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def whole_text(self, ids: Sequence[int]) -> str:
        """Return the text of these ids with its control tokens, as the model read it."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=False)
        return text


def entries_of(tokenizer: Tokenizer) -> int:
    """Return how many ids a network needs for this tokenizer: one more than the largest."""
    return max(tokenizer.get_vocab().values(), default=-1) + 1


def without_room(needed: int, budget: int) -> TemplateError:
    """Return the refusal of a system prompt that leaves no room for anything else."""
    return TemplateError(
        f"The system prompt alone needs {needed} tokens, but there is room for {budget}."
        " Make it shorter."
    )


def with_system_prompt(conversation: Conversation, system_prompt: str) -> Conversation:
    """Return the conversation opened by the system prompt, unless it is a passage or has one."""
    turns = conversation.turns
    if not system_prompt or conversation.is_passage or (turns and turns[0].role == SYSTEM):
        return conversation
    return Conversation((Turn(SYSTEM, system_prompt), *turns))


def kind_of(folder: Path) -> str:
    """Return which template a model's folder wants; our older folders do not say it.

    Raises TemplateError where otto.json is unreadable, FolderError where other files are.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return _foreign_kind(folder)
    except (OSError, ValueError, RecursionError) as error:
        raise TemplateError(f"The model in {folder.name} has no readable {MANIFEST}.") from error
    return str(manifest.get("template", OTTO)) if isinstance(manifest, dict) else OTTO


def _foreign_kind(folder: Path) -> str:
    source = ChatFiles.of_folder(folder).source
    return OTTO if not source or source.startswith(OTTO_OPENING) else JINJA
