"""The answers that one model is writing: rows 0..n-1 of its pool, and the prompt being read."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chat_app.serving.loaded import LoadedModel
from chat_app.serving.prefix_cache import PrefixCache
from chat_app.serving.requests import (
    Delta,
    Event,
    Finished,
    FinishReason,
    Request,
    Started,
    Timings,
)
from chat_app.serving.sampling import SEED_LIMIT, Sampler
from chat_app.serving.session import Scores
from chat_app.serving.text import TextStream

Emit = Callable[[Event], None]


@dataclass(slots=True)
class Clock:
    """The instants of one answer, in seconds of `time.monotonic`; 0 for what has not happened."""

    submitted_at: float
    admitted_at: float
    read_at: float = 0.0
    first_token_at: float = 0.0
    last_token_at: float = 0.0

    def timings(self, drawn: int) -> Timings:
        """Return the spans in milliseconds, and tokens a second; those that did not happen are 0.

        `drawn` is how many tokens were drawn; the rate counts those after the first.
        """
        span = self.last_token_at - self.first_token_at
        return Timings(
            queue_ms=_milliseconds(self.submitted_at, self.admitted_at),
            prompt_ms=_milliseconds(self.admitted_at, self.read_at),
            first_token_ms=_milliseconds(self.submitted_at, self.first_token_at),
            tokens_per_second=round((drawn - 1) / span, 2) if span > 0 else 0.0,
        )


def _milliseconds(start: float, end: float) -> float:
    return round(max(0.0, end - start) * 1000, 3)


@dataclass(slots=True)
class Row:
    """One answer on its way; positions and lengths are in tokens."""

    request: Request
    seed: int
    slot: int
    prompt_ids: list[int]
    most_tokens: int  # of the answer, its given beginning included
    sampler: Sampler
    text: TextStream
    clock: Clock
    chunks: deque[tuple[int, int]]
    answer_ids: list[int] = field(default_factory=list)
    untold_ids: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Return how many tokens have their keys in the pool; the newest is not fed yet."""
        return len(self.prompt_ids) + len(self.answer_ids) - 1

    def next_token(self, scores: Scores, index: int) -> tuple[int, bool]:
        """Return the id of the next token and whether it was drawn.

        Row `index` of `scores`, (rows, vocab_size), is this answer's. While the request gives ids,
        those are taken instead. Drawing raises BrokenModelError where the scores are not numbers.
        """
        place, given = len(self.answer_ids), self.request.given_ids
        if place < len(given):
            self.sampler.accept(given[place])
            return given[place], False
        row = scores.logits[index], scores.top_values[index], scores.top_ids[index]
        return self.sampler.choose(*row), True


