"""The template of a model from elsewhere: what its own chat template says, to the same ids."""

from __future__ import annotations

import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Self

from tokenizers import Tokenizer

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn
from training_app.lm.breaks import BREAK, drop_breaks, with_breaks
from training_app.lm.chat_files import GENERATION, TEMPLATE, TOKENIZER_FILES, ChatFiles
from training_app.lm.control_tokens import ControlTokens, Written, harmless
from training_app.lm.guard import SandboxError
from training_app.lm.rendering import Rendered, Rendering
from training_app.lm.sandbox import ChatSource
from training_app.lm.template import JINJA, Encoded, Prompt, Template, TemplateError, without_room

_BATCH = 256  # conversations encoded by one call; by hand
_REMARK = (
    "Here a control token that somebody types stays text; in other tools it becomes one, since this"
    " model's tokenizer leaves no way to prevent it. Clean what people type there."
)
_BETWEEN_TEXTS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>")  # as houses call it


@dataclass(frozen=True, slots=True)
class _Answer:
    """Where an answer stands: from a character on, to a control token or else to a character."""

    start: int
    control: int | None  # which of the text's control tokens ends it
    end: int


@dataclass(frozen=True, slots=True)
class _Ends:
    """The id that ends a turn, the one between texts, and all at which generation ends."""

    turn: int
    text: int
    all: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Composed:
    """A text to encode, its control tokens by their aliases, and the answers in it."""

    text: str
    answers: tuple[_Answer, ...] = ()


