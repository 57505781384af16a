"""A model that is ready to answer: session, template, and how fast it reads."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chat_app.serving.errors import (
    BrokenModelError,
    PromptTooLongError,
    ServingError,
    UnreadablePromptError,
)
from chat_app.serving.graph_files import graph_path
from chat_app.serving.limits import TokenBudget
from chat_app.serving.requests import ModelKey, Request
from chat_app.serving.session import Session
from otto_web.lib.cores import usable_cores
from training_app.lm.config import TrainingError
from training_app.lm.copied_numbers import CopiedNumbers, DigitTokens
from training_app.lm.grounding import grounded, grounded_prompt
from training_app.lm.made_up import without_codes
from training_app.lm.served_shape import read_config, shape_of
from training_app.lm.template import Prompt, Template

# How prompts are read in pieces, all chosen by hand.
CHUNK_SECONDS = 0.06  # others' streams stall about so long while a prompt is read
CHUNK_BOUNDS = (16, 512)  # tokens
SAMPLE_TOKENS = 64  # read to measure the speed


@dataclass(frozen=True, slots=True)
class Reading:
    """A request as a model reads it."""

    prompt: Prompt
    most_drawn: int  # tokens after it
    sources: int  # of the nearest ones, how many stand in it


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """One model in memory."""

    session: Session
    template: Template
    chunk: int  # prompt tokens read at once
    digits: DigitTokens

    def prompt(self, request: Request) -> Reading:
        """Return the prompt as the model reads it, and how many tokens may be drawn.

        Raises UnreadablePromptError for token ids that the model does not know, PromptTooLongError
        where no token fits after the prompt, or no known answer into one that `is_whole`, and
        TemplateError where the turns cannot be written as tokens.
        """
        budget = TokenBudget(self.session.context, request.new_tokens)
        prompt, sources = self._fitted(request, budget.prompt - len(request.given_ids))
        if request.is_whole and (prompt.dropped_turns or prompt.cut_tokens):
            prompt, sources = self._whole(request, budget.prompt)
        self._refuse_foreign_ids([*prompt.ids, *request.given_ids, *request.sampling.logit_bias])
        return Reading(prompt, budget.answer(len(prompt.ids), len(request.given_ids)), sources)

    def numbers(self, prompt: Prompt, request: Request) -> CopiedNumbers:
        """Return what lets an answer copy the prompt's numbers, and write no others."""
        shown = without_codes(self.template.decode(prompt.ids), request.not_copied)
        return CopiedNumbers(self.digits, shown)

    def _whole(self, request: Request, room: int) -> tuple[Prompt, int]:
        """Return the whole prompt, which may shorten the answer, with as many sources as fit.

        Raises PromptTooLongError where none does.
        """
        if request.text is not None:
            return self.template.completion(request.text), 0
        if not request.sources:
            return self.template.prompt(request.turns), 0
        for count in range(len(request.sources), 0, -1):
            prompt = self.template.prompt(grounded(request.turns, request.sources[:count]))
            if len(prompt.ids) <= room:
                return prompt, count
        raise PromptTooLongError(
            f"With one known answer the text has {len(prompt.ids)} tokens; the model looks back"
            f" over {self.session.context}, {room} of them before an answer. Make it shorter."
        )

    def _fitted(self, request: Request, room: int) -> tuple[Prompt, int]:
        if request.prompt_ids:
            return Prompt(list(request.prompt_ids)), 0
        if request.text is not None:
            return self.template.completion(request.text, budget=room), 0
        if request.sources:
            return grounded_prompt(self.template, request.turns, request.sources, budget=room)
        return self.template.prompt(request.turns, budget=room), 0

    def _refuse_foreign_ids(self, ids: Sequence[int]) -> None:
        if not 0 <= min(ids) <= max(ids) < self.session.vocab:
            raise UnreadablePromptError(
                f"The model knows the token ids 0 to {self.session.vocab - 1}; "
                f"the request has others. Was it made for another model?"
            )


def load_model(key: ModelKey, *, slots: int = 16, threads: int | None = None) -> LoadedModel:
    """Load a model folder; more threads than it has heads would make replay inexact.

    Raises BrokenModelError where its files are missing, changed, unreadable or too large for the
    memory, UnservableError where its config.json is, and TemplateError where its tokenizer is.
    """
    path = graph_path(key.folder, key.precision)
    if not path.is_file():
        raise BrokenModelError(f"The model has no {key.precision} serving file. Export it again.")
    _expect_checked(path, key.sha256)
    try:
        shape = shape_of(read_config(key.folder))
        template = Template.open(key.folder)
    except (TrainingError, ServingError):
        raise
    except Exception as error:  # tokenizers has no exception type of its own
        raise BrokenModelError(f"The model's folder cannot be read: {error}") from error
    threads = min(threads or usable_cores(), shape.heads)
    try:
        session = Session(path, slots=slots, threads=threads)
    except MemoryError as error:
        raise BrokenModelError("There is not enough memory to load the model.") from error
    return LoadedModel(session, template, chunk_for(session), DigitTokens.of(template.tokenizer))


def _expect_checked(path: Path, sha256: str) -> None:
    """Refuse a serving file that is not the one whose answers were compared with torch's."""
    if not sha256:
        return
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BrokenModelError(f"The model's serving file cannot be read: {error}") from error
    if found != sha256:
        raise BrokenModelError(
            "The model's serving file is not the one that was checked: it is changed or damaged."
            " Restore the model's folder from a backup, or deploy another model."
        )


def chunk_for(session: Session) -> int:
    """Measure how many prompt tokens can be read before other streams would notice.

    It is what the quickest of three readings could do in CHUNK_SECONDS, within CHUNK_BOUNDS.
    """
    tokens = [0] * min(SAMPLE_TOKENS, session.context // 2)
    seconds = min(_read_seconds(session, tokens) for _ in range(3))
    low, high = CHUNK_BOUNDS
    return max(low, min(high, int(len(tokens) * CHUNK_SECONDS / seconds)))


def _read_seconds(session: Session, tokens: Sequence[int]) -> float:
    started_at = time.perf_counter()
    session.prefill(0, tokens, 0)
    return time.perf_counter() - started_at
