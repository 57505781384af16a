"""Downloads reach the browser block by block."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest
from django.test import AsyncRequestFactory

from otto_web.lib.streams import stream


def test_under_asgi_a_block_is_made_only_when_the_one_before_was_taken():
    made = []

    def blocks():
        for number in range(3):
            made.append(number)
            yield f"block {number}\n"

    async def scenario():
        request = AsyncRequestFactory().get("/")
        answer = stream(request, blocks(), name="a.txt", kind="text/plain")
        assert answer.is_async
        return [(part, len(made)) async for part in answer.streaming_content]

    seen = async_to_sync(scenario)()
    assert seen == [(f"block {n}\n".encode(), n + 1) for n in range(3)]


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nSet-Cookie: x.txt", "überall\u202e.txt"])
def test_a_file_name_stays_inside_its_header(name):
    answer = stream(HttpRequest(), iter([b""]), name=name, kind="text/plain")
    header = answer["Content-Disposition"]
    assert header.startswith("attachment; filename")
    assert "\n" not in header
    assert "\r" not in header
