"""Downloads reach the browser block by block."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncRequestFactory, RequestFactory

from otto_web.lib.file_response import BLOCK_BYTES, FileBlocks, Whole, stream
from otto_web.lib.models import AuditEntry
from otto_web.lib.zip_stream import zip_blocks, zip_whole


def test_under_asgi_a_block_is_made_only_when_the_one_before_was_taken(mia):
    made = []

    def blocks():
        for number in range(3):
            made.append(number)
            yield f"block {number}\n"

    request = AsyncRequestFactory().get("/")
    request.user = mia
    whole = Whole(24, "tag")
    answer = stream(request, blocks(), of=mia, name="a.txt", kind="text/plain", whole=whole)

    async def scenario():
        assert answer.is_async
        return [(part, len(made)) async for part in answer.streaming_content]

    seen = async_to_sync(scenario)()
    assert seen == [(f"block {n}\n".encode(), n + 1) for n in range(3)]


def test_under_asgi_rows_are_read_to_their_end_however_slowly_they_are_taken(mia):
    lines = [f"{number:07}\n" * 1000 for number in range(1_234_567, 1_234_767)]
    is_read = asyncio.Event()

    def blocks():
        yield from lines
        loop.call_soon_threadsafe(is_read.set)

    request = AsyncRequestFactory().get("/")
    request.user = mia
    answer = stream(request, blocks(), of=mia, name="a.txt", kind="text/plain")

    async def scenario():
        nonlocal loop
        loop = asyncio.get_running_loop()
        parts = aiter(answer.streaming_content)
        first = await anext(parts)
        await is_read.wait()
        return first + b"".join([part async for part in parts])

    loop = None
    assert async_to_sync(scenario)() == "".join(lines).encode()


def test_a_fault_in_the_first_rows_is_raised_before_anything_is_sent(mia):
    def pieces():
        yield "one\n"
        raise OSError(28, "No space left on device")

    request = AsyncRequestFactory().get("/")
    request.user = mia
    with pytest.raises(OSError, match="No space left"):
        stream(request, pieces(), of=mia, name="a.txt", kind="text/plain")
    assert not AuditEntry.objects.exists()


def test_small_pieces_are_joined_and_none_is_lost(mia):
    lines = [f"{number:07}\n" for number in range(100_000)]
    request = RequestFactory().get("/")
    request.user = mia
    answer = stream(request, iter(lines), of=mia, name="a.txt", kind="text/plain")
    blocks = list(answer.streaming_content)
    assert [len(block) for block in blocks] == [1 << 18] * 3 + [800_000 - 3 * (1 << 18)]
    assert b"".join(blocks) == "".join(lines).encode()


def test_under_asgi_a_fault_among_the_rows_breaks_the_download_off(mia):
    def blocks():
        yield "one\n" * BLOCK_BYTES
        raise OSError(28, "No space left on device")

    request = AsyncRequestFactory().get("/")
    request.user = mia
    answer = stream(request, blocks(), of=mia, name="a.txt", kind="text/plain")

    async def scenario():
        return [part async for part in answer.streaming_content]

    with pytest.raises(OSError, match="No space left"):
        async_to_sync(scenario)()


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nSet-Cookie: x.txt", "überall\u202e.txt"])
def test_a_file_name_stays_inside_its_header(name, mia):
    header = asked(mia, name=name)["Content-Disposition"]
    assert header.startswith("attachment; filename")
    assert "\n" not in header
    assert "\r" not in header


WHOLE = Whole(10, "tag")


def asked(person, *, method="get", name="a.bin", whole=None, **headers):
    """Return the answer to a request for ten bytes in three blocks."""
    request = getattr(RequestFactory(), method)("/", headers=headers)
    request.user = person
    blocks = iter([b"0123", b"456", b"789"])
    return stream(request, blocks, of=person, name=name, kind="text/plain", whole=whole)


@pytest.mark.parametrize(
    ("said", "body", "place"),
    [
        ("bytes=0-", b"0123456789", "0-9"),
        ("bytes=3-4", b"34", "3-4"),
        ("bytes=5-99", b"56789", "5-9"),
        ("bytes=-3", b"789", "7-9"),
        ("bytes=-99", b"0123456789", "0-9"),
        ("bytes=9-9", b"9", "9-9"),
    ],
)
def test_a_part_is_sent_to_whom_asks_for_one(mia, said, body, place):
    answer = asked(mia, whole=WHOLE, Range=said)
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {place}/10"
    assert answer["Content-Length"] == str(len(body))
    assert answer["ETag"] == '"tag"'
    assert b"".join(answer.streaming_content) == body


@pytest.mark.parametrize("said", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_part_that_is_not_there_is_416(mia, said):
    answer = asked(mia, whole=WHOLE, Range=said)
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10")


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=5-3"},
        {"Range": "bytes=-"},
        {"Range": "bytes=0-1,3-4"},
        {"Range": "lines=1-2"},
        {"Range": f"bytes={'9' * 40}-"},
        {"Range": "bytes=3-", "If-Range": '"other"'},
    ],
)
def test_what_cannot_be_a_part_of_this_file_gets_the_whole(mia, headers):
    answer = asked(mia, whole=WHOLE, **headers)
    assert (answer.status_code, answer["Content-Length"]) == (200, "10")
    assert b"".join(answer.streaming_content) == b"0123456789"


def test_a_part_is_sent_while_the_file_is_the_same(mia):
    answer = asked(mia, whole=WHOLE, Range="bytes=3-", **{"If-Range": '"tag"'})
    assert b"".join(answer.streaming_content) == b"3456789"


def test_a_file_of_unknown_length_comes_whole(mia):
    answer = asked(mia, Range="bytes=3-")
    assert (answer.status_code, answer["Accept-Ranges"]) == (200, "none")
    assert b"".join(answer.streaming_content) == b"0123456789"


def test_head_gets_the_headers_alone_and_takes_nothing(mia):
    answer = asked(mia, method="head", whole=WHOLE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["Content-Length"], answer["Accept-Ranges"]) == ("10", "bytes")
    assert not AuditEntry.objects.exists()


def test_a_download_is_recorded_once_however_often_it_goes_on(mia):
    asked(mia, whole=WHOLE)
    asked(mia, whole=WHOLE, Range="bytes=3-")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.after) == (mia, "download", {"file": "a.bin"})


def test_a_folder_has_one_size_and_one_order(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"w" * 600_000)
    (tmp_path / "deep" / "config.json").write_text("{}")
    sent = b"".join(zip_blocks(tmp_path, root="model-1"))
    whole = zip_whole(tmp_path, root="model-1")
    assert whole.size == len(sent)
    assert sent == b"".join(zip_blocks(tmp_path, root="model-1"))
    assert zipfile.ZipFile(io.BytesIO(sent)).testzip() is None
    (tmp_path / "deep" / "config.json").write_text("[]")
    os.utime(tmp_path / "deep" / "config.json", ns=(1, 1))
    assert zip_whole(tmp_path, root="model-1").tag != whole.tag


def test_a_part_of_a_file_is_read_from_where_it_begins(tmp_path):
    data = bytes(range(256)) * (BLOCK_BYTES // 100)
    path = tmp_path / "whole"
    path.write_bytes(data)
    blocks = FileBlocks(path)
    assert b"".join(blocks) == data
    for part in (range(5), range(300, BLOCK_BYTES + 700), range(len(data) - 1, len(data))):
        assert b"".join(blocks.part(part)) == data[part.start : part.stop]
    assert list(blocks.part(range(9, 9))) == []
    assert [len(one) for one in blocks.part(range(7, BLOCK_BYTES + 8))] == [BLOCK_BYTES, 1]
