"""The engine process: rows and hints in, tokens out; the scheduler between knows neither.

It stands among the jobs as they do above services and models: it claims rows, works, and ends them.
`chat_app/serving/` knows no rows, and an app's root holds no processes.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from redis.exceptions import RedisError

from chat_app.events import streams
from chat_app.models import Generation, Kind
from chat_app.selectors.answers import figures_of
from chat_app.selectors.grounding import Ground, Grounding, ground_of
from chat_app.services import generations
from chat_app.services.chats import AnswerParams
from chat_app.services.generations import ClaimedAnswer
from chat_app.serving.errors import ServingError
from chat_app.serving.graph_files import Precision
from chat_app.serving.requests import (
    Delta,
    Event,
    Finished,
    FinishReason,
    ModelKey,
    Request,
    Started,
    Timings,
    Urgency,
)
from chat_app.serving.scheduler import Scheduler
from datasets_app.knowledge.known import NOTHING_KNOWN, Known, KnownAnswers
from datasets_app.models import Knowledge
from datasets_app.selectors.knowledge import key_of
from otto_web.lib.failpoints import failpoint
from training_app.lm.grounding import source_of
from training_app.lm.made_up import Told, Watch, quote_for
from training_app.models.paths import absolute

log = logging.getLogger(__name__)

FRAME_SECONDS = 0.04  # 150 tokens a second must not be 150 frames
CHECKPOINT_SECONDS = 1.0
FINISH_TRIES_SECONDS = 1.0
MOST_AT_ONCE = 16
MADE_UP = "What the model wrote stood in nothing that it was told."
UNREADABLE = (
    "What it knows cannot be read. Ask again; if that does not help, a trainer can build it anew on"
    " the page of its version."
)


class EngineError(ServingError):
    """A part of the engine died; only a fresh process helps."""


def utf16_length(text: str) -> int:
    """Return the length of a text as JavaScript counts it."""
    return len(text) + sum(sign > "\uffff" for sign in text)


@dataclass(slots=True)
class Writing:
    """One answer under way: its text, and how much of it is in frames and in the row."""

    work: ClaimedAnswer
    text: str = ""
    unsent: str = ""
    sent_units: int = 0
    seq: int = 0
    tokens: int = 0
    first_at: float = 0.0
    frame_at: float = 0.0
    checkpoint_at: float = field(default_factory=time.monotonic)
    finish_not_before: float = 0.0  # while the database is away
    known: Known | None = None
    cached_tokens: int = 0  # of the prompt, known from an earlier one
    sources_read: int = 0  # of what is known, how much stands in the prompt
    watch: Watch | None = None  # by what stands in the prompt
    finished: Finished | None = None

    @property
    def key(self) -> UUID:
        return self.work.generation.pk

    @property
    def given(self) -> Generation | None:
        """Return the answer that this one goes on with."""
        row: Generation | None = self.work.generation.continues
        return row

    @property
    def kept(self) -> str:
        """Return the text for the row: the given words until those that are heard go beyond."""
        return max(self.text, self.given.answer.text if self.given else "", key=len)

    def frame(self, kind: str, **body: Any) -> dict[int, dict[str, Any]]:
        """Return the next frame under its number."""
        self.seq += 1
        return {self.seq: {"t": kind, "gen": str(self.key), "seq": self.seq, **body}}

    def ground(self, finish: FinishReason) -> Ground:
        """Return what the text stands on if it ends like that."""
        turns = self.work.turns
        ground = ground_of(self.known, finish, read=self.sources_read, text=self.text, turns=turns)
        return replace(ground, note=f"{MADE_UP} {ground.note}".strip()) if self.is_lost else ground

    def read(self, sources: int) -> None:
        """Note how many of the nearest known answers stand in the prompt."""
        self.sources_read = sources
        if self.known is not None and self.work.grounding is not None and sources:
            found = [source_of(one.piece) for one in self.known.found[:sources]]
            talk = [turn.text for turn in self.work.turns]
            said = [*talk, self.work.grounding.abstention]
            self.watch = Watch(Told.of(found, said, self.known))

    def add(self, text: str, *, is_whole: bool = False) -> bool:
        """Add to the text; tell whether by these words it is no more what was told."""
        self.text += text
        self.unsent += text
        if self.watch is None or self.watch.is_lost:
            return False
        return self.watch.hears(self.text, is_whole=is_whole)

    @property
    def is_lost(self) -> bool:
        """Tell whether the text says something else than what was told."""
        return self.watch is not None and self.watch.is_lost

    def end(self, event: Finished) -> None:
        """Note the last event; what the model made up gives way to the nearest known answer."""
        self.finished = event
        if event.finish_reason in {"stop", "length"}:
            self.add("", is_whole=True)
        if self.is_lost and self.known is not None and self.work.grounding is not None:
            quote = quote_for(self.work.turns, self.known)
            self.text, self.unsent = quote.text if quote else self.work.grounding.abstention, ""
            self.finished = replace(event, finish_reason="quoted" if quote else "abstained")
        elif event.finish_reason not in {"stop", "length"} and self.given is not None:
            self._keep_given(event, self.given)

    def _keep_given(self, event: Finished, given: Generation) -> None:
        """Let an answer that ended while its given words were read again have all of them."""
        if len(self.text) < len(self.kept):
            self.text = self.kept
            self.finished = replace(event, answer_ids=tuple(given.answer_ids))

    def count(self, tokens: int) -> None:
        """Note that more tokens are written."""
        if not self.tokens:
            self.first_at = time.monotonic()
        self.tokens += tokens

    def speed(self, now: float) -> float:
        """Return tokens per second after the first one; 0 while that says nothing."""
        span = now - self.first_at
        return round((self.tokens - 1) / span, 1) if self.tokens > 1 and span > 0.05 else 0.0

    def text_frame(self, now: float) -> dict[int, dict[str, Any]]:
        """Return a frame with the text that was not sent yet."""
        self.frame_at = now
        if not self.unsent:
            return {}
        return self.frame("d", off=self.sent_units, s=self.unsent, tps=self.speed(now))

    def note_sent(self) -> None:
        """Note that the last text frame is in the stream; what is not there goes with the next."""
        self.sent_units += utf16_length(self.unsent)
        self.unsent = ""


class Engine:
    """Connects the scheduler with Postgres, which is the truth, and Redis, which is quick.

    Four threads: the caller's claims work, one looks up what is known, one runs the scheduler, one
    writes what it emits.
    """

    def __init__(self, *, models: int = 2) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.scheduler = Scheduler(self._emit, models=models)
        self._known = KnownAnswers()
        self._lookups = ThreadPoolExecutor(1, "lookups")
        self._writings: dict[str, Writing] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._written_out = threading.Event()
        self._last_id = "$"

    def close(self) -> None:
        """Make `run` return; answers under way end as interrupted, unread ones are queued again."""
        self._over.set()

    def doing(self) -> str:
        with self._lock:
            count = len(self._writings)
        return f"writing {count} answer{'' if count == 1 else 's'}" if count else ""

    def run(self) -> None:
        """Serve until `close` is called; a thread that dies ends the others and raises."""
        scheduler_thread = threading.Thread(target=self.scheduler.run, name="scheduler")
        writer = threading.Thread(target=self._in_thread(self._write), name="writer")
        scheduler_thread.start()
        writer.start()
        try:
            while not self._over.is_set():
                self._expect_alive(scheduler_thread, writer)
                self._look_for_work()
                self._wait_for_hint()
        finally:
            self._wind_up(scheduler_thread, writer)

    def _emit(self, event: Event) -> None:
        failpoint("engine.emit")
        self._events.put(event)

    def _expect_alive(self, *threads: threading.Thread) -> None:
        """Raise when a thread has died: an engine that only seems to live answers nobody."""
        for thread in threads:
            if not thread.is_alive():
                raise EngineError(f"The engine's {thread.name} ended; its traceback stands above.")

    def _wind_up(self, scheduler_thread: threading.Thread, writer: threading.Thread) -> None:
        self._lookups.shutdown(cancel_futures=True)
        with self._lock:
            unread = [found.work for found in self._writings.values() if not found.text]
        is_fault = not self._over.is_set()
        self._try(lambda: generations.give_back(unread, is_fault=is_fault))
        self.scheduler.close()
        scheduler_thread.join()
        self._end_unended()
        self._written_out.set()
        writer.join()
        connection.close()

    def _end_unended(self) -> None:
        """Let answers that a dead scheduler left behind end with the words they have."""
        with self._lock:
            left = [found for found in self._writings.values() if found.finished is None]
        for writing in left:
            self._events.put(ended(writing.work, "interrupted", Generation.retry.message))

    def _in_thread(self, loop: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                loop()
            finally:
                connection.close()

        return run

    # Answers come in ------------------------------------------------------------------------------
    def _look_for_work(self) -> None:
        room = MOST_AT_ONCE - len(self._writings)
        if room > 0:
            for work in self._try(lambda: generations.claim(room)) or []:
                self._start(work)

    def _start(self, work: ClaimedAnswer) -> None:
        writing = Writing(work)
        with self._lock:
            self._writings[str(writing.key)] = writing
        if work.grounding is None:
            self._submit(work, NOTHING_KNOWN)
        else:
            self._lookups.submit(self._look_up, writing, work.grounding)

    def _submit(self, work: ClaimedAnswer, known: Known) -> None:
        try:
            self.scheduler.submit(request_of(work, known))
        except ServingError as error:
            self._events.put(ended(work, "failed", str(error), error.code))

    def _look_up(self, writing: Writing, grounding: Grounding) -> None:
        """Find what is known and answer from it; nobody waits for this thread's exceptions."""
        work = writing.work
        try:
            failpoint("engine.looking_up")
            writing.known = self._find(work, grounding)
            if generations.wants_stop(work.generation):  # the scheduler does not know it yet
                self._events.put(ended(work, "stopped", ""))
            else:
                self._answer_from(writing.known, work, grounding)
        except Exception:
            log.exception("looking up what is known failed")
            self._events.put(ended(work, "failed", UNREADABLE))
        finally:
            connection.close()

    def _find(self, work: ClaimedAnswer, grounding: Grounding) -> Known:
        """Return what is known; where it was built anew since the claim, what is there now."""
        find = partial(self._known.find, most=grounding.most)
        known = find(grounding.key, work.turns)
        if known.is_there:
            return known
        log.warning("answer %s: %s", work.generation.pk, known.note)
        present = Knowledge.objects.exclude(path="").filter(pk=work.generation.knowledge_id).first()
        if present is None or (key := key_of(present)) == grounding.key:
            return known
        return find(key, work.turns)

    def _answer_from(self, known: Known, work: ClaimedAnswer, grounding: Grounding) -> None:
        """Quote, say that nothing is near, or let the model write from what was found."""
        if not known.is_there:
            self._events.put(ended(work, "failed", UNREADABLE))
        elif grounding.is_quoting and (quote := quote_for(work.turns, known)):
            self._say(work, quote.text, "quoted")
        elif grounding.is_quoting or known.is_unknown:
            self._say(work, grounding.abstention, "abstained")
        else:
            self._submit(work, known)

    def _say(self, work: ClaimedAnswer, text: str, finish: FinishReason) -> None:
        """Give an answer that no model writes; it goes the way of all others."""
        self._events.put(Delta(str(work.generation.pk), text, ()))
        self._events.put(ended(work, finish, ""))

    def _wait_for_hint(self) -> None:
        """Return at a hint, or when it is time to look at the rows again."""
        block = int(settings.OTTO_QUEUE_LOOK_SECONDS * 1000)
        try:
            server = streams.client(settings.OTTO_STREAMS_URL)
            found = server.xread({streams.REQUESTS: self._last_id}, block=block, count=200)
        except (RedisError, OSError):
            self._over.wait(block / 1000)
            return
        for _, entries in found or []:
            for entry_id, body in entries:
                self._last_id = entry_id
                if body.get(b"op") == b"stop":
                    self.scheduler.stop(body[b"gen"].decode())

    # Words go out --------------------------------------------------------------------------------
    def _write(self) -> None:
        while not (self._written_out.is_set() and self._events.empty()):
            self._take_events()
            now = time.monotonic()
            with self._lock:
                writings = list(self._writings.values())
            for writing in writings:
                self._attend(writing, now)

    def _take_events(self) -> None:
        """Wait a frame's time for events and hand them to their answers."""
        until = time.monotonic() + FRAME_SECONDS
        while (left := until - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                return
            with self._lock:
                writing = self._writings.get(event.gen)
            if writing is not None and self._hear(writing, event):
                return

    def _hear(self, writing: Writing, event: Event) -> bool:
        """Note one event; True when people should see it at once."""
        if isinstance(event, Started):
            self._hear_start(writing, event)
            return False
        if isinstance(event, Delta):
            text = event.text.replace("\0", "\ufffd")  # no row and no page can hold a NUL
            writing.count(len(event.token_ids))
            if writing.add(text):
                self.scheduler.stop(event.gen)  # nobody waits for the end of what is not told
            return writing.sent_units == 0
        writing.end(event)
        return True

    def _hear_start(self, writing: Writing, event: Started) -> None:
        dropped, writing.cached_tokens = event.dropped_turns, event.cached_tokens
        writing.read(event.sources)
        if dropped or event.sources:
            sources = writing.ground("stop").sources
            self._try(
                lambda: generations.note_start(writing.work, dropped_turns=dropped, sources=sources)
            )
        figures = {"phase": "reading", "ctx": event.prompt_tokens, "dropped": dropped}
        streams.send_frames(writing.key, writing.frame("stat", **figures))

    def _attend(self, writing: Writing, now: float) -> None:
        """Send frames, checkpoint each second, finish what is finished."""
        if writing.finished is not None:
            self._finish(writing, writing.finished, now)
            return
        if now - writing.frame_at >= FRAME_SECONDS:
            self._send_text(writing, now)
        if now - writing.checkpoint_at >= CHECKPOINT_SECONDS:
            self._checkpoint(writing, now)

    def _send_text(self, writing: Writing, now: float) -> None:
        if streams.send_frames(writing.key, writing.text_frame(now)):
            writing.note_sent()

    def _checkpoint(self, writing: Writing, now: float) -> None:
        row = writing.work.generation
        writing.checkpoint_at = now
        try:
            wants_stop = generations.checkpoint(row.pk, row.fence, writing.kept)
        except DatabaseError as error:
            log.warning("an answer waits for the database: %s", error)
            connection.close()
            return
        if wants_stop is None:
            self._forget(writing)
        if wants_stop is not False:
            self.scheduler.stop(str(row.pk))

    def _finish(self, writing: Writing, event: Finished, now: float) -> None:
        """Write the last state; the row comes first, so that a reload shows what the page shows."""
        if now < writing.finish_not_before:
            return
        try:
            ground = writing.ground(event.finish_reason)
            cached = writing.cached_tokens
            is_ours = generations.finish(writing.work, event, writing.text, ground, cached=cached)
        except DatabaseError as error:
            log.warning("an answer's end waits for the database: %s", error)
            connection.close()
            writing.finish_not_before = now + FINISH_TRIES_SECONDS
            return
        if is_ours:
            figures = figures_of(writing.work.generation)
            frames = writing.text_frame(now) | writing.frame("end", **figures)
            streams.send_frames(writing.key, frames)
        self._forget(writing)

    def _forget(self, writing: Writing) -> None:
        with self._lock:
            self._writings.pop(str(writing.key), None)

    def _try(self, action: Callable[[], Any]) -> Any:
        """Do something with the database; while it is away there is no answer."""
        try:
            return action()
        except DatabaseError as error:
            log.warning("the database does not answer: %s", error)
            connection.close()
            self._over.wait(0.5)
            return None


def request_of(work: ClaimedAnswer, known: Known) -> Request:
    """Return what the scheduler needs to know of a claimed answer, and of what is known.

    Raises ServingError where no model was deployed when it was asked.
    """
    row = work.generation
    sources = [source_of(one.piece) for one in known.found]
    told = Told.of(sources, [turn.text for turn in work.turns], known)
    if row.export is None:
        raise ServingError("Nobody wrote answers here when this was asked. Ask again.")
    given = row.continues
    if given is not None and given.model_id != row.model_id:
        raise ServingError("Another model answers here since. Ask again, and it answers anew.")
    wanted = AnswerParams.from_json(row.params)
    kind = row.answer.chat.kind
    is_text = kind == Kind.COMPLETION
    return Request(
        gen=str(row.pk),
        user=str(row.answer.chat.owner_id),
        model=ModelKey(
            absolute(row.export.path), cast("Precision", row.export.precision), row.export.sha256
        ),
        turns=() if is_text else work.turns,
        text=work.turns[-1].text if is_text else None,
        sources=sources,
        sampling=wanted.sampling(),
        seed=row.seed,
        given_ids=given.answer_ids if given else (),
        given_text=given.answer.text if given else "",
        stop=wanted.stop,
        new_tokens=wanted.new_tokens,
        copies_numbers=bool(sources),
        not_copied=told.not_copied,
        urgency=Urgency.INTERACTIVE if kind == Kind.PAGE else Urgency.API,
        is_whole=kind != Kind.PAGE,
    )


def ended(work: ClaimedAnswer, finish: FinishReason, reason: str, code: str = "") -> Finished:
    """Return the last event of an answer of which the scheduler tells nothing."""
    row = work.generation
    return Finished(str(row.pk), finish, (), (), Timings(), row.seed, reason, code)
