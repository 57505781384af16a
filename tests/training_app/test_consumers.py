"""The live line of a run: who may hear it, and that nothing is missing on it."""

from __future__ import annotations

import json

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.db import connections

from otto_web.asgi import application
from otto_web.lib.work.states import State
from tests.sockets import Line, is_refused
from tests.training_app.conftest import make_version, toy_order
from training_app.events import notify_run
from training_app.services.attempts import ProcessIdentity, claim_run, end_run
from training_app.services.recording import record_points
from training_app.services.runs import queue_run

pytestmark = pytest.mark.django_db(transaction=True)
A_LOOK = 0.6  # seconds, a little more than OTTO_SOCKET_POLL_SECONDS: a line looks at its run once


@pytest.fixture
def claim(theo, redis_server):
    queue_run(toy_order(make_version()), created_by=theo)
    return claim_run(ProcessIdentity("here", 1, 1.0))


def socket(client, run_id, origin=b"http://testserver"):
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"cookie", cookies.encode()), (b"origin", origin), (b"host", b"testserver")]
    return Line(application, f"/ws/runs/{run_id}/", headers=headers)


async def opened(client, run_id, seq=0):
    """Return an open line to a tab that says, as every tab does, up to where it has the points."""
    line = socket(client, run_id)
    assert (await line.connect())[0]
    await line.send_to(text_data=json.dumps({"op": "from", "seq": seq}))
    return line


async def frames(line, enough):
    """Return the chart's frames and the last HTML as soon as they are enough."""
    found, html = [], ""
    while not enough(found, html):
        text = await line.receive_from()
        if text.lstrip().startswith("{"):
            found.append(json.loads(text))
        else:
            html = text
    return found, html


def points_of(found):
    return {
        (name, step): value
        for frame in found
        if frame["t"] == "points"
        for name, step, value in frame["rows"]
    }


def panel(found, html):
    return html


def points(count):
    """Say of frames that they hold so many points."""
    return lambda found, html: len(points_of(found)) >= count


write = sync_to_async(record_points, thread_sensitive=True)


@pytest.mark.parametrize("persona", ["mia", "cora", "gus"])
def test_a_lower_role_is_refused_before_the_line_opens(persona, request, claim, client_of):
    client = client_of(request.getfixturevalue(persona))

    async def scenario():
        assert await is_refused(socket(client, claim.run_id))

    async_to_sync(scenario)()


def test_a_visitor_and_somebody_who_asks_for_no_run_are_refused(claim, client, theo, client_of):
    trainer, no_run = client_of(theo), "6a2f41a3-c54c-fce8-32d2-0324e1c32e22"

    async def scenario():
        for person, run_id in ((client, claim.run_id), (trainer, no_run)):
            assert await is_refused(socket(person, run_id))

    async_to_sync(scenario)()


@pytest.mark.checklist(133)
def test_a_tab_sees_what_the_trainer_takes_of_its_machine(claim, client_of, theo):
    client = client_of(theo)
    machine = [
        ("machine/cores", 3, 1.87),
        ("machine/memory_bytes", 3, 512e6),
        ("machine/disk_free_bytes", 3, 8e9),
    ]

    async def scenario():
        await write(claim, machine)
        line = await opened(client, claim.run_id)
        _, html = await frames(line, panel)
        for wanted in ("CPU cores", "1.9", "memory", "disk free"):
            assert wanted in html
        await line.disconnect()

    async_to_sync(scenario)()


@pytest.mark.slow
@pytest.mark.checklist(90, 91, 133)
def test_a_tab_gets_every_point_and_the_panel_also_after_a_cut(claim, client_of, theo):
    client = client_of(theo)

    async def scenario():
        await write(claim, [("train/loss", step, 5.0 / step) for step in range(1, 6)])
        line = await opened(client, claim.run_id)
        found, html = await frames(line, lambda found, html: html and points(5)(found, html))
        assert len(points_of(found)) == 5
        assert 'id="run-live"' in html
        seen = max(frame["upto"] for frame in found)
        await line.disconnect()
        await write(claim, [("train/loss", step, 5.0 / step) for step in range(6, 9)])
        again = await opened(client, claim.run_id, seen)
        later, _ = await frames(again, points(3))
        assert {step for _, step in points_of(later)} == {6, 7, 8}  # nothing comes twice
        await again.disconnect()

    async_to_sync(scenario)()


