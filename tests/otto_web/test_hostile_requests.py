"""Whatever stands in an address or a form, the answer is never a fault of ours."""

from __future__ import annotations

import math
import uuid
from collections import Counter

import pytest
from django.http import QueryDict
from django.urls import reverse

from chat_app.models import Chat, Message
from datasets_app.models import Document, Provider, SourceFile, Upload
from datasets_app.services.documents import bring_chunks
from datasets_app.services.scoring import ScoringOrder, order_scoring
from datasets_app.services.web import Wanted, order_fetch
from otto_web.loop.models import Pipeline
from otto_web.pages.services.tokens import make_token
from tests.chat_app.makers import add_chat, make_served
from tests.otto_web.test_routes import ADDRESSES
from tests.training_app.conftest import make_version, toy_order
from training_app.lm.tokenizer_backends import Recipe
from training_app.models import Checkpoint
from training_app.models.base import Base
from training_app.services.model_tests import make_test_set, order_test
from training_app.services.preparations import order_preparation
from training_app.services.runs import queue_run
from training_app.services.tokenizers import order_tokenizer

ANSWERS = {200, 201, 204, 302, 400, 401, 403, 404, 405, 409, 411, 412, 413, 415, 422, 429}
HOSTILE = {
    "nothing": b"",
    "huge": b"9" * 30,
    "beyond 64 bits": b"9223372036854775808",
    "beyond 32 bits": b"2147483648",
    "negative": b"-1",
    "nul": b"a%00b",
    "half a character": b"%ED%A0%80",
    "no utf-8": b"%FF%FE",
    "long": b"x" * 10_000,
    "year 9000": b"9000-12-31T23%3A59%3A59%2B00%3A00",
    "year 9999": b"9999-12-31",
    "year 0": b"0000-01-01",
    "year 1 far east": b"0001-01-01T00%3A00%3A00%2B14%3A00",
    "place in year 9000": b"9000-12-31T23%3A59%3A59-14%3A00_00000000-0000-0000-0000-000000000001",
    "place in year 9999": b"9999-12-31T23%3A59%3A59-14%3A00_00000000-0000-0000-0000-000000000001",
    "pair": b"9223372036854775808%2C9223372036854775808",
    "not a number": b"NaN",
    "endless": b"1e999",
    "digits of others": b"%D9%A1%D9%A2",
    "list": b"%5B%7B%22a%22%3A1%7D%5D",
}
CHUNKS = b'{"chunks": [{"content": "We open at nine."}]}'
IN_FORMS = ("nothing", "beyond 64 bits", "nul", "no utf-8", "long", "year 9999")
ALONE = ("beyond 64 bits", "nul")
LAST = ("delete", "retire", "deactivate", "cancel", "stop")  # they take the world away


@pytest.fixture
def world(ada, mia, redis_server, data_dir):
    """One row of every kind that an address can name; gives what stands in addresses by name."""
    served = make_served()
    chat = add_chat(served, ada, [("Where is it?", "On its way.")], is_logged=True)
    Chat.objects.update(share_key=chat.pk)
    version = make_version(24)
    run = queue_run(toy_order(version), created_by=ada)
    kept = Checkpoint.objects.create(
        run=run, step=1, fence=1, path="gone", manifest_sha256="0" * 64, bytes=1
    )
    upload = Upload.objects.create(name="a.txt", size=3, created_by=ada)
    questions = make_test_set("Se\0t", "question,answer\nWhen?,At nine.\n", by=ada)
    base = Base.objects.create(name="a-base", title="A base", source="upload")
    return {
        "uidb64": "zz",
        "token": "a-b",
        "signature": "a.b",
        "questions_id": questions.pk,
        "test_id": order_test(served.model, by=ada, test_set=questions).pk,
        "person_id": mia.pk,
        "token_id": make_token(mia, "script", ["answers"])[0].pk,
        "upload_id": upload.pk,
        "authority_id": 1,
        "fetch_id": order_fetch(Wanted(("https://e.org/",)), by=ada).pk,
        "file_id": SourceFile.objects.create(upload=upload, name="a.txt", size=3).pk,
        "pairs_id": uuid.uuid4(),
        "item_id": 1,
        "provider_id": Provider.objects.create(name="P", base_url="https://e.org/v1").pk,
        "set_id": bring_chunks(version.dataset, "Chunks", [("a_chunks.json", CHUNKS)], by=ada).pk,
        "document_id": Document.objects.latest("pk").pk,
        "cluster_id": 1,
        "mapping_id": 1,
        "order_id": 1,
        "opinion_id": 1,
        "scoring_id": order_scoring(version.dataset, ScoringOrder(), by=ada).pk,
        "dataset_id": version.dataset_id,
        "number": 1,
        "action_id": 1,
        "view_id": 1,
        "other_id": version.pk,
        "version_id": version.pk,
        "layout": "pairs",
        "format_name": "onnx",
        "run_id": run.pk,
        "tokenizer_id": order_tokenizer(version, Recipe(), by=ada).pk,
        "preparation_id": order_preparation(toy_order(version), by=ada).pk,
        "checkpoint_id": kept.pk,
        "model_id": served.model_id,
        "kind": "models",
        "job_id": run.pk,
        "artifact_id": served.model_id,
        "base_id": base.pk,
        "name": base.name,
        "pipeline_id": Pipeline.objects.create(created_by=ada).pk,
        "alias": served.alias,
        "chat_id": chat.pk,
        "share_key": chat.pk,
        "message_id": Message.objects.filter(chat=chat, role="assistant").get().pk,
    }


