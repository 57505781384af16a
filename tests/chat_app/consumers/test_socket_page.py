"""The page about sockets tells what the chat's socket takes and sends."""

from __future__ import annotations

import inspect
import json
import re
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from chat_app.consumers import chat as consumers
from chat_app.services import chats
from otto_web.lib import presence
from otto_web.sockets import TRY_LATER
from otto_web.web_protocols import POLICY
from tests import socket_page
from tests.chat_app.conftest import running_engine
from tests.chat_app.jobs.test_engine import frames_until, tab_of

ASKS, SENDS = "Chat: what the page asks", "Chat: what the server sends"


def test_the_page_names_every_command_with_the_fields_that_its_handler_reads():
    read = {
        name: set(re.findall(r'body\.get\("(\w+)"', inspect.getsource(handler)))
        for name, handler in consumers.COMMANDS.items()
    }
    assert socket_page.told(ASKS) == read


def test_the_page_names_every_setting_that_a_question_may_carry():
    row = next(row for row in socket_page.rows(ASKS) if row[0] == "`send`")
    named = set(re.findall(r"`(\w+)`", row[2].split("`params`:")[1]))
    assert consumers.known_params(dict.fromkeys([*named, "other"], 1)).keys() == named


def test_the_scripts_have_the_types_of_the_page():
    assert socket_page.typed("ChatCommand", "op") == socket_page.told(ASKS)
    assert socket_page.typed("ChatFrame", "t") == socket_page.told(SENDS)


def test_the_page_names_the_codes_with_which_a_socket_ends():
    ours = {presence.SIGNED_OUT, presence.FORBIDDEN, consumers.TOO_SLOW, consumers.UNSUPPORTED}
    theirs = {POLICY, TRY_LATER, 1009}  # of what stands before the consumers; autobahn's own number
    assert socket_page.codes() == ours | theirs


@pytest.mark.slow
def test_a_question_over_the_socket_brings_the_frames_of_the_page(deployment, mia, client_of):
    chat = chats.open_chat(deployment, owner=mia)
    client = client_of(mia)
    idem = str(uuid4())

    async def scenario():
        tab = tab_of(client)
        await tab.connect()

        async def tell(**command):
            await tab.send_to(json.dumps(command))

        hello = {"text": "Hello", "params": {}, "idem": idem, "after": ""}
        await tell(op="send", chat=str(chat.pk), **hello)
        *_, accepted = found = await frames_until(tab, "accepted")
        gen = {"gen": accepted["gen"]}
        await tell(op="look", chat=str(chat.pk), after="")
        found += await frames_until(tab, "asked")
        await tell(op="look", chat=str(chat.pk), after=idem)  # no branch shown holds it
        found += await frames_until(tab, "branch")
        await tell(op="sub", **gen, **{"from": 0})
        found += await frames_until(tab, "end")
        await tell(op="ack", **gen, seq=found[-1]["seq"])
        await tell(op="stop", **gen)
        await tell(op="sub", **gen, **{"from": 0})
        found += await frames_until(tab, "end")
        await tell(op="sub", gen="nobody's", idem=idem, msg=idem)
        found += await frames_until(tab, "error")
        await tab.disconnect()
        return found

    with running_engine():
        frames = async_to_sync(scenario)()
    told = socket_page.told(SENDS)
    told["error"] = {field.strip("?") for field in told["error"]}
    assert socket_page.seen(frames) == told
