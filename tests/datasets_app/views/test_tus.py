"""The tus protocol, spoken by hand and by an ordinary client."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading

import pytest
from django.db import connection, transaction
from django.test import Client
from tusclient import client as tus_client

from datasets_app.models import Removal, Upload
from datasets_app.services import receiving
from datasets_app.services.receiving import part_path
from otto_web.lib.models import ApiToken
from otto_web.lib.tokens import hash_token
from otto_web.lib.work.states import State

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
TUS = {"HTTP_TUS_RESUMABLE": "1.0.0"}
CHUNK = "application/offset+octet-stream"
HELLO = b"hello, world"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def create(client, size=12, metadata="", **headers):
    more = {"HTTP_UPLOAD_LENGTH": str(size), "HTTP_UPLOAD_METADATA": metadata}
    return client.post("/uploads/tus/", **TUS, **more, **headers)


def patch(client, url, body=HELLO, offset=0, content_type=CHUNK, **headers):
    more = {"HTTP_UPLOAD_OFFSET": str(offset), **TUS, **headers}
    return client.patch(url, body, content_type=content_type, **more)


@pytest.fixture
def curator(cora, client_of):
    return client_of(cora)


@pytest.fixture
def url(curator):
    return create(curator, metadata=f"filename {b64('hello.txt')},filetype {b64('text/plain')}")[
        "Location"
    ]


def test_a_model_is_brought_by_those_who_train(curator, theo, client_of):
    metadata = f"filename {b64('small.gguf')},purpose {b64('model')}"
    refused = create(curator, metadata=metadata)
    assert refused.status_code == 403
    assert "role trainer" in refused.text
    assert create(client_of(theo), metadata=metadata).status_code == 201
    assert Upload.objects.get().purpose == "model"


def the_row():
    return Upload.objects.values("offset", "state", "size", "expires_at").get()


def test_options_tell_what_the_server_speaks(client):
    answer = client.options("/uploads/tus/")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) == {
        "creation",
        "expiration",
        "checksum",
        "termination",
    }
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(answer["Tus-Max-Size"]) == 8 * 1024**3


@pytest.mark.checklist(38)
def test_a_file_arrives_in_pieces_and_waits_for_a_worker(curator, url):
    first = patch(curator, url, HELLO[:5])
    assert (first.status_code, first["Upload-Offset"]) == (204, "5")
    assert first["Upload-Expires"].endswith("GMT")
    head = curator.head(url, **TUS)
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("5", str(len(HELLO)))
    assert head["Cache-Control"] == "no-store"
    assert f"filename {b64('hello.txt')}" in head["Upload-Metadata"]
    last = patch(curator, url, HELLO[5:], offset=5)
    assert last["Upload-Offset"] == str(len(HELLO))
    found = Upload.objects.get()
    assert (found.state, found.name, found.claimed_type) == ("queued", "hello.txt", "text/plain")
    assert part_path(found.pk).read_bytes() == HELLO


def test_an_empty_file_is_complete_at_once(curator):
    assert create(curator, size=0).status_code == 201
    assert Upload.objects.get().state == State.QUEUED


def test_names_are_kept_as_text_whatever_they_hold(curator):
    for name in ("../../etc/passwd", "ünïcode ☃.txt", "a\0b.txt"):
        create(curator, metadata=f"filename {b64(name)}")
    broken = base64.b64encode(b"caf\xe9.txt").decode()
    create(curator, metadata=f"filename {broken}")
    names = set(Upload.objects.values_list("name", flat=True))
    assert names == {"../../etc/passwd", "ünïcode ☃.txt", "ab.txt", "caf\ufffd.txt"}


def test_the_same_creation_sent_twice_is_one_upload(curator):
    first, second = (create(curator, metadata=f"idem {b64('key')}") for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Upload.objects.count() == 1


REFUSALS = {
    "409 wrong place": (409, {"offset": 3}),
    "413 beyond the end": (413, {"body": HELLO + b"!"}),
    "415 wrong type": (415, {"content_type": "text/plain"}),
    "412 no version": (412, {"HTTP_TUS_RESUMABLE": "0.2.2"}),
    "400 no offset": (400, {"HTTP_UPLOAD_OFFSET": "x"}),
    "400 unknown digest": (400, {"HTTP_UPLOAD_CHECKSUM": "md5 AAAA"}),
    "460 damaged": (460, {"HTTP_UPLOAD_CHECKSUM": f"sha1 {b64('x' * 20)}"}),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refused_piece_leaves_the_row_unchanged(curator, url, case):
    status, changes = REFUSALS[case]
    before = the_row()
    answer = patch(curator, url, **changes)
    assert answer.status_code == status
    assert answer.content.decode().strip().endswith((".", "!"))
    assert the_row() == before
    assert patch(curator, url).status_code == 204


def test_a_piece_over_the_limit_is_refused(curator, settings):
    settings.OTTO_CHUNK_BYTES = 4
    url = create(curator)["Location"]
    before = the_row()
    assert patch(curator, url).status_code == 413
    assert the_row() == before


def test_a_full_disk_answers_507_and_the_upload_goes_on_later(curator, url, settings):
    settings.OTTO_DISK_RESERVE_BYTES = 1 << 62
    before = the_row()
    assert patch(curator, url).status_code == 507
    assert the_row() == before
    settings.OTTO_DISK_RESERVE_BYTES = 0
    assert patch(curator, url).status_code == 204


def test_a_failed_fsync_answers_507_and_forgets_the_piece(curator, url, monkeypatch):
    def fails(_):
        raise OSError(5, "input/output error")

    before = the_row()
    with monkeypatch.context() as patched:
        patched.setattr(receiving.os, "fsync", fails)
        assert patch(curator, url).status_code == 507
    assert the_row() == before
    assert part_path(Upload.objects.get().pk).stat().st_size == 0
    assert patch(curator, url).status_code == 204


def test_a_second_piece_at_the_same_time_answers_423(curator, url):
    locked, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Upload.objects.select_for_update().get()
            locked.set()
            done.wait(300)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(300)
    answer = patch(curator, url)
    done.set()
    holder.join()
    assert (answer.status_code, answer["Retry-After"]) == (423, "1")
    assert the_row()["offset"] == 0
    assert patch(curator, url).status_code == 204


def test_bytes_behind_the_offset_are_not_believed(curator, url):
    patch(curator, url, HELLO[:5])
    part = part_path(Upload.objects.get().pk)
    part.write_bytes(HELLO[:5] + b"left by a crash before the commit")
    patch(curator, url, HELLO[5:], offset=5)
    assert part.read_bytes() == HELLO


@pytest.mark.parametrize(
    ("algorithm", "digest"), [("sha1", hashlib.sha1), ("sha256", hashlib.sha256)]
)
def test_a_right_checksum_is_accepted(curator, url, algorithm, digest):
    good = base64.b64encode(digest(HELLO).digest()).decode()
    assert patch(curator, url, HTTP_UPLOAD_CHECKSUM=f"{algorithm} {good}").status_code == 204


def test_a_taken_back_upload_is_gone_with_its_bytes(curator, url):
    patch(curator, url, HELLO[:5])
    assert curator.delete(url, **TUS).status_code == 204
    assert curator.head(url, **TUS).status_code == 410
    assert patch(curator, url, HELLO[5:], offset=5).status_code == 410
    assert not part_path(Upload.objects.get().pk).exists()


def test_a_model_that_is_taken_back_is_gone_with_its_bytes(theo, client_of):
    client = client_of(theo)
    metadata = f"filename {b64('small.gguf')},purpose {b64('model')}"
    created = create(client, metadata=metadata)
    patch(client, created["Location"], HELLO[:5])
    assert client.delete(created["Location"], **TUS).status_code == 204
    upload = Upload.objects.get()
    assert (upload.state, upload.reason) == ("cancelled", "withdrawn")
    assert not part_path(upload.pk).exists()
    assert not Removal.objects.exists()


def test_a_complete_upload_takes_no_more_bytes(curator, url):
    patch(curator, url)
    assert patch(curator, url, b"!", offset=len(HELLO)).status_code == 410


def test_methods_may_be_tunnelled_through_post(curator, url):
    answer = curator.post(
        url,
        HELLO,
        content_type=CHUNK,
        HTTP_X_HTTP_METHOD_OVERRIDE="PATCH",
        HTTP_UPLOAD_OFFSET="0",
        **TUS,
    )
    assert answer.status_code == 204
    assert curator.get(url, **TUS).status_code == 405


@pytest.mark.parametrize("length", ["", "-1", "1.5", "9" * 30])
def test_a_length_that_is_no_number_is_refused(curator, length):
    answer = create(curator, size=length)
    assert answer.status_code == 400
    assert Upload.objects.count() == 0


@pytest.mark.checklist(150)
def test_a_file_over_the_limit_is_refused_naming_both_sizes(curator, settings):
    settings.OTTO_UPLOAD_LIMIT_BYTES = 1000
    answer = create(curator, size=1001)
    assert answer.status_code == 413
    assert "1,001" in answer.content.decode()
    assert "1,000" in answer.content.decode()


def test_too_much_or_too_many_at_once_answers_429(curator, monkeypatch, settings):
    monkeypatch.setattr(receiving, "IN_FLIGHT_BYTES", 20)
    settings.OTTO_UPLOAD_LIMIT_BYTES = 20
    assert create(curator).status_code == 201
    assert create(curator).status_code == 429
    monkeypatch.setattr(receiving, "IN_FLIGHT_BYTES", 1 << 40)
    assert [create(curator).status_code for _ in range(5)] == [201] * 4 + [429]


def test_one_file_within_the_limit_is_never_too_much_by_itself(curator, monkeypatch, settings):
    monkeypatch.setattr(receiving, "IN_FLIGHT_BYTES", 20)
    settings.OTTO_UPLOAD_LIMIT_BYTES = 1000
    assert create(curator, size=1000).status_code == 201
    assert create(curator, size=1000).status_code == 429


def test_strangers_members_and_other_curators_get_nothing(client, client_of, mia, ada, url):
    assert create(client).status_code == 401
    assert create(client_of(mia)).status_code == 403
    assert client_of(ada).head(url, **TUS).status_code == 404
    assert patch(client_of(ada), url).status_code == 404


def test_a_session_without_the_csrf_token_changes_nothing(cora, url):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cora, backend="django.contrib.auth.backends.ModelBackend")
    assert create(strict).status_code == 403
    assert patch(strict, url).status_code == 403
    assert the_row()["offset"] == 0


@pytest.fixture
def token(cora):
    text = "otto_0123456789"
    ApiToken.objects.create(
        user=cora, name="test", prefix="otto_01", sha256=hash_token(text), scopes=["uploads"]
    )
    return text


def test_a_token_needs_no_cookie_and_a_wrong_one_opens_nothing(token):
    strict = Client(enforce_csrf_checks=True)
    assert create(strict, HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 201
    assert create(strict, HTTP_AUTHORIZATION="Bearer wrong").status_code == 401
    ApiToken.objects.update(revoked_at="2024-01-01T00:00:00Z")
    assert create(strict, HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


@pytest.mark.slow
@pytest.mark.checklist(38)
def test_tuspy_uploads_and_resumes_like_with_any_tus_server(live_server, token):
    body = json.dumps({"input": "Hello?", "output": "Good day."}).encode() * 2000
    headers = {"Authorization": f"Bearer {token}"}
    client = tus_client.TusClient(f"{live_server.url}/uploads/tus/", headers=headers)
    options = {"chunk_size": 10_000, "metadata": {"filename": "chats.jsonl"}}
    first = client.uploader(file_stream=io.BytesIO(body), upload_checksum=True, **options)
    first.upload(stop_at=30_000)
    second = client.uploader(
        file_stream=io.BytesIO(body), url=first.url, upload_checksum=True, **options
    )
    assert second.get_offset() == 30_000
    second.upload()
    found = Upload.objects.get()
    assert (found.state, found.offset) == ("queued", len(body))
    assert part_path(found.pk).read_bytes() == body


@pytest.mark.parametrize(
    "metadata",
    ["filename caf\xe9", "filename !", f"sha256 {b64('../../../../../../etc/passwd')}"],
)
def test_headers_that_no_client_of_ours_sends_are_refused_in_a_sentence(curator, metadata):
    answer = create(curator, metadata=metadata)
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("text/plain")
    assert not Upload.objects.exists()


def test_nul_in_a_header_is_left_out(curator):
    pairs = {"filename": "a\0b.txt", "filetype": "text\0", "dataset": "x\0", "idem": "once\0"}
    metadata = ",".join(f"{key} {b64(value)}" for key, value in pairs.items())
    assert create(curator, metadata=metadata).status_code == 201
    assert create(curator, metadata=metadata).status_code == 201
    assert Upload.objects.get().name == "ab.txt"


def test_a_checksum_that_is_not_even_ascii_is_refused(curator, url):
    assert patch(curator, url, HTTP_UPLOAD_CHECKSUM="sha1 caf\xe9").status_code == 400
    assert the_row()["offset"] == 0
