"""What holds for every endpoint of OTTO's own API: tokens, refusals, pace, the document."""

from __future__ import annotations

import json
import uuid

import pytest
from django.urls import get_resolver

from datasets_app.models import Version
from otto_web.lib.api.document import operations
from otto_web.lib.api.pace import Pace, pace
from otto_web.lib.tokens import Scope
from otto_web.pages.services.tokens import make_token, revoke_token
from tests.chat_app.makers import make_served
from tests.otto_web.test_hostile_requests import HOSTILE
from tests.training_app.conftest import make_version, toy_order
from training_app.lm.tokenizer_backends import Recipe
from training_app.services.runs import queue_run
from training_app.services.tokenizers import order_tokenizer

ALL = [scope.value for scope in Scope]
OPERATIONS = list(operations(get_resolver().url_patterns))
BODIES = {
    "no json": b"{",
    "no object": b"[1]",
    "null": b"null",
    "a text": b'"a"',
    "deep": b"[" * 100_000,
    "no utf-8": b'{"name": "\xff"}',
    "half a character": b'{"name": "\\ud800"}',
    "nul": b'{"name": "a\\u0000b"}',
    "NaN": b'{"learning_rate": NaN}',
    "endless": b'{"learning_rate": 1e999}',
    "huge": b'{"seed": ' + b"9" * 5_000 + b"}",
    "unknown": b'{"nobody_knows": 1}',
    "in settings": b'{"settings": {"dropout": "a\\u0000"}}',
    "wrong kinds": b'{"name": 1, "seed": "x", "settings": [], "text": {}, "ids": "a"}',
}


class Api:
    """A client that speaks for a token."""

    def __init__(self, client, person, scopes=ALL):
        self.row, self.text = make_token(person, "script", scopes)
        self.client = client
        client.raise_request_exception = False

    def __call__(self, method, path, body=None, **headers):
        sent = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        headers = {"Authorization": f"Bearer {self.text}", **headers}
        return self.client.generic(
            method, f"/api/v1/{path}", sent, content_type="application/json", headers=headers
        )


@pytest.fixture
def version(db):
    return make_version()


@pytest.fixture
def api(client, theo):
    pace.forget()
    return Api(client, theo)


def is_refusal(answer, status, code):
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), told
    assert told["message"]
    assert told["request_id"] == answer["X-Request-ID"]
    return told


@pytest.mark.checklist(404)
def test_every_refusal_has_code_message_and_the_request_id(api, client, version, monkeypatch):
    named = {"X-Request-ID": "mine-12345678"}
    assert is_refusal(api("GET", "runs/none", **named), 404, "DATA_NOT_FOUND")["request_id"] == (
        "mine-12345678"
    )
    is_refusal(api("GET", f"runs/{uuid.uuid4()}"), 404, "DATA_NOT_FOUND")
    is_refusal(api("GET", "nothing/here"), 404, "DATA_NOT_FOUND")
    is_refusal(client.get("/api/v1"), 404, "DATA_NOT_FOUND")
    is_refusal(api("DELETE", "runs"), 405, "METHOD_NOT_ALLOWED")
    is_refusal(api("POST", "runs/train", b" " * (2**21 + 1)), 413, "TOO_LARGE")
    is_refusal(client.get("/api/v1/runs"), 401, "UNAUTHORIZED")
    told = is_refusal(api("GET", "runs?colour=red"), 400, "CONFIG_INVALID")
    assert (told["field"], told["message"]) == ("colour", "The field “colour” is not known here.")
    told = is_refusal(api("GET", "runs?page=0"), 400, "CONFIG_INVALID")
    assert told["message"] == "“page”: expected int >= 1."
    told = is_refusal(api("POST", "runs/train", {}), 400, "CONFIG_INVALID")
    assert told["message"] == "The field “version_id” is missing."

    def fall(*_):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("training_app.views.api_runs.trainable_versions", fall)
    told = is_refusal(api("POST", "runs/train", {"version_id": str(version.pk)}), 500, "INTERNAL")
    assert "secret" not in str(told)