@pytest.mark.slow
def test_a_tab_that_has_not_said_what_it_has_gets_the_panel_and_no_points(claim, client_of, theo):
    client = client_of(theo)

    async def scenario():
        await write(claim, [("train/loss", 1, 5.0)])
        line = socket(client, claim.run_id)
        assert (await line.connect())[0]
        found, html = await frames(line, panel)
        assert (points_of(found), 'id="run-live"' in html) == ({}, True)
        assert await line.receive_nothing(A_LOOK)
        await line.disconnect()

    async_to_sync(scenario)()


def test_without_any_bell_a_tab_still_sees_new_points(claim, client_of, theo, monkeypatch):
    monkeypatch.setattr("training_app.events.live.notify", lambda *_, **__: None)
    client = client_of(theo)

    async def scenario():
        line = await opened(client, claim.run_id)
        await frames(line, panel)
        await write(claim, [("train/loss", 1, 1.0)])
        found, _ = await frames(line, points(1))
        assert points_of(found) == {("train/loss", 1): 1.0}
        await line.disconnect()

    async_to_sync(scenario)()


def let_in(*, is_open):
    """Close the database for everybody, or open it again."""
    other = connections["default"].copy()
    name = other.settings_dict["NAME"]
    other.settings_dict["NAME"] = "postgres"
    with other.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {is_open}')
        if not is_open:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            cursor.execute(query, [name])
    other.close()


@pytest.mark.slow
def test_a_tab_outlives_a_database_that_is_away_for_a_moment(claim, client_of, theo):
    client = client_of(theo)

    async def scenario():
        line = await opened(client, claim.run_id)
        await frames(line, panel)
        try:
            await sync_to_async(let_in)(is_open=False)
            assert await line.receive_nothing(2 * A_LOOK)
        finally:
            await sync_to_async(let_in)(is_open=True)
        await write(claim, [("train/loss", 1, 1.0)])
        found, _ = await frames(line, points(1))
        assert points_of(found) == {("train/loss", 1): 1.0}
        await line.disconnect()

    async_to_sync(scenario)()


@pytest.mark.slow
def test_a_run_that_ends_says_so_once(claim, client_of, theo):
    client = client_of(theo)

    async def scenario():
        line = await opened(client, claim.run_id)
        await frames(line, panel)
        await sync_to_async(end_run)(claim, State.FAILED, reason="data", message="why")
        await sync_to_async(notify_run)(claim.run_id, 9)
        found, html = await frames(line, lambda found, _: {"t": "over"} in found)
        assert found.count({"t": "over"}) == 1
        assert "failed" in html
        assert await line.receive_nothing(A_LOOK)
        await line.disconnect()

    async_to_sync(scenario)()


@pytest.mark.parametrize(("change", "code"), [("sign out", 4401), ("role", 4403)])
def test_who_may_not_look_any_more_is_shown_out(change, code, claim, client_of, theo):
    client = client_of(theo)

    def take_away():
        if change == "role":
            theo.groups.clear()
        else:
            Session.objects.all().delete()

    async def scenario():
        line = await opened(client, claim.run_id)
        await frames(line, panel)
        await sync_to_async(take_away)()
        while (event := await line.receive_output())["type"] != "websocket.close":
            pass
        assert event["code"] == code

    async_to_sync(scenario)()


HUGE = '{"op":"from","seq":' + "9" * 300 + "}"


@pytest.mark.slow
def test_nonsense_on_the_line_is_ignored(claim, client_of, theo):
    client = client_of(theo)

    async def scenario():
        line = await opened(client, claim.run_id)
        for text in ("[]", "{", '{"op":"from","seq":"x"}', '{"op":"from","seq":-4}', HUGE):
            await line.send_to(text_data=text)
        await line.send_to(text_data='{"op":"from","seq":0}')
        await write(claim, [("train/loss", 1, float("nan"))])
        found, _ = await frames(line, points(1))
        assert points_of(found) == {("train/loss", 1): None}
        await line.disconnect()

    async_to_sync(scenario)()
