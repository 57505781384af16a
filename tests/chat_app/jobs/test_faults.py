"""What goes wrong around an answer: dead threads, odd commands, a silent Redis, changed files."""

from __future__ import annotations

import asyncio
import errno
import json
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as live_settings
from django.utils import timezone
from safetensors import SafetensorError

from chat_app.consumers.token_stream import StreamMux
from chat_app.events import streams
from chat_app.jobs import serving_exports, waiting
from chat_app.jobs.engine import Engine, EngineError, Writing
from chat_app.models import Generation, LogEntry, Message, ServingExport
from chat_app.selectors.grounding import Ground
from chat_app.services import branches, chats, deployments, generations
from chat_app.services.chats import AnswerParams
from chat_app.services.generations import ClaimedAnswer
from chat_app.serving.errors import ServingError
from chat_app.serving.graph_files import graph_path
from chat_app.serving.requests import Finished, Timings
from otto_web.lib.work.claims import claim, finish
from otto_web.lib.work.perform import perform
from otto_web.lib.work.states import State
from tests.chat_app.conftest import running_engine
from tests.chat_app.jobs.test_engine import ask, ended, tab_of
from tests.chat_app.makers import ENDED, add_chat, make_model, make_served
from tests.waiting import until
from training_app.models.paths import absolute

served = pytest.fixture(name="served")(lambda transactional_db, redis_server: make_served())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("part", ["scheduler", "writer"])
def test_an_engine_with_a_dead_part_ends_and_says_so(part, transactional_db, redis_server):
    engine = Engine()

    def die():
        raise MemoryError("a fault that nobody foresaw")

    if part == "scheduler":
        engine.scheduler.turn = die
    else:
        engine._take_events = die
    with pytest.raises(EngineError, match=part):
        engine.run()


def test_what_an_engine_dies_of_is_not_tried_for_ever(served, mia):
    generation = ask(chats.open_chat(served, owner=mia)).generation
    for _ in range(Generation.retry.most):
        generation.refresh_from_db()
        assert generation.state == State.QUEUED
        generations.give_back(generations.claim(1), is_fault=True)
    generation.refresh_from_db()
    assert generation.state == State.RUNNING  # its lease runs out, the reaper marks it


def test_an_answer_that_waits_outlives_any_number_of_engines_that_are_told_to_go(served, mia):
    generation = ask(chats.open_chat(served, owner=mia)).generation
    for _ in range(Generation.retry.most + 1):
        generations.give_back(generations.claim(1), is_fault=False)
    generation.refresh_from_db()
    assert (generation.state, generation.attempts) == (State.QUEUED, 0)


def test_an_orderly_stop_marks_answers_as_interrupted_and_logs_nothing(served, mia):
    generation = ask(chats.open_chat(served, owner=mia)).generation
    (work,) = generations.claim(1)
    event = Finished(str(generation.pk), "interrupted", (1,), (2,), Timings(), 0, "Stopped.")
    assert generations.finish(work, event, "Half an ans", Ground())
    assert ended(generation)
    assert generation.state == State.INTERRUPTED
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "odd",
    [
        {"top_k": 2.5},
        {"new_tokens": 10.5},
        {"seed": 0.5},
        {"temperature": 10**4000},
        {"stop": 5},
        {"stop": [5]},
        {"stop": ["a"] * 5},
        {"stop": ["\0"]},
        {"stop": ["\ud800"]},
        {"logit_bias": [1]},
        {"logit_bias": {"1": None}},
        {"logit_bias": {"1": 1e300}},
        {"logit_bias": {"1": float("nan")}},
        {"logit_bias": {"-1": 1}},
        {"logit_bias": {str(token): 1 for token in range(301)}},
    ],
)
def test_settings_that_no_model_understands_are_refused(odd):
    with pytest.raises(ServingError):
        AnswerParams(**odd)


@pytest.mark.parametrize(
    "odd",
    [
        '{"op":"sub","gen":"\\ud800"}',
        '{"op":"sub","gen":"x","from":%s}' % ("9" * 5000),
        '{"op":"send","idem":"\\ud800"}',
    ],
)
def test_odd_commands_leave_the_socket_open(odd, served, mia, client_of):
    client, chat = client_of(mia), chats.open_chat(served, owner=mia)

    async def scenario():
        tab = tab_of(client)
        await tab.connect()
        send = {"op": "send", "chat": str(chat.pk), "idem": str(uuid4()), "text": "Hello"}
        await tab.send_to(odd)
        first = json.loads(await tab.receive_from())
        await tab.send_to(json.dumps({**send, "params": {"top_k": 2.5}}))
        second = json.loads(await tab.receive_from())
        await tab.disconnect()
        return first, second

    first, second = async_to_sync(scenario)()
    assert first["t"] == "error"
    assert (second["code"], second["text"]) == ("refused", "top_k must be a whole number.")


