"""The page about sockets tells what a run's socket takes and sends."""

from __future__ import annotations

import inspect
import json
import re

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.urls import reverse

from otto_web.lib.work.states import State
from tests import socket_page
from tests.training_app.conftest import make_version, toy_order
from tests.training_app.test_consumers import socket, write
from training_app.consumers import RunConsumer
from training_app.services.attempts import ProcessIdentity, claim_run, end_run
from training_app.services.runs import queue_run

ASKS, SENDS = "Run: what the page asks", "Run: what the server sends"


def test_the_page_names_the_command_with_the_fields_that_the_consumer_reads():
    source = inspect.getsource(RunConsumer.receive)
    read = set(re.findall(r'command(?:\.get\(|\[)"(\w+)"', source))
    assert {"op", *socket_page.told(ASKS)["from"]} == read


def test_the_scripts_have_the_types_of_the_page():
    assert socket_page.typed("RunCommand", "op") == socket_page.told(ASKS)
    assert socket_page.typed("RunFrame", "t") == socket_page.told(SENDS)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_run_sends_the_frames_of_the_page(theo, redis_server, client_of):
    queue_run(toy_order(make_version()), created_by=theo)
    claim = claim_run(ProcessIdentity("here", 1, 1.0))
    client = client_of(theo)

    async def scenario():
        await write(claim, [("train/loss", 1, 5.0)])
        line = socket(client, claim.run_id)
        assert (await line.connect())[0]
        await line.send_to(text_data=json.dumps({"op": "from", "seq": 0}))
        found = []
        while not found or found[-1]["t"] != "over":
            text = await line.receive_from()
            if text.startswith("{"):
                found.append(json.loads(text))
            if len(found) == 1:
                await sync_to_async(end_run)(claim, State.FAILED, reason="data", message="why")
        await line.disconnect()
        return found

    assert socket_page.seen(async_to_sync(scenario)()) == socket_page.told(SENDS)
    polled = client.get(reverse("run-points", args=[claim.run_id])).json()
    assert polled.keys() == {"t", *socket_page.told(SENDS)["points"], "over"}