@pytest.fixture
def names_read(monkeypatch):
    """Give a set to which every name is added that a view looks for in an address or a form."""
    found = set()
    for method in ("__getitem__", "get", "getlist", "__contains__"):
        plain = getattr(QueryDict, method)

        def reading(self, key, *more, plain=plain):
            if isinstance(key, str):
                found.add(key)
            return plain(self, key, *more)

        monkeypatch.setattr(QueryDict, method, reading)
    return found


@pytest.fixture
def visitor(ada, client_of):
    client = client_of(ada)
    client.raise_request_exception = False
    return client


def addresses(world):
    """Return every address with the rows of the world in it, those that take it away last."""
    views = sorted(ADDRESSES.values(), key=lambda one: str(one.pattern).strip("/").endswith(LAST))
    for view in views:
        if view.name == "readyz":  # it says by 503 that the test has no workers
            continue
        names = view.pattern.converters
        yield view.name, reverse(view.name, kwargs={name: world[name] for name in names})


def faults(answer):
    """Read the answer to its end; return its status when it is a fault."""
    if answer.streaming:
        b"".join(answer.streaming_content)
    return None if answer.status_code in ANSWERS else answer.status_code


class Alone:
    """Which names had a hostile value of their own, the others left out.

    A view that stops at the first bad name does not look at the others, so each has its turn. A
    name that many views read, as those of the table's filter are, has it in three of them: what
    reads it is the same. `make chaos` asks every view about every name.
    """

    def __init__(self, *, everywhere):
        self.turns = Counter()
        self.most = math.inf if everywhere else 3

    def groups(self, what, names):
        """Yield the names that get the value together: all, and some by themselves."""
        yield names
        if what in ALONE and len(names) > 1:
            for name in names:
                self.turns[what, name] += 1
                if self.turns[what, name] <= self.most:
                    yield [name]


def queries(names, alone):
    """Yield queries whose names have hostile values."""
    for what, value in HOSTILE.items():
        for group in alone.groups(what, names) if names else ():
            yield what, group, b"&".join(name.encode() + b"=" + value for name in group)


EVERYWHERE = pytest.mark.parametrize(
    "everywhere", [False, pytest.param(True, marks=pytest.mark.chaos)]
)


@pytest.mark.slow
@EVERYWHERE
def test_no_address_is_a_fault_whatever_its_query_says(visitor, world, names_read, everywhere):
    seen, bad, alone = 0, [], Alone(everywhere=everywhere)
    for name, address in addresses(world):
        names_read.clear()
        if status := faults(visitor.get(address)):
            bad.append((status, name))
        for what, group, query in queries(sorted(names_read), alone):
            seen += 1
            answer = visitor.get(address, QUERY_STRING=query.decode("ascii"))
            if status := faults(answer):
                bad.append((status, name, what, group))
    assert not bad
    assert seen > 400


@pytest.mark.slow
@EVERYWHERE
def test_no_form_is_a_fault_whatever_it_says(visitor, world, names_read, everywhere):
    bad, alone = [], Alone(everywhere=everywhere)
    for name, address in addresses(world):
        if name == "sign-out":
            continue
        names_read.clear()
        kind = "application/x-www-form-urlencoded"
        if status := faults(visitor.post(address, b"", content_type=kind)):
            bad.append((status, name))
        for what, group, body in queries(sorted(names_read - {"csrfmiddlewaretoken"}), alone):
            if what not in IN_FORMS:
                continue
            if status := faults(visitor.post(address, body, content_type=kind)):
                bad.append((status, name, what, group))
    assert not bad


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_no_number_in_an_address_is_a_fault(visitor, world, number):
    numbers = {name: number for name, value in world.items() if isinstance(value, int)}
    usual = set(addresses(world))
    asked = [one for one in addresses(world | numbers) if one not in usual]
    assert len(asked) > 5
    answers = [
        (faults(visitor.get(address)), faults(visitor.post(address))) for _, address in asked
    ]
    bad = [(name, found) for (name, _), found in zip(asked, answers, strict=True) if any(found)]
    assert not bad