def test_a_place_beyond_all_frames_does_not_silence_the_others(served, mia, client_of):
    client = client_of(mia)
    gens = [ask(chats.open_chat(served, owner=mia)).generation.pk for _ in range(2)]
    streams.send_frames(gens[1], {1: {"t": "d", "seq": 1, "off": 0, "s": "Hello"}})

    async def scenario():
        tab = tab_of(client)
        await tab.connect()
        await tab.send_to(json.dumps({"op": "sub", "gen": str(gens[0]), "from": 10**40}))
        await tab.send_to(json.dumps({"op": "sub", "gen": str(gens[1]), "from": 0}))
        frame = json.loads(await tab.receive_from())
        await tab.disconnect()
        return frame

    assert async_to_sync(scenario)()["s"] == "Hello"


@pytest.mark.parametrize("stored", ["", "Words that "])
def test_words_that_tabs_have_seen_stay_when_the_engine_dies(stored, served, mia):
    generation = ask(chats.open_chat(served, owner=mia)).generation
    (work,) = generations.claim(1)
    assert generations.checkpoint(generation.pk, work.generation.fence, stored) is False
    pieces = ["Words that ", "were seen 👋"]
    writing = Writing(work)
    for piece in pieces:
        writing.unsent = piece
        assert streams.send_frames(generation.pk, writing.text_frame(0.0))
        writing.note_sent()
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    generations.interrupt_expired()
    generation.refresh_from_db()
    assert generation.state == State.INTERRUPTED
    assert generation.answer.text == "".join(pieces)


def test_an_answer_that_is_gone_on_with_never_loses_its_beginning(served, mia):
    cut = ask(chats.open_chat(served, owner=mia)).answer
    Message.objects.update(text="Half an")
    ends = {"state": State.CANCELLED, "finish": "stopped", "answer_ids": [1, 2], **ENDED}
    Generation.objects.update(**ends)
    begun = branches.go_on(Message.objects.get(pk=cut.pk), idem=uuid4())
    row = begun.generation
    for _ in range(2):  # drained before its first word, with and without a checkpoint
        (work,) = generations.claim(1)
        generations.give_back([work], is_fault=False)
        row.refresh_from_db()
        assert (row.state, row.answer.text) == (State.QUEUED, "Half an")
        (work,) = generations.claim(1)
        writing = Writing(work)
        writing.add("Half")
        assert generations.checkpoint(row.pk, work.generation.fence, writing.kept) is False
        generations.give_back([work], is_fault=False)
    (work,) = generations.claim(1)
    writing = Writing(work)
    writing.end(Finished(str(row.pk), "stopped", (1,), (), Timings(), 0))
    assert writing.unsent == ""
    assert generations.finish(work, writing.finished, writing.text, Ground())
    assert ended(row)
    assert (row.answer.text, row.answer_ids) == ("Half an", [1, 2])
    longer = Writing(work)
    longer.add("Half an answer")
    longer.end(Finished(str(row.pk), "stopped", (1,), (1, 2, 3), Timings(), 0))
    assert (longer.kept, longer.finished.answer_ids) == ("Half an answer", (1, 2, 3))


@pytest.mark.checklist(210)
def test_a_question_stopped_in_the_queue_ends_at_once(served, mia):
    asked = ask(chats.open_chat(served, owner=mia))
    chats.request_stop(asked.generation)
    asked.generation.refresh_from_db()
    assert asked.generation.state == State.CANCELLED
    entries = streams.client(live_settings.OTTO_STREAMS_URL).xrange(
        streams.stream_of(asked.generation.pk)
    )
    assert json.loads(entries[-1][1][b"f"])["t"] == "end"
    assert generations.claim(5) == []


def test_a_chat_deleted_in_mid_answer_leaves_nothing(served, mia):
    chat = chats.open_chat(served, owner=mia)
    generation = ask(chat).generation
    (work,) = generations.claim(1)
    chats.delete_chat(chat, by=mia)
    assert generations.checkpoint(generation.pk, work.generation.fence, "Too late") is None
    event = Finished(str(generation.pk), "stop", (1,), (2,), Timings(), 0)
    assert not generations.finish(work, event, "Too late", Ground())
    assert not LogEntry.objects.exists()
    with pytest.raises(ServingError, match="deleted"):
        ask(type(chat)(pk=chat.pk, owner=mia, deployment=served))


