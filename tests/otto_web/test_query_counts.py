"""Every page asks the database as often as query_counts.txt says, however full it is.

To renew the table: `OTTO_TABLE=new .venv/bin/pytest tests/otto_web/test_query_counts.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from chat_app.models import Message
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation
from datasets_app.services.receiving import NewUpload, receive_whole
from otto_web.lib.access import Role
from otto_web.loop.services.pipelines import Wish, start_pipeline
from tests.chat_app.makers import add_chat, make_model, make_served
from tests.conftest import make_person
from tests.datasets_app.makers import support_dataset
from tests.training_app.conftest import make_version, toy_order
from training_app.services.runs import queue_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]
TABLE = Path(__file__).with_name("query_counts.txt")
DOWNLOADS = {
    *("tus-collection", "tus-upload", "version-download", "run-checkpoint", "run-log"),
    *("run-history", "model-download", "model-export-download", "log-download"),
}
NO_PAGES = {*DOWNLOADS, "set-password", "healthz", "readyz"}
CHATS = [("How do I reset my badge?", "Go to the front desk."), ("When?", "From nine to five.")]
CSV = b"question,answer\nWhere is my parcel?,It left our warehouse today.\n"


def routes(resolver):
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry)
        elif isinstance(entry, URLPattern):
            yield entry


ROUTES = {entry.name: entry for entry in routes(get_resolver()) if entry.name not in NO_PAGES}


@pytest.fixture
def fill(ada, data_dir):
    """Give a function that adds one of everything and returns its keys, as addresses name them."""

    def done(number):
        dataset = support_dataset(ada)
        body = CSV.replace(b"parcel", b"parcel %d" % number)
        upload = receive_whole(NewUpload(f"{number}.csv", len(body)), body, by=ada)
        import_upload(upload.pk)
        run = queue_run(toy_order(make_version()), created_by=ada)
        served = make_served(f"support-{number}", make_model(number=number))
        chat = add_chat(served, ada, CHATS, is_logged=True)
        return {
            "dataset_id": dataset.pk,
            "number": Conversation.objects.filter(dataset=dataset).first().pk,
            "upload_id": upload.pk,
            "file_id": upload.files.get().pk,
            "version_id": run.version_id,
            "run_id": run.pk,
            "model_id": served.model_id,
            "alias": served.pk,
            "chat_id": chat.pk,
            "message_id": Message.objects.filter(chat=chat, role="assistant").first().pk,
            "person_id": make_person(f"person-{number}", Role.MEMBER).pk,
            "pipeline_id": start_pipeline(Wish(dataset=dataset), by=ada).pk,
            "action_id": 1,
        }

    return done


def counts(client, keys):
    """Return the number of queries of every address that can be opened."""
    found = {}
    for name, route in ROUTES.items():
        wanted = route.pattern.regex.groupindex
        address = reverse(name, kwargs={key: keys[key] for key in wanted})
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = client.get(address)
        if answer.status_code == 405:
            continue
        assert answer.status_code in {200, 302}, f"{address}: {answer.status_code}"
        found[name] = len(asked)
    return found


def text_of(found):
    return "".join(f"{name:24}{number:3}\n" for name, number in sorted(found.items()))


def test_every_page_asks_as_often_as_the_table_says(fill, ada, client_of):
    fill(1)
    keys = fill(2)
    client = client_of(ada)
    counts(client, keys)  # what pages remember is remembered from now on
    found = counts(client, keys)
    fill(3)
    counts(client, keys)
    assert counts(client, keys) == found, "a fuller installation asks more often"
    if os.environ.get("OTTO_TABLE") == "new":
        TABLE.write_text(text_of(found), "utf-8")
    assert text_of(found) == TABLE.read_text("utf-8"), "renew the table: see the top of this file"
