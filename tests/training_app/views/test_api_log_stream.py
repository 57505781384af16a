"""The log of a run as a stream: turned files, its end first, and who may hold it how often."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.contrib.auth.models import Group

from otto_web.lib.api.endpoints import Call
from otto_web.lib.models import ApiToken
from tests.otto_web.lib.test_api import Api, is_refusal
from training_app.models import paths
from training_app.selectors.log_reader import LogReader
from training_app.selectors.log_tail import last_lines
from training_app.views import api_log_stream
from training_app.views.api_bodies import LogFollowed


def line(number, ts=None):
    at = f"2026-01-01T00:00:{number if ts is None else ts:02d}.000+00:00"
    return json.dumps(
        {"ts": at, "level": "info", "event": "step", "step": number, "text": "é" * 90}
    )


@pytest.fixture
def log(queued_run, data_dir):
    folder = paths.attempt_folder(queued_run.pk, 1)
    folder.mkdir(parents=True)
    return folder / "logs.jsonl"


def write(path, *numbers, **more):
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line(number, **more)}\n" for number in numbers)


def steps(lines):
    return [json.loads(one)["step"] for one in lines]


def test_files_are_read_on_when_they_are_turned_and_when_an_inode_comes_back(log, queued_run):
    reader = LogReader(queued_run.pk)
    write(log, 0, 1)
    assert steps(reader.lines()) == [0, 1]
    write(log, 2)
    log.rename(f"{log}.1")
    write(log, 3)
    assert steps(reader.lines()) == [2, 3]
    inode = log.stat().st_ino
    with log.open("r+", encoding="utf-8") as file:  # as a new file in the place of a dropped one
        file.truncate()
    write(log, 4, 5, 6)
    assert log.stat().st_ino == inode
    assert steps(reader.lines()) == [4, 5, 6]
    log.unlink()
    for _ in range(2):
        assert steps(reader.lines()) == []
    assert len(reader._read) == 1


def test_the_end_is_read_backwards_and_what_comes_later_follows(log, queued_run):
    reader = LogReader(queued_run.pk)
    assert list(reader.newest()) == []
    write(log, *range(60), ts=1)
    log.rename(f"{log}.1")
    write(log, *range(60, 300), ts=2)
    with log.open("a", encoding="utf-8") as file:
        file.write(line(300)[:-9])
    assert steps(reader.newest()) == list(range(300))[::-1]
    assert steps(last_lines(queued_run.pk, 250)) == list(range(50, 300))
    assert last_lines(queued_run.pk, 0) == []
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{line(300)[-9:]}\n")
    assert steps(reader.lines()) == [300]


def test_lines_have_the_same_names_wherever_reading_begins(log, queued_run):
    write(log, *range(5), ts=1)
    write(log, *range(5, 10), ts=2)

    def first(tail=0, last=""):
        numbered, reader = api_log_stream._Numbered(), LogReader(queued_run.pk)
        return api_log_stream._first(numbered, reader, tail, last)

    every = first(tail=99)
    assert steps(one for _, one in every) == list(range(10))
    for tail in range(11):
        assert first(tail=tail) == every[10 - tail :]
    for place, (name, _) in enumerate(every):
        assert first(last=name) == every[place + 1 :]
    assert first(last="nonsense") == []


@pytest.fixture
def call(client, theo):
    Api(client, theo)
    return Call(None, ApiToken.objects.get())


def test_a_token_follows_so_many_logs_and_each_is_let_go(client, theo, log, queued_run, call):
    write(log, 1)
    token = call.token.pk

    async def followed():
        asked = LogFollowed()
        stream = api_log_stream._events(call, queued_run, asked, "")
        assert b'"step": 1' in await anext(stream)
        assert api_log_stream._followed[token] == 1
        await stream.aclose()
        assert api_log_stream._followed[token] == 0

    asyncio.run(followed())
    api = Api(client, theo)
    where = f"runs/{queued_run.pk}/logs/stream"
    assert api("GET", where).status_code == 200
    api_log_stream._followed[api.row.pk] = api_log_stream.MOST_FOLLOWED
    told = is_refusal(api("GET", where), 429, "RATE_LIMITED")
    assert told["message"] == "This token follows 8 logs already. End one of these requests."


def test_who_is_a_trainer_no_more_hears_no_more(theo, queued_run, call):
    assert api_log_stream._state(call, queued_run.pk) == queued_run
    theo.groups.set(Group.objects.filter(name="member"))
    assert api_log_stream._state(call, queued_run.pk) is None