def test_a_chat_taken_out_of_the_log_is_out_wholly(served, mia):
    chat = add_chat(served, mia, [("Question?", "Answer.")], is_logged=True)
    chats.set_logged(chat, is_logged=False)
    assert not LogEntry.objects.exists()


@pytest.mark.slow
def test_a_serving_file_that_was_changed_is_not_loaded(deployment, mia):
    path = graph_path(absolute(deployment.export.path), deployment.export.precision)
    with path.open("ab") as file:
        file.write(b"\0")
    with running_engine():
        generation = ask(chats.open_chat(deployment, owner=mia)).generation
        until(lambda: ended(generation))
    assert generation.state == State.FAILED
    assert "not the one that was checked" in generation.message


def test_words_that_redis_missed_come_with_the_next_frame():
    writing = Writing(ClaimedAnswer(Generation(), ()))
    writing.unsent = "Grüße 👋"
    lost = writing.text_frame(1.0)
    writing.unsent += " und"
    (frame,) = writing.text_frame(2.0).values()
    writing.note_sent()
    assert [found["off"] for found in (*lost.values(), frame)] == [0, 0]
    assert frame["s"] == "Grüße 👋 und"
    assert (writing.sent_units, writing.unsent) == (12, "")


def test_an_answer_that_was_given_back_begins_its_stream_anew(redis_server):
    gen = uuid4()
    assert streams.send_frames(gen, {1: {"t": "stat", "seq": 1}})
    assert streams.send_frames(gen, {1: {"t": "stat", "seq": 1}})


def test_somebody_who_comes_later_sees_all_frames_and_leaves_no_trace(redis_server):
    gen = str(uuid4())

    def write(*seqs):
        streams.send_frames(gen, {seq: {"t": "d", "seq": seq} for seq in seqs})

    async def scenario():
        mux = StreamMux()
        async with mux.following(gen, 0) as first:
            write(1, 2, 3)
            early = [(await first.next(5))["seq"] for _ in range(3)]
            async with mux.following(gen, 0) as second:
                write(4)
                late = [(await second.next(5))["seq"] for _ in range(4)]
        hasty = asyncio.create_task(mux.following(gen, 0).__aenter__())
        await asyncio.sleep(0)
        hasty.cancel()
        await asyncio.gather(hasty, return_exceptions=True)
        return early, late, dict(mux._followers)

    assert async_to_sync(scenario)() == ([1, 2, 3], [1, 2, 3, 4], {})


def test_a_command_makes_in_the_end_what_had_to_wait_for_room(
    transactional_db, settings, monkeypatch
):
    settings.OTTO_DISK_LOOK_SECONDS = 0
    export = ServingExport.objects.create(model=make_model(), precision="fp32")
    tries, pauses = [], iter(range(3))

    def build(row, lease):
        tries.append(row)
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        finish(row)

    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: next(pauses))
    work = partial(perform, ServingExport, do=build, refusals=())
    waiting.settle(export, work, has_workers=False)
    assert (export.state, len(tries)) == (State.SUCCEEDED, 2)


def test_another_question_under_a_key_that_was_used_is_asked_as_itself(served, mia):
    chat, idem = chats.open_chat(served, owner=mia), uuid4()
    first = chats.ask(chat, "First?", AnswerParams(), idem=idem)
    Generation.objects.update(state=State.SUCCEEDED, **ENDED)
    second = [chats.ask(chat, "Second?", AnswerParams(), idem=idem) for _ in range(2)]
    assert [one.question.text for one in second] == ["Second?", "Second?"]
    assert len({one.answer.pk for one in [first, *second]}) == 2


@pytest.mark.slow
def test_an_export_that_finds_the_disk_full_goes_on_when_there_is_room(
    toy_model, theo, redis_server, monkeypatch
):
    deployments.deploy(toy_model, "support", by=theo)
    export = ServingExport.objects.get()

    def full(*_):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    with monkeypatch.context() as patch:
        patch.setattr(serving_exports, "write_graph", full)
        serving_exports.build_serving_export(export.pk)
    export.refresh_from_db()
    assert (export.state, "disk is full" in export.message) == (State.QUEUED, True)
    assert claim(ServingExport, export.pk) is None  # not at once: somebody has to make room
    ServingExport.objects.update(not_before=timezone.now())
    serving_exports.build_serving_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.reason) == (State.SUCCEEDED, "")
