"""Answers from question to last word, through Postgres, Redis, the engine and a socket."""

from __future__ import annotations

import json
import subprocess
import sys
from uuid import uuid4

import pytest
import redis
from asgiref.sync import async_to_sync
from django.conf import settings as live_settings

from chat_app.models import Generation, LogEntry, Message, ServingExport
from chat_app.services import chats, deployments, generations
from chat_app.services.chats import AnswerParams
from chat_app.serving.errors import ServingError
from otto_web.asgi import application
from otto_web.lib.work.states import State
from tests.chat_app.conftest import add_model, engine_process, running_engine
from tests.chat_app.makers import ENDED
from tests.chat_app.serving.toys import CHATS
from tests.sockets import Line, is_refused
from tests.training_app.conftest import make_version
from tests.waiting import until
from training_app.models import Run

QUESTION, ANSWER = CHATS[0]
GREEDY = AnswerParams(temperature=0.0)


def ended(generation):
    generation.refresh_from_db()
    return generation.state not in {State.QUEUED, State.RUNNING}


def ask(chat, text=QUESTION, params=GREEDY):
    return chats.ask(chat, text, params, idem=uuid4())


def tab_of(client, origin="http://127.0.0.1"):
    headers = [
        (b"origin", origin.encode()),
        (b"host", b"127.0.0.1"),
        (b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()),
    ]
    return Line(application, "/ws/chat/", headers=headers)


async def frames_until(tab, kind):
    found = []
    while not found or found[-1]["t"] != kind:
        found.append(json.loads(await tab.receive_from()))
    return found


def text_of(frames):
    """Put the text together as a page does, checking each offset."""
    text = ""
    for frame in frames:
        if frame["t"] == "snap":
            text = frame["text"]
        elif frame["t"] == "d":
            assert frame["off"] == len(text.encode("utf-16-le")) // 2
            text += frame["s"]
    return text


@pytest.mark.checklist(200)
def test_a_serving_file_is_offered_after_its_numbers_agree(deployment):
    export = ServingExport.objects.get()
    assert export.state == "succeeded"
    assert export.parity_max <= 1e-4
    assert export.figures["greedy_equal"]
    assert export.calibration["decode_8"] > 0


def test_an_alias_goes_on_with_its_model_until_the_next_one_is_checked(
    deployment, data_dir, toy_folder, theo
):
    second = add_model(data_dir, toy_folder)
    found = deployments.deploy(second, "support", by=theo)
    assert (found.model_id, found.next_model_id) == (deployment.model_id, second.pk)


@pytest.mark.slow
@pytest.mark.checklist(203)
def test_an_answer_is_written_whole_with_its_figures(deployment, engine, mia):
    chat = chats.open_chat(deployment, owner=mia)
    asked = ask(chat)
    until(lambda: ended(asked.generation))
    assert asked.generation.state == State.SUCCEEDED, asked.generation.message
    asked.answer.refresh_from_db()
    assert asked.answer.text == ANSWER
    assert asked.generation.timings["tokens"] == len(asked.generation.answer_ids) > 10
    assert asked.generation.prompt_ids


@pytest.mark.slow
@pytest.mark.checklist(203, 206)
def test_a_tab_sees_the_answer_grow_and_ends_equal_to_the_row(deployment, engine, mia, client_of):
    chat = chats.open_chat(deployment, owner=mia)
    client = client_of(mia)

    async def scenario():
        tab = tab_of(client)
        assert (await tab.connect())[0]
        body = {"op": "send", "chat": str(chat.pk), "text": QUESTION, "idem": str(uuid4())}
        await tab.send_to(json.dumps({**body, "params": {"temperature": 0.0}}))
        accepted = (await frames_until(tab, "accepted"))[-1]
        await tab.send_to(json.dumps({"op": "sub", "gen": accepted["gen"], "from": 0}))
        frames = await frames_until(tab, "end")
        await tab.disconnect()
        return accepted, frames

    accepted, frames = async_to_sync(scenario)()
    row = Message.objects.get(pk=accepted["msg"])
    assert text_of(frames) == row.text == ANSWER
    assert frames[-1]["timings"]["tokens_per_second"] > 0


@pytest.mark.slow
def test_a_tab_that_comes_back_loses_no_word(deployment, engine, mia, client_of):
    chat = chats.open_chat(deployment, owner=mia)
    client = client_of(mia)
    asked = ask(chat)

    async def scenario():
        text, seq, frames = "", 0, []
        for _ in range(200):
            tab = tab_of(client)
            await tab.connect()
            await tab.send_to(
                json.dumps({"op": "sub", "gen": str(asked.generation.pk), "from": seq})
            )
            frame = json.loads(await tab.receive_from())
            await tab.disconnect()
            if frame["t"] == "snap":
                text = frame["text"]
                break
            seq = frame["seq"]
            frames.append(frame)
            if frame["t"] == "end":
                text = text_of(frames)
                break
        return text

    text = async_to_sync(scenario)()
    until(lambda: ended(asked.generation))
    asked.answer.refresh_from_db()
    assert text == asked.answer.text == ANSWER