@pytest.mark.django_db
def test_scope_and_role_hold_as_on_the_pages(client, theo, cora, mia, version):
    assert Api(client, theo, ["read"])("GET", "runs").status_code == 200
    is_refusal(Api(client, theo, ["answers"])("GET", "runs"), 403, "FORBIDDEN")
    is_refusal(Api(client, theo, ["read"])("POST", "runs/train"), 403, "FORBIDDEN")
    assert Api(client, cora)("GET", "versions").json()["total"] == 1
    is_refusal(Api(client, cora)("GET", "runs"), 403, "FORBIDDEN")
    is_refusal(Api(client, mia)("GET", "datasets"), 403, "FORBIDDEN")
    ended = Api(client, theo)
    revoke_token(ended.row, by=theo)
    is_refusal(ended("GET", "runs"), 401, "UNAUTHORIZED")


def test_a_token_that_asks_too_often_waits(api, settings):
    settings.OTTO_API_PER_MINUTE = 2
    pace.forget()
    answers = [api("GET", "runs") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0]["X-RateLimit-Remaining-Requests"] == "1"
    assert 1 <= int(answers[2]["Retry-After"]) <= 30
    is_refusal(answers[2], 429, "RATE_LIMITED")


def test_tokens_that_are_long_silent_are_forgotten(monkeypatch):
    monkeypatch.setattr("otto_web.lib.api.pace.MOST_TOKENS", 2)
    own = Pace()
    for token in (1, 2, 1, 3):
        own.take(token, per_minute=60)
    assert list(own._buckets) == [1, 3]


def test_the_document_names_every_address_and_its_fields(api, client):
    is_refusal(client.get("/api/v1/openapi.json"), 401, "UNAUTHORIZED")
    told = api("GET", "openapi.json").json()
    assert told["openapi"] == "3.1.0"
    for one in OPERATIONS:
        node = told["paths"][one.path][one.method.lower()]
        assert node["summary"]
        names = {given["name"] for given in node["parameters"] if given["in"] == "path"}
        assert names == {name for name, _ in one.names}
        assert all("$ref" not in given["schema"] for given in node["parameters"])
    ids = [node["operationId"] for path in told["paths"].values() for node in path.values()]
    assert len(set(ids)) == len(ids) == len(OPERATIONS)
    train = told["components"]["schemas"]["TrainRun"]
    assert train["additionalProperties"] is False
    assert train["properties"]["batch_size"]["minimum"] == 1


def test_the_help_page_tells_every_operation(client_of, mia):
    page = client_of(mia).get("/help/own-api/")
    for one in OPERATIONS:
        assert one.path in page.text
    assert "whole number from 1 to 4,096; else 4" in " ".join(page.text.split())


@pytest.mark.slow
def test_no_request_of_a_program_is_a_fault(api, ada, theo, data_dir, redis_server, settings):
    settings.OTTO_API_PER_MINUTE = 1_000_000
    pace.forget()
    served, version = make_served(), make_version(24)
    Version.objects.filter(pk=version.pk).update(quality_score=0.9)
    names = {
        "upload_id": uuid.uuid4(),
        "dataset_id": version.dataset_id,
        "version_id": version.pk,
        "tokenizer_id": order_tokenizer(version, Recipe(), by=ada).pk,
        "run_id": queue_run(toy_order(version), created_by=ada).pk,
        "model_id": served.model_id,
        "kind": "models",
        "job_id": uuid.uuid4(),
        "artifact_id": served.model_id,
        "alias": served.alias,
    }
    bad = []
    for one in OPERATIONS:
        path = one.path.format(**names).removeprefix("/api/v1/")
        if path.endswith("logs/stream"):
            continue
        fields = getattr(one.endpoint.query, "__struct_fields__", ("other",))
        queries = [
            "",
            *(f"?{name}={value.decode()}" for value in HOSTILE.values() for name in fields),
        ]
        asked = [(one.method, path + query, b"{}") for query in queries]
        asked += [(one.method, path, body) for body in BODIES.values()]
        for method, address, body in asked:
            answer = api(method, address, body)
            if answer.status_code >= 500:
                bad.append((answer.status_code, method, address, body[:60]))
    assert not bad
