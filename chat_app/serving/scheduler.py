"""Continuous batching: one thread owns every session and pool; requests come, tokens go."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from chat_app.serving.batch import Emit, RunningBatch
from chat_app.serving.errors import (
    BrokenModelError,
    BusyError,
    ServingError,
    UnreadablePromptError,
)
from chat_app.serving.fair_queue import FairQueue, Waiting
from chat_app.serving.loaded import LoadedModel, load_model
from chat_app.serving.model_cache import ModelCache
from chat_app.serving.requests import Finished, FinishReason, ModelKey, Request, Timings
from training_app.lm.config import TrainingError

log = logging.getLogger(__name__)
IDLE_SECONDS = 1.0  # how long an idle engine sleeps unless it is woken; chosen by hand
FAULT = "The engine could not begin this answer; its log says why. Ask again, or otherwise."


class Scheduler:
    """Writes many answers at once; `emit` is called by the thread that runs `run`.

    `submit`, `stop` and `close` may be called by any thread, also from within `emit`. Each `turn`
    takes in and lets go answers between two tokens: continuous batching (Yu et al. 2022, Orca,
    section 3, there iteration-level scheduling), with prompts read in chunks between the steps.
    """

    def __init__(
        self,
        emit: Emit,
        *,
        load: Callable[[ModelKey], LoadedModel] = load_model,
        models: int = 2,
        most_waiting: int = 64,
    ) -> None:
        self._emit, self._most_waiting = emit, most_waiting
        self._models = ModelCache(lambda key: RunningBatch(load(key), emit), models)
        self._changed = threading.Condition(threading.RLock())
        self._queue = FairQueue()
        self._stops: list[str] = []
        self._is_news = self._is_closed = False

    def submit(self, request: Request) -> None:
        """Accept a request. Raises BusyError where too many wait or the engine is closed."""
        with self._changed:
            if len(self._queue) >= self._most_waiting or self._is_closed:
                raise BusyError("Too many answers are waiting. Please try again in a moment.")
            self._queue.put(request, time.monotonic())
            self._wake()

    def stop(self, gen: str) -> None:
        """End a generation within one step; what it has written so far is kept."""
        with self._changed:
            self._stops.append(gen)
            self._wake()

    def close(self) -> None:
        """Make `run` return; what is unfinished is told as interrupted."""
        with self._changed:
            self._is_closed = True
            self._wake()

    def waiting(self) -> list[str]:
        """Return the generations that have no row yet, the next one first."""
        with self._changed:
            return self._queue.order(time.monotonic())

    def active_count(self) -> int:
        """Return how many answers are being written."""
        return sum(batch.size for _, batch in self._models.batches())

    def run(self) -> None:
        """Serve until `close` is called."""
        while not self._is_closed:
            if not self.turn():
                self._sleep()
        self._abandon()

    def turn(self) -> bool:
        """Do one pass: stops, admission, a chunk of prompt and a token of every answer.

        Return whether any model had something to do. A model that breaks is unloaded and its
        answers end as failed.
        """
        self._honour_stops()
        self._admit()
        busy = [(key, batch) for key, batch in self._models.batches() if batch.size]
        for key, batch in busy:
            try:
                batch.advance()
            except BrokenModelError as error:
                self._models.drop(key)
                batch.end_all("failed", str(error), error.code)
        return bool(busy)

    def _sleep(self) -> None:
        with self._changed:
            if not self._is_news:
                self._changed.wait(IDLE_SECONDS)
            self._is_news = False

    def _wake(self) -> None:
        with self._changed:
            self._is_news = True
            self._changed.notify_all()

    def _honour_stops(self) -> None:
        with self._changed:
            stops, self._stops = self._stops, []
            queued = [found for gen in stops if (found := self._queue.remove(gen))]
        for waiting in queued:
            self._refuse(waiting, "stopped", "")
        for gen in stops:
            any(batch.stop(gen) for _, batch in self._models.batches())

    def _admit(self) -> None:
        while True:
            with self._changed:
                waiting = self._queue.take(self._may_start, time.monotonic())
            if waiting is None:
                return
            try:
                self._models.open(waiting.request.model).admit(waiting.request, waiting.since)
            except ServingError as error:
                self._refuse(waiting, "failed", str(error), error.code)
            except TrainingError as error:
                self._refuse(waiting, "failed", str(error), UnreadablePromptError.code)
            except Exception:  # one request must not end the answers of everybody
                log.exception("answer %s could not be begun", waiting.request.gen)
                self._refuse(waiting, "failed", FAULT)

    def _may_start(self, request: Request) -> bool:
        return self._models.is_ready(request.model, self._wake)

    def _refuse(self, waiting: Waiting, finish: FinishReason, reason: str, code: str = "") -> None:
        request, queued = waiting.request, time.monotonic() - waiting.since
        self._emit(
            Finished(
                gen=request.gen,
                finish_reason=finish,
                prompt_ids=tuple(request.prompt_ids),
                answer_ids=(),
                timings=Timings(queue_ms=round(queued * 1000, 3)),
                seed=request.seed or 0,
                reason=reason,
                code=code,
            )
        )

    def _abandon(self) -> None:
        reason = "The engine was stopped while this answer waited or was written."
        for _, batch in self._models.batches():
            batch.end_all("interrupted", reason)
        for waiting in list(self._queue):
            self._refuse(waiting, "interrupted", reason)
        self._models.close()
