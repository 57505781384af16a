"""Open sockets hear at once when their person may not be here any more."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as live_settings
from django.db import connection

from otto_web.lib import presence
from otto_web.lib.access import Role
from otto_web.pages.services import people as services
from tests.chat_app.jobs.test_engine import tab_of
from tests.training_app.conftest import make_version, toy_order
from tests.training_app.test_consumers import socket
from tests.waiting import until
from training_app.services.runs import queue_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]
SOON = 30.0  # on a busy machine; without notifications it would be a minute

CHANGES = {
    "sign out": (lambda client, person, ada: client.post("/sign-out/"), 4401),
    "deactivated": (lambda client, person, ada: services.deactivate(person, actor=ada), 4401),
    "no role": (
        lambda client, person, ada: services.change_role(person, Role.MEMBER, actor=ada),
        0,
    ),
}


@pytest.fixture(autouse=True)
def _seldom(settings, monkeypatch):
    settings.OTTO_SOCKET_POLL_SECONDS = 60
    monkeypatch.setattr("chat_app.consumers.chat.CHECK_SECONDS", 60)


def hears(person):
    """Say whether a socket is told now when something changes for the person."""
    with redis.Redis.from_url(
        live_settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["address"]
    ) as client:
        return list(client.scan_iter(f"*:group:{presence._group(person.pk)}"))


async def code_after(tab, person, change):
    assert (await tab.connect())[0]
    await sync_to_async(until)(lambda: hears(person))
    await sync_to_async(change)()
    while True:
        found = await tab.receive_output(SOON)
        if found["type"] == "websocket.close":
            return found["code"]


@pytest.mark.parametrize("what", ["sign out", "deactivated"])
def test_a_chat_closes_at_once(what, client_of, mia, ada):
    client, (change, code) = client_of(mia), CHANGES[what]
    told = async_to_sync(code_after)(tab_of(client), mia, lambda: change(client, mia, ada))
    assert told == code


@pytest.mark.slow
@pytest.mark.parametrize(("what", "code"), [("sign out", 4401), ("no role", 4403)])
def test_the_line_of_a_run_closes_at_once(what, code, client_of, theo, ada, mia):
    run = queue_run(toy_order(make_version()), created_by=theo)
    client, change = client_of(theo), CHANGES[what][0]
    line = socket(client, run.pk)
    told = async_to_sync(code_after)(line, theo, lambda: change(client, theo, ada))
    assert told == code


@pytest.mark.slow
def test_a_socket_stays_open_while_redis_is_away(client_of, mia, settings):
    away = {"address": "redis://127.0.0.1:9/1", "socket_connect_timeout": 0.8}
    layer = {**settings.CHANNEL_LAYERS["default"], "CONFIG": {"hosts": [away]}}
    settings.CHANNEL_LAYERS = {"default": layer}
    client = client_of(mia)

    async def scenario():
        tab = tab_of(client)
        assert (await tab.connect())[0]
        assert await tab.receive_nothing(1.5)
        await tab.send_to(json.dumps({"op": "sub", "gen": str(uuid4())}))
        frame = json.loads(await tab.receive_from())
        await tab.disconnect()
        return frame

    assert async_to_sync(scenario)()["code"] == "not_found"


def guards():
    """Return what runs beside lines of this loop."""
    names = ("ChatConsumer._guard", "RunConsumer._keep_fresh")
    tasks = asyncio.all_tasks()
    return [task for task in tasks if getattr(task.get_coro(), "__qualname__", "") in names]


def sessions_to(name):
    old = "away" if name == "django_session" else "django_session"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {name}")


@pytest.mark.parametrize("room", ["chat", "run"])
def test_a_line_that_the_database_ends_leaves_nothing_behind(room, client_of, theo):
    run = queue_run(toy_order(make_version()), created_by=theo)
    client = client_of(theo)

    async def scenario():
        line = tab_of(client) if room == "chat" else socket(client, run.pk)
        assert (await line.connect())[0]
        await sync_to_async(until)(lambda: hears(theo))
        assert len(guards()) == 1
        await sync_to_async(sessions_to)("away")
        try:
            await line.send_to(json.dumps({"op": "look"}))
            while (found := await line.receive_output(SOON))["type"] != "websocket.close":
                pass
            assert found["code"] == 1013
            await line.wait()
        finally:
            await sync_to_async(sessions_to)("django_session")
        for _ in range(100):
            if not guards():
                return
            await asyncio.sleep(0.05)
        pytest.fail("somebody still asks for a line that is gone")

    async_to_sync(scenario)()


def test_a_command_of_endless_depth_is_no_command(client_of, theo):
    run = queue_run(toy_order(make_version()), created_by=theo)
    client = client_of(theo)

    async def scenario():
        line = socket(client, run.pk)
        assert (await line.connect())[0]
        assert "run-live" in await line.receive_from(SOON)
        await line.send_to("[" * 60_000)
        await line.send_to(json.dumps({"op": "from", "seq": 0}))
        assert "run-live" in await line.receive_from(SOON)
        await line.disconnect()

    async_to_sync(scenario)()