class RunningBatch:
    """Writes the answers of one model together; each is what it would be alone.

    Answers come and go between two steps instead of with the whole batch: iteration-level
    scheduling (Yu et al. 2022, Orca, section 3).
    """

    def __init__(self, model: LoadedModel, emit: Emit) -> None:
        self._model, self._emit = model, emit
        self._prefixes = PrefixCache(model.session.cache, model.session.tile)
        self._rows: list[Row] = []  # row i has slot i
        self._reading: Row | None = None

    @property
    def size(self) -> int:
        """Return how many answers are being written, the prompt being read included."""
        return len(self._rows) + (self._reading is not None)

    @property
    def may_admit(self) -> bool:
        """Return whether a row is free and no prompt is being read."""
        return self._reading is None and len(self._rows) < self._model.session.cache.slots

    def admit(self, request: Request, submitted_at: float) -> None:
        """Give a request the next row; `may_admit` must hold.

        `submitted_at` is in seconds of `time.monotonic`. Raises ServingError or TrainingError, and
        admits nothing, where the model cannot read the prompt (see `LoadedModel.prompt`).
        """
        clock = Clock(submitted_at, time.monotonic())
        if request.given_text and not request.given_ids:
            request = replace(request, given_ids=self._model.template.text_ids(request.given_text))
        reading = self._model.prompt(request)
        prompt = reading.prompt
        seed = secrets.randbelow(SEED_LIMIT) if request.seed is None else request.seed
        known = self._prefixes.restore(request.user, prompt.ids, len(self._rows))
        numbers = self._model.numbers(prompt, request) if request.copies_numbers else None
        bounds = self._model.session.bounds(len(prompt.ids) - known, self._model.chunk)
        self._reading = Row(
            request=request,
            seed=seed,
            slot=len(self._rows),
            prompt_ids=prompt.ids,
            most_tokens=reading.most_drawn + len(request.given_ids),
            sampler=Sampler(request.sampling, seed, prompt.ids, numbers),
            text=TextStream(self._model.template.tokenizer, request.stop),
            clock=clock,
            chunks=deque((known + start, known + end) for start, end in bounds),
        )
        told = (len(prompt.ids), prompt.dropped_turns, prompt.cut_tokens, known, reading.sources)
        self._emit(Started(request.gen, *told))

    def advance(self) -> None:
        """Read one chunk of a prompt and write one token of every answer.

        Raises BrokenModelError where the session fails or its scores are not numbers.
        """
        if self._reading is not None:
            self._read_chunk(self._reading)
        if self._rows:
            self._write_tokens()

    def stop(self, gen: str) -> bool:
        """End one answer and keep what it has; False when it is not here."""
        row = next((row for row in self._all() if row.request.gen == gen), None)
        if row is not None:
            self._finish(row, "stopped")
        return row is not None

    def end_all(self, finish: FinishReason, reason: str, code: str = "") -> None:
        """End every answer with this sentence."""
        for row in self._all():
            self._finish(row, finish, reason, code)

    def _all(self) -> list[Row]:
        return [*self._rows[::-1], *([self._reading] if self._reading else [])]

    def _read_chunk(self, row: Row) -> None:
        start, end = row.chunks.popleft()
        scores = self._model.session.prefill(row.slot, row.prompt_ids[start:end], start)
        if row.chunks:
            return
        self._prefixes.keep(row.request.user, row.prompt_ids, row.slot)
        row.clock.read_at = time.monotonic()
        if row.slot != len(self._rows):  # a row before it has ended meanwhile
            self._move(row, len(self._rows), end)
        self._reading = None
        self._rows.append(row)
        self._take(row, scores, 0)

    def _write_tokens(self) -> None:
        rows = list(self._rows)
        tokens = [row.answer_ids[-1] for row in rows]
        scores = self._model.session.decode((0, len(rows)), tokens, [row.length for row in rows])
        for index in reversed(range(len(rows))):  # the last first: a hole is filled by a live row
            self._take(rows[index], scores, index)

    def _take(self, row: Row, scores: Scores, index: int) -> None:
        token, is_drawn = row.next_token(scores, index)
        row.clock.last_token_at = time.monotonic()
        row.clock.first_token_at = row.clock.first_token_at or row.clock.last_token_at
        if is_drawn and token in self._model.template.stop_ids:
            self._finish(row, "stop")
            return
        row.answer_ids.append(token)
        row.untold_ids.append(token)
        if text := row.text.push(token):
            self._tell(row, text)
        if row.text.stopped:
            self._finish(row, "stop")
        elif len(row.answer_ids) >= row.most_tokens:
            self._finish(row, "length")

    def _tell(self, row: Row, text: str) -> None:
        self._emit(Delta(row.request.gen, text, tuple(row.untold_ids)))
        row.untold_ids.clear()

    def _finish(self, row: Row, finish: FinishReason, reason: str = "", code: str = "") -> None:
        self._leave(row)
        rest = row.text.finish()
        if rest or row.untold_ids:
            self._tell(row, rest)
        drawn = len(row.answer_ids) - len(row.request.given_ids)
        self._emit(
            Finished(
                gen=row.request.gen,
                finish_reason=finish,
                prompt_ids=tuple(row.prompt_ids),
                answer_ids=tuple(row.answer_ids),
                timings=row.clock.timings(drawn),
                seed=row.seed,
                reason=reason,
                code=code,
                prompt_text=self._model.template.whole_text(row.prompt_ids),
            )
        )

    def _leave(self, row: Row) -> None:
        """Free the row's slot at once; the last row moves into the hole."""
        if row is self._reading:
            self._reading = None
            return
        last = self._rows.pop()
        if last is not row:
            self._rows[row.slot] = last
            self._move(last, row.slot, last.length)

    def _move(self, row: Row, slot: int, length: int) -> None:
        self._model.session.cache.copy(row.slot, slot, length)
        row.slot = slot