@pytest.mark.slow
@pytest.mark.checklist(210)
def test_stop_keeps_what_is_written_and_frees_the_engine(deployment, engine, mia, failpoint_at):
    point = failpoint_at("engine.emit", "hold@10")
    point.arm_here()
    asked = ask(chats.open_chat(deployment, owner=mia))
    point.reached()
    chats.request_stop(asked.generation)
    until(lambda: engine.scheduler._stops)
    written = until(lambda: Message.objects.get(pk=asked.answer.pk).text)
    point.release()
    until(lambda: ended(asked.generation))
    until(lambda: engine.scheduler.active_count() == 0)
    assert asked.generation.state == State.CANCELLED
    asked.answer.refresh_from_db()
    assert asked.answer.text.startswith(written)
    assert len(asked.answer.text) < len(ANSWER)


def redis_url():
    return live_settings.OTTO_STREAMS_URL


@pytest.mark.slow
def test_several_people_are_answered_together_and_apart(deployment, engine, mia, milo, cora, theo):
    asked = [
        (ask(chats.open_chat(deployment, owner=owner), question), answer)
        for owner, (question, answer) in zip((mia, milo, cora, theo), CHATS, strict=True)
    ]
    for one, answer in asked:
        until(lambda one=one: ended(one.generation))
        one.answer.refresh_from_db()
        assert one.answer.text == answer


@pytest.mark.slow
def test_the_same_message_sent_again_is_one_message(deployment, engine, mia):
    chat = chats.open_chat(deployment, owner=mia)
    idem = uuid4()
    first = chats.ask(chat, QUESTION, GREEDY, idem=idem)
    again = chats.ask(chat, QUESTION, GREEDY, idem=idem)
    assert first.generation.pk == again.generation.pk
    assert chat.messages.count() == 2


def test_a_second_question_waits_for_the_first_answer(deployment, mia):
    chat = chats.open_chat(deployment, owner=mia)
    ask(chat)
    with pytest.raises(ServingError, match="still being written"):
        ask(chat)


def test_history_is_read_oldest_first_with_the_system_prompt(deployment, mia):
    chat = chats.open_chat(deployment, owner=mia)
    chat.system = "Be kind."
    chat.save()
    first = ask(chat, "One?")
    Message.objects.filter(pk=first.answer.pk).update(text="Uno.")
    Generation.objects.update(state=State.SUCCEEDED, **ENDED)
    second = ask(chat, "Two?")
    roles = [(t.role, t.text) for t in generations.history_of(second.answer)]
    assert roles == [
        ("system", "Be kind."),
        ("user", "One?"),
        ("assistant", "Uno."),
        ("user", "Two?"),
    ]


def test_a_chat_without_a_system_prompt_has_the_one_of_its_models_run(deployment, mia, toy_model):
    spec = {"data": {"system_prompt": "You are the shop."}}
    toy_model.run = Run.objects.create(name="toy", version=make_version(), spec=spec)
    toy_model.save()
    chat = chats.open_chat(deployment, owner=mia)
    ask(chat, "One?")
    (work,) = generations.claim(1)
    assert [turn.text for turn in work.turns] == ["You are the shop.", "One?"]
    chat.system = "Be kind."
    chat.save()
    answer = Message.objects.get(pk=work.generation.answer_id)
    assert [turn.text for turn in generations.history_of(answer)] == ["Be kind.", "One?"]


@pytest.mark.slow
@pytest.mark.checklist(208)
def test_an_answer_is_logged_only_where_deployment_and_chat_agree(deployment, engine, mia, theo):
    chat = chats.open_chat(deployment, owner=mia)
    logged = ask(chat)
    until(lambda: ended(logged.generation))
    assert LogEntry.objects.get().message == logged.answer
    chats.set_logged(chat, is_logged=False)
    assert not LogEntry.objects.exists()
    deployments.set_logging(deployment, is_on=False, by=theo)
    quiet = ask(chats.open_chat(deployment, owner=mia))
    until(lambda: ended(quiet.generation))
    assert not LogEntry.objects.exists()