class JinjaTemplate(Template):
    """Turns to the ids that transformers' `apply_chat_template` gives, answers marked exactly.

    What people type never becomes a control token. A template that knows no system prompt gets it
    in front of the first question; one that wants questions and answers in turn gets them so.
    """

    kind = JINJA

    def __init__(self, folder: Path, files: ChatFiles) -> None:
        """Try the folder's chat template. Raises TemplateError as `of_folder` does."""
        self._folder, self._files = folder, files
        self._controls, self._rendering = _tried(folder, files)
        self.tokenizer = self._controls.tokenizer
        self._ends = _ends(self._controls, self._rendering.closing, files)
        self.end_of_turn, self.end_of_text = self._ends.turn, self._ends.text

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Return the template of a folder with tokenizer.json and a chat template.

        The folder must stay for `save`. Raises TemplateError where one of them is missing, cannot
        be read, or is hostile, FolderError where another file of theirs cannot be read.
        """
        files = ChatFiles.of_folder(folder)
        if not files.source:
            raise TemplateError(f"The model in {folder.name} has no chat template.")
        return cls(folder, files)

    @property
    def entries(self) -> int:
        """Return how many ids there are room for: one more than the largest."""
        return self._controls.entries

    @property
    def stop_ids(self) -> frozenset[int]:
        """Return the ids that end an answer."""
        return self._ends.all

    @property
    def begin(self) -> int | None:
        """Return the id that opens a text for other tools; None where there is none."""
        return self._controls.ids.get(str(self._files.tokens.get("bos_token")))

    @property
    def source(self) -> str:
        """Return the chat template, as its maker wrote it."""
        return self._files.source

    def encode_all(self, conversations: Iterable[Conversation]) -> Iterator[Encoded]:
        """Yield the conversations encoded, in order, a batch at a time.

        Raises TemplateError for a turn of a role that the model does not know, and where the chat
        template refuses a conversation.
        """
        source = iter(conversations)
        while batch := list(islice(source, _BATCH)):
            composed = [self._conversation(conversation) for conversation in batch]
            texts = self._controls.encode_all([item.text for item in composed])
            for conversation, item, written in zip(batch, composed, texts, strict=True):
                if conversation.is_passage:
                    yield self._passage(written.ids)
                else:
                    yield self._marked(item, written)

    def prompt(
        self, turns: Sequence[Turn], *, budget: int | None = None, answer_start: str = ""
    ) -> Prompt:
        """Return history and the assistant's cue, at most `budget` ids where one is given.

        The oldest whole turns go first, never the system prompt or the cue; `answer_start` is the
        part of an answer that is to be continued. Raises TemplateError where system prompt and cue
        alone need more than `budget` tokens, for a turn of a role that the model does not know, and
        where the chat template refuses the turns.
        """
        ids = self._prompt_ids(turns, answer_start)
        if budget is None or len(ids) <= budget:
            return Prompt(ids)
        head = [*turns[:1]] if turns and turns[0].role == SYSTEM else []
        return self._fitted(head, list(turns[len(head) :]), budget, answer_start)

    def completion(self, text: str, *, budget: int | None = None) -> Prompt:
        """Return the ids that a model of plain passages continues; the end of the text is kept.

        There are at most `budget` ids, what opens a text included, where one is given.
        """
        opening = self._controls.opening or (self.end_of_text,)
        ids = self.text_ids(text)
        room = len(ids) if budget is None else max(0, budget - len(opening))
        cut = max(0, len(ids) - room)
        return Prompt([*opening, *ids[cut:]], cut_tokens=cut)

    def text_ids(self, text: str) -> list[int]:
        """Return the ids of plain text, without any control token."""
        return super().text_ids(harmless(text))

    def save(self, folder: Path, *, context: int) -> str:
        """Write the files by which AutoTokenizer opens tokenizer and chat template.

        They are those that came, but for one thing: other tools shall read typed control tokens as
        text too. Return a sentence where that is not to be had. What the folder says of generation
        already is left alone.
        """
        for name in TOKENIZER_FILES:
            source, target = self._folder / name, folder / name
            is_said = name == GENERATION and target.exists()
            if source.is_file() and source != target and not is_said:
                shutil.copyfile(source, target)
        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        drop_breaks(tokenizer)
        if not _stays_text(tokenizer):
            (folder / TEMPLATE).write_text(self.source, encoding="utf-8")
            return _REMARK
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / TEMPLATE).write_text(with_breaks(self.source, tokenizer), encoding="utf-8")
        return ""

    def _conversation(self, conversation: Conversation) -> _Composed:
        if conversation.is_passage:
            return _Composed(harmless(conversation.turns[0].text))
        composed = self._composed(self._rendering.of(conversation.turns, cue=False))
        said = [turn for turn in conversation.turns if turn.role == ASSISTANT]
        if all(turn.is_learnt for turn in said):
            return composed
        if len(said) != len(composed.answers):  # some were joined: rather learn nothing wrong
            return replace(composed, answers=())
        learnt = [one for one, turn in zip(composed.answers, said, strict=True) if turn.is_learnt]
        return replace(composed, answers=tuple(learnt))

    def _passage(self, ids: list[int]) -> Encoded:
        opening = self._controls.opening
        marks = [*[0] * len(opening), *[1] * (len(ids) + 1)]
        return Encoded([*opening, *ids, self.end_of_text], marks)

    def _composed(self, rendered: Rendered, *, until_words: bool = False) -> _Composed:
        """Return the text to encode, whole or up to the end of the last words."""
        pieces: list[str] = []
        answers: list[_Answer] = []
        place = controls = 0
        start: int | None = None  # of the answer whose end the next own text holds
        words = [*rendered.words, None]
        for own, said, cue in zip(rendered.own, words, [*rendered.cues, None], strict=True):
            ends = self._controls.found(own)
            if start is not None:
                answers.append(_Answer(start, controls if ends else None, place))
            if said is None and until_words:
                break
            before = self._controls.written(own if cue is None else own[:cue])
            after = "" if cue is None else self._controls.written(own[cue:])
            start = None if cue is None else place + len(before)
            controls += len(ends)
            pieces += [before, after, harmless(said or "")]
            place += sum(map(len, pieces[-3:]))
        return _Composed("".join(pieces), tuple(answers))

    def _marked(self, composed: _Composed, written: Written) -> Encoded:
        ids, marks = written.ids, [0] * len(written.ids)
        starts = [start for start, _ in written.offsets]
        ends = [end for _, end in written.offsets]
        for answer in composed.answers:
            first = bisect_right(ends, answer.start)
            last = bisect_left(starts, answer.end)
            if answer.control is not None:
                last = written.controls[answer.control] + 1
            marks[first:last] = [1] * (last - first)
        if composed.answers and composed.answers[-1].control is None:  # else it never ends
            return Encoded([*ids, self.end_of_turn], [*marks, 1])
        return Encoded(ids, marks)

    def _prompt_ids(self, turns: Sequence[Turn], answer_start: str) -> list[int]:
        if answer_start:
            whole = [*turns, Turn(ASSISTANT, answer_start)]
            composed = self._composed(self._rendering.of(whole, cue=False), until_words=True)
        else:
            composed = self._composed(self._rendering.of(turns, cue=True))
        return next(self._controls.encode_all([composed.text])).ids

    def _fitted(
        self, head: list[Turn], history: list[Turn], budget: int, answer_start: str
    ) -> Prompt:
        """Return the prompt without its oldest turns; `budget` does not hold all of them."""

        def room(first: int) -> int:
            return budget - len(self._prompt_ids([*head, *history[first:]], answer_start))

        last = len(history) - 1
        # an answer without its question would mislead
        firsts = [n for n in range(1, last) if history[n].role != ASSISTANT] + [max(0, last)]
        place = bisect_left(firsts, 0, key=room)
        if place < len(firsts):
            first = firsts[place]
            return Prompt(self._prompt_ids([*head, *history[first:]], answer_start), first)
        return self._cut(head, history, budget, answer_start)

    def _cut(self, head: list[Turn], history: list[Turn], budget: int, answer_start: str) -> Prompt:
        """Return the prompt with the end of the newest turn only."""
        newest = history[-1] if history else Turn(USER, "")
        offsets = next(self._controls.encode_all([harmless(newest.text)])).offsets
        cut = 0
        ids = self._prompt_ids([*head, newest], answer_start)
        while len(ids) > budget and cut < len(offsets):
            cut = min(len(offsets), cut + len(ids) - budget)
            kept = newest.text[offsets[cut][0] :] if cut < len(offsets) else ""
            ids = self._prompt_ids([*head, Turn(newest.role, kept)], answer_start)
        if len(ids) > budget:
            raise without_room(len(ids), budget)
        return Prompt(ids, max(0, len(history) - 1), cut)


def _stays_text(tokenizer: Tokenizer) -> bool:
    """Return whether a broken control token is plain text, to the ids of the unbroken one here."""
    tokens = [t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special]
    texts = [f"a{token}b" for token in tokens if len(token) > 1]
    typed = [f"a{token[0]}{BREAK}{token[1:]}b" for token in tokens if len(token) > 1]
    found = [one.ids for one in tokenizer.encode_batch(typed, add_special_tokens=False)]
    tokenizer.encode_special_tokens = True
    wanted = [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]
    tokenizer.encode_special_tokens = False
    return found == wanted


def _ends(controls: ControlTokens, closing: str, files: ChatFiles) -> _Ends:
    """Return what ends answers and texts. Raises TemplateError where nothing does."""
    closers = controls.found(closing)
    eos = controls.ids.get(str(files.tokens.get("eos_token")))
    turn = controls.ids[closers[0]] if closers else eos
    known = (controls.ids[token] for token in _BETWEEN_TEXTS if token in controls.ids)
    text = next(known, turn if eos is None else eos)
    if turn is None or text is None:
        raise TemplateError(
            "Nothing ends an answer of this model: neither its chat template nor its tokenizer"
            " names a token for that."
        )
    said = files.ends & frozenset(controls.ids.values())
    return _Ends(turn, text, said | {turn, text} | ({eos} if eos is not None else set()))


def _tried(folder: Path, files: ChatFiles) -> tuple[ControlTokens, Rendering]:
    """Return the tokenizer's control tokens and the rendering, which was tried on a question."""
    try:
        source = ChatSource(files.source)
    except SandboxError as error:
        raise TemplateError(str(error)) from error
    named = [token for token in files.tokens.values() if isinstance(token, str)]
    controls = _controls_of(folder, named)
    rendering = Rendering(source, files.tokens, controls)
    spelled = [token for token in controls.others if token in rendering.closing]
    if not controls.found(rendering.closing) and spelled:
        controls = _controls_of(folder, [*named, *spelled])
        rendering = Rendering(source, files.tokens, controls)
    return controls, rendering


def _controls_of(folder: Path, named: Sequence[str]) -> ControlTokens:
    try:
        return ControlTokens(folder / "tokenizer.json", named)
    except MemoryError:
        raise
    except Exception as error:  # tokenizers has no exception type of its own
        raise TemplateError(
            f"The tokenizer.json of {folder.name} cannot be read: {error}."
        ) from error
