"""OpenAI's own library talks to a web process and an engine as to OpenAI itself."""

from __future__ import annotations

import asyncio
import html
import io
import json
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta

import openai
import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.test import Client
from django.utils import timezone
from openai import AsyncOpenAI, OpenAI

from chat_app.forms.api_requests import chat_asked
from chat_app.models import Chat, Generation, LogEntry, Message
from chat_app.services import chats
from chat_app.services.exchanges import forget_words
from chat_app.services.knowing import deploy_quotes
from chat_app.views import api
from otto_web.lib.models import ApiToken, ProcessBeat
from otto_web.pages.services import people
from otto_web.pages.services.tokens import make_token, revoke_token
from tests.chat_app.conftest import Web, running_engine
from tests.chat_app.knowing import STRANGE, add_encoder, add_knowledge
from tests.chat_app.makers import add_chat, make_served
from tests.chat_app.serving.toys import CHATS
from tests.waiting import until
from training_app.lm.config import ABSTENTION
from training_app.models import TrainedModel

QUESTION, ANSWER = CHATS[0]
ASKED = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def token(mia):
    return make_token(mia, "script", ["answers"])[1]


@contextmanager
def web_and_engine(env):
    """A web process, and an engine in threads of this one."""
    soon = timezone.now() + timedelta(days=1)
    ProcessBeat.objects.create(kind="engine", host="here", pid=1, pid_started_at=0, seen_at=soon)
    with Web(env) as web, running_engine():
        yield web


@pytest.fixture
def line(process_env, deployment):
    with web_and_engine(process_env) as web:
        yield web


@pytest.fixture
def sdk(line, token):
    """OpenAI's client, pointed at this web."""
    with OpenAI(base_url=f"{line.address}/v1", api_key=token, max_retries=0) as client:
        yield client


def ask(client, **body):
    return client.chat.completions.create(
        **{"model": "support", "messages": ASKED, "temperature": 0, **body}
    )


def said(client, **body):
    return ask(client, **body).choices[0].message.content


def words(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def all_over():
    return not Generation.objects.filter(state__in=("queued", "running")).exists()


@pytest.mark.slow
def test_the_library_gets_answers_whole_and_streamed(sdk):
    assert [one.id for one in sdk.models.list()] == ["support"]
    assert sdk.models.retrieve("support").context_length == 256
    whole = ask(sdk)
    assert whole.choices[0].message.content == ANSWER
    assert whole.choices[0].finish_reason == "stop"
    row = Generation.objects.get()
    assert whole.usage.prompt_tokens == len(row.prompt_ids)
    assert whole.usage.completion_tokens == len(row.answer_ids) == row.timings["tokens"]
    assert whole.timings["queue_ms"] == row.timings["queue_ms"]
    assert whole._request_id
    chunks = list(ask(sdk, stream=True, stream_options={"include_usage": True}))
    assert words(chunks) == ANSWER
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    assert chunks[-1].usage.prompt_tokens_details.cached_tokens > 0
    cut = ask(sdk, max_tokens=3)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 3)
    assert said(sdk, stop=["settings"]) == "Open the "
    assert said(sdk, temperature=1.5, seed=7) == said(sdk, temperature=1.5, seed=7)
    text = sdk.completions.create(model="support", prompt="Open the", temperature=0, max_tokens=4)
    assert (text.object, text.usage.completion_tokens) == ("text_completion", 4)
    stream = sdk.completions.create(model="support", prompt="Open", max_tokens=4, stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream)


@pytest.mark.slow
def test_what_programs_ask_is_logged_as_chats_are_and_on_no_page(
    sdk, line, token, mia, client_of, deployment
):
    told = {"role": "assistant", "content": ANSWER}
    assert said(sdk, messages=[{"role": "system", "content": "Be kind."}, *ASKED, told, *ASKED])
    kept = Chat.objects.get()
    assert (kept.system, kept.given[1]) == ("Be kind.", ["assistant", ANSWER])
    assert LogEntry.objects.get().message.parent.text == QUESTION
    said(sdk, extra_body={"store": False})
    deployment.is_logging = False
    deployment.save()
    said(sdk)
    assert LogEntry.objects.count() == 1
    host = line.address.removeprefix("http://")
    browser = client_of(mia)
    assert QUESTION not in browser.get("/chat/").text
    page = browser.get("/help/api/", HTTP_HOST=host).text
    env = {"OTTO_TOKEN": token, "PATH": "/usr/bin:/bin"}
    for command in (
        [sys.executable, "-c", example(page, "python")],
        ["sh", "-c", example(page, "curl")],
    ):
        done = subprocess.run(command, env=env, capture_output=True, check=True)
        assert done.stdout
    assert json.loads(done.stdout)["choices"][0]["message"]["content"]