@pytest.mark.slow
def test_an_answer_comes_without_redis_and_the_tab_sees_it(
    deployment, mia, client_of, settings, monkeypatch
):
    settings.OTTO_STREAMS_URL = "redis://127.0.0.1:9/2"  # nobody listens there
    chat = chats.open_chat(deployment, owner=mia)
    client = client_of(mia)
    with running_engine():
        asked = ask(chat)

        async def scenario():
            tab = tab_of(client)
            await tab.connect()
            await tab.send_to(json.dumps({"op": "sub", "gen": str(asked.generation.pk)}))
            frames = await frames_until(tab, "end")
            await tab.disconnect()
            return frames

        frames = async_to_sync(scenario)()
    assert text_of(frames) == ANSWER


@pytest.mark.slow
@pytest.mark.checklist(218)
def test_a_killed_engine_leaves_a_marked_answer_with_its_text(
    deployment, mia, process_env, failpoint_at
):
    chat = chats.open_chat(deployment, owner=mia)
    asked = ask(chat)
    point = failpoint_at("engine.emit", "hold@10")
    with engine_process(process_env | point.env) as process:
        point.reached()
        written = until(lambda: Message.objects.get(pk=asked.answer.pk).text)
        process.kill()
        process.wait()
    asked.generation.refresh_from_db()
    assert asked.generation.state == State.RUNNING
    until(lambda: generations.interrupt_expired() or ended(asked.generation))
    asked.generation.refresh_from_db()
    asked.answer.refresh_from_db()
    assert asked.generation.state == State.INTERRUPTED
    assert asked.answer.text == written
    assert ANSWER.startswith(written)
    again = ask(chats.open_chat(deployment, owner=mia))
    with engine_process(process_env) as process:
        until(lambda: ended(again.generation))
        process.kill()
    again.answer.refresh_from_db()
    assert (again.generation.state, again.answer.text) == (State.SUCCEEDED, ANSWER)


@pytest.mark.slow
def test_a_stranger_cannot_follow_or_stop_an_answer(deployment, engine, mia, milo, client_of):
    asked = ask(chats.open_chat(deployment, owner=mia))
    client = client_of(milo)

    async def scenario():
        tab = tab_of(client)
        await tab.connect()
        gen = str(asked.generation.pk)
        await tab.send_to(json.dumps({"op": "stop", "gen": gen}))
        await tab.send_to(json.dumps({"op": "sub", "gen": gen}))
        first = json.loads(await tab.receive_from())
        await tab.disconnect()
        return first

    first = async_to_sync(scenario)()
    assert (first["t"], first["code"]) == ("error", "not_found")
    asked.generation.refresh_from_db()
    assert asked.generation.stop_requested_at is None


@pytest.mark.parametrize("text", ["{}", "[]", "nul\0l", '{"op": 5}', '{"op":"sub","gen":[]}'])
def test_odd_frames_are_answered_in_words(deployment, mia, client_of, text):
    client = client_of(mia)

    async def scenario():
        tab = tab_of(client)
        await tab.connect()
        await tab.send_to(text)
        frame = json.loads(await tab.receive_from())
        await tab.disconnect()
        return frame

    assert async_to_sync(scenario)()["t"] == "error"


@pytest.mark.slow
def test_a_foreign_page_and_a_visitor_get_no_socket(deployment, mia, client_of, client):
    signed_in = client_of(mia)

    async def scenario():
        foreign = tab_of(signed_in, origin="http://elsewhere.example")
        visitor = Line(application, "/ws/chat/", headers=[(b"origin", b"http://127.0.0.1")])
        return await is_refused(foreign), await is_refused(visitor)

    assert async_to_sync(scenario)() == (True, True)


def test_a_deactivated_person_hears_no_more(deployment, mia, client_of):
    client = client_of(mia)

    async def scenario():
        tab = tab_of(client)
        await tab.connect()
        mia.is_active = False
        await mia.asave()
        await tab.send_to(json.dumps({"op": "sub", "gen": str(uuid4())}))
        return (await tab.receive_output())["code"]

    assert async_to_sync(scenario)() == 4401


@pytest.mark.slow
def test_the_engine_loads_no_training_library():
    script = (
        "import django, os, sys; os.environ['DJANGO_SETTINGS_MODULE']='otto_web.settings_test';"
        "django.setup(); import chat_app.management.commands.run_engine;"
        "print(*({'torch','transformers','optimum','onnx'} & set(sys.modules)))"
    )
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert loaded.strip() == ""


@pytest.mark.slow
def test_redis_keeps_the_frames_for_an_hour_at_most(deployment, engine, mia, redis_server):
    asked = ask(chats.open_chat(deployment, owner=mia))
    until(lambda: ended(asked.generation))
    server = redis.Redis.from_url(redis_url())
    until(lambda: server.ttl(f"gen:{asked.generation.pk}") > 0)
    server.close()
