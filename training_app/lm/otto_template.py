"""OTTO's own template, that of models from scratch: a cue for each role, an end for each turn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar, Self

from tokenizers import Tokenizer

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn
from training_app.lm.breaks import breakable, broken, drop_breaks
from training_app.lm.template import (
    OTTO,
    OTTO_OPENING,
    Encoded,
    Prompt,
    Template,
    TemplateError,
    without_room,
)

END_OF_TEXT = "<|endoftext|>"
END_OF_TURN = "<|end|>"
CUES = {SYSTEM: "<|system|>", USER: "<|user|>", ASSISTANT: "<|assistant|>"}
CONTROL_TOKENS = (END_OF_TEXT, END_OF_TURN, *CUES.values())

_BATCH = 256  # conversations encoded by one call: enough for speed, little for memory; by hand


@dataclass(frozen=True, slots=True)
class OttoTemplate(Template):
    """Turns to ids by one tokenizer; control tokens go in by id, all other text stays text."""

    kind: ClassVar[str] = OTTO
    tokenizer: Tokenizer
    end_of_text: int
    end_of_turn: int
    cues: dict[str, int]

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Self:
        """Return the template of this tokenizer; a literal control token in text stays text.

        Raises TemplateError where the tokenizer lacks a control token.
        """
        ids = {token: tokenizer.token_to_id(token) for token in CONTROL_TOKENS}
        missing = [token for token, number in ids.items() if number is None]
        if missing:
            raise TemplateError(f"The tokenizer lacks the control tokens {', '.join(missing)}.")
        tokenizer.encode_special_tokens = True
        drop_breaks(tokenizer)
        cues = {role: ids[token] for role, token in CUES.items()}
        return cls(tokenizer, ids[END_OF_TEXT], ids[END_OF_TURN], cues)

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Return the template of a model folder's tokenizer. Raises TemplateError as `of` does."""
        return cls.of(Tokenizer.from_file(str(folder / "tokenizer.json")))

    @property
    def stop_ids(self) -> frozenset[int]:
        """Return the ids that end an answer."""
        return frozenset((self.end_of_turn, self.end_of_text))

    @property
    def begin(self) -> int:
        """Return the id that opens a text for other tools."""
        return self.end_of_text

    @property
    def source(self) -> str:
        """Return the Jinja by which other tools write turns: the same ids as `prompt`."""
        return chat_template(self.tokenizer)

    def encode_all(self, conversations: Iterable[Conversation]) -> Iterator[Encoded]:
        """Yield the conversations encoded, in order, a batch at a time.

        Raises TemplateError for a turn of a role that the model does not know.
        """
        source = iter(conversations)
        while batch := list(islice(source, _BATCH)):
            texts = [turn.text for conversation in batch for turn in conversation.turns]
            pieces = iter(self.tokenizer.encode_batch_fast(texts, add_special_tokens=False))
            for conversation in batch:
                yield self._joined(conversation, [next(pieces).ids for _ in conversation.turns])

    def prompt(
        self, turns: Sequence[Turn], *, budget: int | None = None, answer_start: str = ""
    ) -> Prompt:
        """Return history and the assistant's cue, at most `budget` ids where one is given.

        The oldest whole turns go first, never the system prompt or the cue; `answer_start` is the
        part of an answer that is to be continued. Raises TemplateError where system prompt and cue
        alone need more than `budget` tokens, and for a turn of a role that the model does not know.
        """
        tail = [self.cues[ASSISTANT], *(self.text_ids(answer_start) if answer_start else [])]
        head = [self.end_of_text]
        history = list(turns)
        if history and history[0].role == SYSTEM:
            head += self._turn_ids(history.pop(0))
        needed = len(head) + len(tail)
        if budget is not None and needed > budget:
            raise without_room(needed, budget)
        room = None if budget is None else budget - needed
        return self._fitted(head, history, tail, room)

    def completion(self, text: str, *, budget: int | None = None) -> Prompt:
        """Return the ids that a model of plain passages continues; the end of the text is kept.

        There are at most `budget` ids, end-of-text included, where one is given.
        """
        ids = self.text_ids(text)
        room = len(ids) if budget is None else max(0, budget - 1)
        cut = max(0, len(ids) - room)
        return Prompt([self.end_of_text, *ids[cut:]], cut_tokens=cut)

    def save(self, folder: Path, *, context: int) -> str:
        """Write the files by which AutoTokenizer opens this tokenizer and its chat template.

        Return nothing: other tools read typed control tokens as text too.
        """
        drop_breaks(self.tokenizer)
        self.tokenizer.save(str(folder / "tokenizer.json"))
        settings = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": END_OF_TEXT,
            "eos_token": END_OF_TEXT,
            "pad_token": END_OF_TEXT,
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],  # there are no segment ids
            "model_max_length": context,
        }
        text = json.dumps(settings, indent=2) + "\n"
        (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
        (folder / "chat_template.jinja").write_text(self.source, encoding="utf-8")
        return ""

    def _fitted(
        self, head: list[int], history: list[Turn], tail: list[int], room: int | None
    ) -> Prompt:
        pieces = [self._turn_ids(turn) for turn in history]
        if room is None:
            return Prompt([*head, *_flat(pieces), *tail])
        first, used = len(pieces), 0
        while first > 0 and used + len(pieces[first - 1]) <= room:
            first -= 1
            used += len(pieces[first])
        if first == len(pieces) and pieces:
            cue, *words = pieces[-1]
            kept = [cue, *words[len(words) - room + 1 :]] if room > 1 else []
            cut = len(pieces[-1]) - len(kept)
            return Prompt([*head, *kept, *tail], dropped_turns=first - 1, cut_tokens=cut)
        while 0 < first < len(pieces) and history[first].role == ASSISTANT:
            first += 1  # an answer without its question would mislead
        return Prompt([*head, *_flat(pieces[first:]), *tail], dropped_turns=first)

    def _turn_ids(self, turn: Turn) -> list[int]:
        return [self._cue(turn.role), *self.text_ids(turn.text), self.end_of_turn]

    def _cue(self, role: str) -> int:
        if role not in self.cues:
            roles = ", ".join(self.cues)
            raise TemplateError(f"A turn has the role “{role}”; the model knows {roles}.")
        return self.cues[role]

    def _joined(self, conversation: Conversation, texts: list[list[int]]) -> Encoded:
        if conversation.is_passage:
            ids = [*texts[0], self.end_of_text]
            return Encoded(ids, [1] * len(ids))
        ids, answers = [], []
        for turn, text in zip(conversation.turns, texts, strict=True):
            ids += [self._cue(turn.role), *text, self.end_of_turn]
            is_learnt = turn.role == ASSISTANT and turn.is_learnt
            answers += [0, *[int(is_learnt)] * (len(text) + 1)]
        return Encoded([*ids, self.end_of_text], [*answers, 0])


def _flat(pieces: Sequence[list[int]]) -> list[int]:
    return [number for piece in pieces for number in piece]


def chat_template(tokenizer: Tokenizer) -> str:
    """Return the Jinja by which other tools write turns: the same ids as `prompt` and `encode`."""
    text = broken("message['content']", breakable(tokenizer))
    roles = ", ".join(map(repr, CUES))
    return (
        OTTO_OPENING + "{%- if message['role'] not in [" + roles + "] -%}"
        "{{- raise_exception('The model knows the roles " + ", ".join(CUES) + ".') -}}"
        "{%- endif -%}"
        "{{- '<|' + message['role'] + '|>' -}}"
        "{{- " + text + " -}}"
        "{{- '" + END_OF_TURN + "' -}}"
        "{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- '" + CUES[ASSISTANT] + "' -}}"
        "{%- else -%}{{- '" + END_OF_TEXT + "' -}}{%- endif -%}"
    )
