"""What five uploads at once cost the web: a real process, real pieces of full size."""

from __future__ import annotations

import http.client
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from datasets_app.models import Upload
from datasets_app.services.receiving import part_path
from otto_web.lib.models import ApiToken
from otto_web.lib.tokens import hash_token
from tests.otto_web.test_web_server import running_web

pytestmark = pytest.mark.slow
PIECE = os.urandom(8 << 20)
PIECES = 4
TOKEN = "otto_five_at_once"  # noqa: S105 - opens the test database alone
HEADERS = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {TOKEN}"}
PATCH = HEADERS | {"Content-Type": "application/offset+octet-stream"}


def web_bytes():
    """Return the most memory that the web has ever had resident, in bytes."""
    web = next(one for one in psutil.Process().children() if "run_web" in one.cmdline())
    status = Path(f"/proc/{web.pid}/status").read_text().splitlines()
    peak = next(line for line in status if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024


def send(port):
    """Upload one file in pieces, as browsers do."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as line:

        def ask(method, path, body=None, **headers):
            line.request(method, path, body, headers)
            answer = line.getresponse()
            said = answer.read()
            assert answer.status in (201, 204), said
            return answer

        length = {"Upload-Length": str(PIECES * len(PIECE))}
        place = ask("POST", "/uploads/tus/", **HEADERS, **length).headers["Location"]
        for number in range(PIECES):
            ask("PATCH", place, PIECE, **PATCH, **{"Upload-Offset": str(number * len(PIECE))})


def test_five_uploads_at_once_are_held_in_blocks(process_env, cora):
    ApiToken.objects.create(
        user=cora, name="five", prefix="otto_fi", sha256=hash_token(TOKEN), scopes=["uploads"]
    )
    env = process_env | {"MALLOC_ARENA_MAX": "2"}  # as under the supervisor
    with running_web(env) as port:
        idle = web_bytes()
        with ThreadPoolExecutor(5) as people:
            list(people.map(lambda _: send(port), range(5)))
        assert web_bytes() - idle < 90 << 20
    assert Upload.objects.count() == 5
    for upload in Upload.objects.all():
        assert part_path(upload.pk).read_bytes() == PIECE * PIECES