@pytest.mark.slow
def test_known_answers_say_what_they_stand_on(process_env, data_dir, token, theo):
    deploy_quotes(add_knowledge(data_dir, add_encoder(data_dir)), "faq", by=theo)
    with web_and_engine(process_env) as web:
        client = OpenAI(base_url=f"{web.address}/v1", api_key=token, max_retries=0)
        message = ask(client, model="faq").choices[0].message
        assert (message.content, message.otto["quoted"]) == (ANSWER, True)
        assert message.otto["sources"][0]["answer"] == ANSWER
        assert not message.otto["abstained"]
        stream = list(ask(client, model="faq", stream=True))
        assert words(stream) == ANSWER
        assert stream[-1].choices[0].delta.otto["sources"]
        strange = [{"role": "user", "content": STRANGE}]
        message = ask(client, model="faq", messages=strange).choices[0].message
        assert (message.content, message.otto["abstained"]) == (ABSTENTION, True)
        with pytest.raises(openai.BadRequestError, match="quotes known answers"):
            client.completions.create(model="faq", prompt="Once")
        client.close()


@pytest.mark.django_db
def test_what_is_in_no_log_loses_its_words_after_a_while(mia):
    served = make_served()
    kept, gone, page = (add_chat(served, mia, [(QUESTION, ANSWER)]) for _ in range(3))
    LogEntry.objects.create(message=kept.messages.last(), deployment=served, model=served.model)
    api, now = Chat.objects.exclude(pk=page.pk), timezone.now()
    api.update(kind="api", system="Be kind.", given=[["user", "Hello"]], forget_at=now)
    read = {"prompt_text": "<|user|>Hello", "params": {"stop": ["secret"], "top_k": 3}}
    Generation.objects.update(finished_at=now + timedelta(minutes=90), **read)  # it took long
    assert [forget_words(now + timedelta(hours=hours)) for hours in (0, 2, 3, 3)] == [0, 0, 1, 0]
    wordy = Message.objects.exclude(text="").values_list("chat", flat=True)
    assert set(wordy) == {kept.pk, page.pk}
    for chat in (gone, kept):
        chat.refresh_from_db()
        row = Generation.objects.get(answer__chat=chat)
        assert (chat.system, chat.given, row.prompt_text) == ("", [], "")
        assert row.params == {"top_k": 3}
    assert Generation.objects.get(answer__chat=page).params == read["params"]
    LogEntry.objects.all().delete()  # as with its model
    assert forget_words(now + timedelta(hours=28)) == 1
    assert set(wordy.all()) == {page.pk}
    assert Generation.objects.filter(answer__chat=gone).get().timings["tokens"] == 9


def example(page, name):
    return html.unescape(re.search(rf'id="example-{name}">(.*?)</pre>', page, re.DOTALL)[1])


def refused(error, match=None, **how):
    """Give a function that asks, and expect this error of the library."""

    def asked(client, **body):
        with pytest.raises(error, match=match) as found:
            ask(client, **body)
        for name, value in how.items():
            assert getattr(found.value, name) == value
        return found.value

    return asked


@pytest.mark.slow
def test_every_refusal_raises_the_librarys_own_error(sdk, mia):
    wrong = refused(openai.AuthenticationError, code="invalid_api_key")
    assert wrong(sdk.with_options(api_key="otto-wrong")).request_id
    _, other = make_token(mia, "files", ["uploads"])
    refused(openai.PermissionDeniedError, "scope")(sdk.with_options(api_key=other))
    make_served("sales", TrainedModel.objects.get())
    _, narrow = make_token(mia, "sales", ["answers:sales"])
    selling = sdk.with_options(api_key=narrow)
    refused(openai.NotFoundError, "“sales”", code="model_not_found", param="model")(selling)
    assert [one.id for one in selling.models.list()] == ["sales"]
    with pytest.raises(openai.NotFoundError):
        sdk.get("/nothing", cast_to=object)
    refused(openai.BadRequestError, code="unsupported_parameter", param="n")(sdk, n=2)
    too_long = refused(
        openai.BadRequestError, "looks back over 256", code="context_length_exceeded"
    )
    long = [{"role": "user", "content": "How long is this? " * 200}]
    too_long(sdk, messages=long)
    too_long(sdk, messages=long, stream=True)
    refused(openai.BadRequestError, "token ids")(sdk, logit_bias={"99999": 1})
    refused(openai.APIStatusError, status_code=413)(sdk, user="x" * 3_000_000)
    with pytest.raises(openai.NotFoundError, match="not offered"):
        sdk.embeddings.create(model="support", input="Hello")
    with pytest.raises(openai.APIStatusError, match="Ask by POST"):
        sdk.get("/chat/completions", cast_to=object)


@pytest.mark.slow
def test_more_open_questions_than_a_page_allows_are_refused(sdk, failpoint_at):
    point = failpoint_at("engine.emit", "hold@1")
    point.arm_here()
    quick = sdk.with_options(timeout=30)
    streams = [ask_in_thread(quick) for _ in range(chats.MOST_WAITING)]
    until(lambda: Generation.objects.count() == chats.MOST_WAITING)
    full = refused(openai.RateLimitError, "wait for an answer", code="rate_limit_exceeded")
    assert full(sdk).response.headers["retry-after"] == "5"
    point.release()
    for thread, found in streams:
        thread.join(60)
        assert found == [ANSWER]


