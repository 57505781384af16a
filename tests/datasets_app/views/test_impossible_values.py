"""Values that nobody means: each gets an answer in words, none an error page of the server."""

from __future__ import annotations

import base64
import itertools
import uuid

import pytest
from django.urls import reverse

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Upload
from datasets_app.services.receiving import NewUpload, receive_whole
from otto_web.lib.work.states import State
from tests.datasets_app.makers import support_dataset

pytestmark = pytest.mark.django_db(transaction=True)
VALUES = (
    *("x" * 300, "x" * 20_000, "a\0b", "\udcff", "9" * 30, "-1", "1e400", "NaN", "²", "٣", "9,9"),
    *(
        "9000-01-01T00:00:00Z",
        "99999-99-99",
        "%",
        "%s",
        "{}",
        "[]",
        "' OR 1=1",
        '"',
        "\\",
        "&",
        "(",
    ),
    *("\u202e", "0", "true", "None", str(uuid.UUID(int=0)), f"{'9' * 18},{'9' * 18}"),
)
FIELDS = (
    *("q", "page", "show", "status", "reason", "file", "split", "copies"),
    *("side", "sort", "after", "before"),
    *("size", "row", "decision", "scope", "previewed", "name", "choice", "dataset", "sent", "also"),
    *("question", "answer", "text", "system", "delimiter", "encoding", "also_alike", "undo"),
)


@pytest.fixture
def places(cora, redis_server, data_dir):
    dataset = support_dataset(cora)
    body = b"colour,size\n" + b"red,big\nblue,small\n" * 5
    upload = receive_whole(NewUpload("a.csv", len(body)), body, by=cora)
    import_upload(upload.pk)
    file = upload.files.get()
    one = {"dataset_id": dataset.pk}
    return [
        *(reverse(name) for name in ("upload-list", "dataset-list")),
        *(reverse(name, args=[upload.pk]) for name in ("upload-detail", "upload-again")),
        *(reverse(f"file-{name}", args=[file.pk]) for name in ("detail", "columns", "encoding")),
        *(reverse(f"file-{name}-again", args=[file.pk]) for name in ("columns", "encoding")),
        *(reverse(f"rows-{name}", kwargs=one) for name in ("decide", "review")),
        *(reverse(f"dataset-{name}", kwargs=one) for name in ("detail", "history", "rules")),
        reverse("dataset-settings", kwargs=one),
        reverse("version-list", kwargs=one),
        reverse("conversation-detail", kwargs={**one, "number": 10**30}),
        reverse("action-undo", kwargs={**one, "action_id": 10**30}),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.chaos)])
def test_no_value_of_a_query_or_a_form_ends_in_an_error_of_the_server(
    every, places, cora, client_of
):
    client = client_of(cora)
    client.raise_request_exception = False
    assert every == 1 or len(VALUES) % every, "each place would meet the same few values"
    pairs = itertools.product(places, VALUES)
    for place, value in itertools.islice(pairs, 0, None, every):
        sent = dict.fromkeys(FIELDS, value.encode("utf-8", "surrogateescape"))
        for answer in (client.get(place, sent), client.post(place, sent)):
            assert answer.status_code < 500, (place, value[:40])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["x" * 300, "ü" * 2_000, "a\0b\ud800", "\u202e", "." * 300, "/" * 300]
)
def test_a_name_of_any_length_is_taken_and_its_rows_load(name, cora, redis_server, data_dir):
    body = b'{"input": "Where is it, please?", "output": "It is on the shelf."}\n'
    upload = receive_whole(NewUpload(name, len(body), dataset=name), body, by=cora)
    assert import_upload(upload.pk)
    upload.refresh_from_db()
    assert upload.state == State.SUCCEEDED
    without = receive_whole(NewUpload(name, len(body), is_again=True), body, by=cora)
    assert import_upload(without.pk)
    without.refresh_from_db()
    assert without.state == State.SUCCEEDED


@pytest.mark.slow
@pytest.mark.parametrize("value", [value for value in VALUES if "\udcff" not in value])
def test_the_way_in_for_programs_takes_any_metadata(value, cora, client_of, redis_server, data_dir):
    client = client_of(cora)
    client.raise_request_exception = False
    coded = base64.b64encode(value.encode("utf-8", "replace")).decode()
    pairs = ",".join(
        f"{key} {coded}" for key in ("filename", "filetype", "dataset", "idem", "sha256")
    )
    for metadata in (pairs, pairs.rpartition(",")[0], value[:2000].replace("\0", "")):
        answer = client.post(
            reverse("tus-collection"),
            headers={"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": metadata},
        )
        assert answer.status_code < 500, answer.content
    for length in (value[:100].replace("\0", ""), "9" * 18):
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": length}
        assert client.post(reverse("tus-collection"), headers=headers).status_code < 500
    assert Upload.objects.count() <= 5