def ask_in_thread(client):
    found = []
    thread = threading.Thread(target=lambda: found.append(words(ask(client, stream=True))))
    thread.start()
    return thread, found


@pytest.fixture
def held_stream(failpoint_at):
    """Give a function that opens a stream whose answer stands still after its first words."""
    points = []

    def opened(client):
        points.append(failpoint_at("engine.emit", "hold@4"))
        points[-1].arm_here()
        stream = iter(ask(client, stream=True))
        while not next(stream).choices[0].delta.content:
            pass
        points[-1].reached()
        return stream, points[-1]

    yield opened
    for point in points:
        point.release()


@pytest.mark.slow
def test_who_hangs_up_or_loses_the_token_ends_the_answer(sdk, mia, ada, held_stream):
    stream, point = held_stream(sdk)
    stream.close()
    until(lambda: Generation.objects.get().stop_requested_at)
    point.release()
    until(all_over)
    assert Generation.objects.get().finish == "stopped"

    stream, point = held_stream(sdk)
    revoke_token(ApiToken.objects.get(), by=mia)
    with pytest.raises(openai.APIError, match="revoked"):
        list(stream)
    point.release()
    until(all_over)
    refused(openai.AuthenticationError)(sdk)

    _, fresh = make_token(mia, "fresh", ["answers"])
    stream, point = held_stream(sdk.with_options(api_key=fresh))
    people.deactivate(mia, actor=ada)
    with pytest.raises(openai.APIError, match="less now"):
        list(stream)
    point.release()
    until(all_over)
    assert {row.finish for row in Generation.objects.all()} == {"stopped"}


@pytest.mark.slow
def test_who_waits_for_a_whole_answer_and_goes_ends_it(sdk, failpoint_at):
    point = failpoint_at("engine.emit", "hold@4")
    point.arm_here()
    with pytest.raises(openai.APITimeoutError):
        ask(sdk.with_options(timeout=1))
    until(lambda: Generation.objects.get().stop_requested_at)
    point.release()
    until(all_over)
    assert Generation.objects.get().finish == "stopped"


@pytest.mark.slow
def test_sixteen_streams_of_several_people_come_at_once(line, mia, milo, cora, theo):
    keys = [make_token(person, "x", ["answers"])[1] for person in (mia, milo, cora, theo)]

    async def one(number):
        question, answer = CHATS[number % 4]
        key = keys[number // 4]
        async with AsyncOpenAI(base_url=f"{line.address}/v1", api_key=key) as client:
            messages = [{"role": "user", "content": question}]
            stream = await ask(client, messages=messages, stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        return text == answer

    async def all_of_them():
        return await asyncio.gather(*[one(number) for number in range(16)])

    assert all(asyncio.run(all_of_them()))


def test_a_session_opens_nothing_and_every_answer_is_json(client_of, mia):
    make_served()
    for client in (Client(), client_of(mia)):
        for url in ("/v1/models", "/v1/models/support"):
            answer = client.get(url)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
        assert client.get("/v1/nothing/").json()["error"]["code"] == "unknown_url"
        answer = client.options("/v1/chat/completions", HTTP_ORIGIN="https://e.org")
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_body_in_chunks_has_the_same_limit_as_one_that_tells_its_length():
    for told in (True, False):
        body = io.BytesIO(b" " * (api.MOST_BYTES + 1))
        scope = {"type": "http", "method": "POST", "path": "/v1/", "headers": []}
        if told:
            scope["headers"] = [(b"content-length", str(api.MOST_BYTES + 1).encode())]
        with pytest.raises(api.RefusedError) as found:
            api._body(ASGIRequest(scope, body))
        assert found.value.answer.status_code == 413


@pytest.mark.django_db(transaction=True)
def test_who_hangs_up_while_the_question_is_put_ends_its_answer(mia, token, redis_server):
    make_served()
    soon = timezone.now() + timedelta(days=1)
    ProcessBeat.objects.create(kind="engine", host="here", pid=1, pid_started_at=0, seen_at=soon)
    row = ApiToken.objects.select_related("user").get()

    async def hung_up():
        asked = chat_asked({"model": "support", "messages": ASKED})
        asking = asyncio.create_task(api._answer(row, asked))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        return asking.cancelled()

    assert async_to_sync(hung_up)()
    assert Generation.objects.get().finish == "stopped"


@pytest.mark.django_db(transaction=True)
def test_without_an_engine_nobody_is_left_waiting(mia, token, redis_server):
    make_served()
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "my-own-request"}
    body = {"model": "support", "messages": ASKED}
    answer = Client(headers=headers).post("/v1/chat/completions", body, "application/json")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["X-Request-ID"] == "my-own-request"
    assert not Message.objects.exists()
