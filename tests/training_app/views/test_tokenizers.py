"""Tokenizers of their own: made by a worker, shown, tried out, used by a run; by page and API."""

from __future__ import annotations

import hashlib
import json
import uuid

import pytest
from django.db import connection
from django.urls import reverse

from otto_web.lib.models import AuditEntry
from otto_web.lib.work.claims import claim, finish
from otto_web.lib.work.states import State
from tests.otto_web.lib.test_api import Api, is_refusal
from tests.page_text import page_text as words
from tests.training_app.conftest import make_version, toy_order, toy_spec
from training_app.jobs.preparing import prepare_data
from training_app.jobs.tokenizers import make_tokenizer
from training_app.lm.tokenizer_backends import Recipe
from training_app.models import MadeTokenizer, Preparation, Run, paths
from training_app.services.folders import stray_tokenizers
from training_app.services.preparations import order_preparation
from training_app.services.runs import queue_run
from training_app.services.tokenizers import order_tokenizer

TEXT = "Where is my order 12? 😀 日本"


@pytest.fixture
def api(client, theo):
    return Api(client, theo)


@pytest.fixture
def made(api, version, data_dir, redis_server):
    body = {"version_id": str(version.pk), "vocab_size": 400, "holdout_fraction": 0.2}
    key = api("POST", "tokenizers/train", body).json()["tokenizer_id"]
    make_tokenizer(key)
    return MadeTokenizer.objects.get(pk=key)


@pytest.mark.slow
@pytest.mark.checklist(364, 366, 367, 390)
def test_a_tokenizer_is_ordered_by_the_api_and_says_its_figures(
    api, version, data_dir, redis_server
):
    wanted = {"version_id": str(version.pk)}
    answer = api("POST", "tokenizers/train", wanted)
    told = answer.json()
    assert (answer.status_code, told["status"], told["method"]) == (202, "queued", "bpe")
    assert {told[name] for name in ("coverage", "oov_rate", "artifact_path")} == {None}
    row = MadeTokenizer.objects.get(pk=told["tokenizer_id"])
    assert row.recipe == {
        "method": "bpe",
        "vocab_size": 32_000,
        "min_frequency": 2,
        "holdout_fraction": 0.01,
        "seed": 42,
    }
    where = f"tokenizers/{row.pk}"
    is_refusal(api("POST", f"{where}/encode", {"text": "a"}), 409, "CONFLICT")
    for body, field in [
        ({"vocab_size": 127}, "vocab_size"),
        ({"min_frequency": 0}, "min_frequency"),
        ({"holdout_fraction": 0.51}, "holdout_fraction"),
        ({"holdout_fraction": -0.1}, "holdout_fraction"),
        ({"method": "magic"}, "method"),
        ({"colour": "red"}, "colour"),
        ({"version_id": str(uuid.uuid4())}, "version_id"),
    ]:
        told = is_refusal(api("POST", "tokenizers/train", wanted | body), 400, "CONFIG_INVALID")
        assert told["field"] == field
    assert MadeTokenizer.objects.count() == 1
    body = wanted | {"vocab_size": 400, "holdout_fraction": 0.2, "name": "Mine"}
    key = api("POST", "tokenizers/train", body).json()["tokenizer_id"]
    make_tokenizer(key)
    told = api("GET", f"tokenizers/{key}").json()
    assert (told["status"], told["coverage"], told["oov_rate"]) == ("succeeded", 1.0, 0.0)
    assert told["token_count"] > 10
    assert told["char_coverage"] == 1.0
    manifest = api("GET", f"tokenizers/{key}/manifest").json()
    assert set(manifest) >= {"created_at", "config", "stats"}
    assert manifest["config"]["vocab_size"] == 400
    assert manifest["stats"]["token_count"] == told["token_count"]
    files = api("GET", f"artifacts/tokenizers/{key}").json()["files"]
    assert [one["path"] for one in files] == ["manifest.json", "tokenizer.json"]
    sent = api("GET", f"artifacts/tokenizers/{key}/download?path=tokenizer.json")
    data = b"".join(sent.streaming_content)
    assert hashlib.sha256(data).hexdigest() == told["sha256"] == files[1]["sha256"]
    is_refusal(api("GET", f"tokenizers/{uuid.uuid4()}"), 404, "DATA_NOT_FOUND")
    listed = api("GET", "tokenizers?status=succeeded").json()
    assert [one["name"] for one in listed["items"]] == ["Mine"]


@pytest.mark.slow
@pytest.mark.checklist(365)
@pytest.mark.parametrize("method", ["sentencepiece", "unigram", "wordpiece"])
def test_other_kinds_need_no_program_from_outside(api, version, data_dir, method):
    body = {"version_id": str(version.pk), "method": method, "vocab_size": 400}
    key = api("POST", "tokenizers/train", body).json()["tokenizer_id"]
    make_tokenizer(key)
    told = api("GET", f"tokenizers/{key}").json()
    assert told["status"] == "succeeded"
    kind = json.loads((paths.absolute(told["artifact_path"]) / "tokenizer.json").read_text())
    assert kind["model"]["type"] == ("WordPiece" if method == "wordpiece" else "Unigram")
    found = api("POST", f"tokenizers/{key}/encode", {"text": TEXT}).json()
    assert found["is_exact"]


@pytest.mark.slow
@pytest.mark.checklist(368)
def test_a_text_is_tried_out_on_the_page_and_by_the_api(api, made, client_of, theo, cora):
    where = f"tokenizers/{made.pk}"
    told = api("POST", f"{where}/encode", {"text": TEXT}).json()
    assert told["is_exact"]
    whole = "".join(one["text"] for one in told["tokens"] if not one["is_part"])
    assert whole == "Where is my order 12?  "
    parts = [one["text"] for one in told["tokens"] if one["is_part"]]
    assert bytes.fromhex("".join(parts)) == "😀日本".encode()
    assert api("POST", f"{where}/decode", {"ids": told["ids"]}).json() == {"text": TEXT}
    many = {"ids": [2**31 - 1] * 20_000}
    assert api("POST", f"{where}/decode", many).json() == {"text": ""}
    long = {"text": "x" * 20_001}
    assert (
        is_refusal(api("POST", f"{where}/encode", long), 400, "CONFIG_INVALID")["field"] == "text"
    )
    client = client_of(theo)
    page = client.post(reverse("tokenizer-detail", args=[made.pk]), {"text": TEXT})
    assert "The text comes back from them exactly." in words(page)
    assert page.text.count('title="') >= len(told["ids"])
    assert f"{made.entries} of 400 wished for" in words(page)
    assert client_of(cora).get(reverse("tokenizer-list")).status_code == 403


@pytest.mark.slow
def test_the_form_orders_one_and_its_page_waits(version, theo, client_of, data_dir, redis_server):
    client = client_of(theo)
    assert "No tokenizers yet" in words(client.get(reverse("tokenizer-list")))
    filled = {
        "version": str(version.pk),
        "method": "unigram",
        "vocab_size": "400",
        "min_frequency": "2",
        "holdout_fraction": "0",
        "seed": "42",
    }
    bad = client.post(reverse("tokenizer-new"), filled | {"holdout_fraction": "0.6"})
    assert bad.status_code == 422
    assert "The holdout fraction must be from 0 to 0.5, not 0.6." in words(bad)
    answer = client.post(reverse("tokenizer-new"), filled)
    made = MadeTokenizer.objects.get()
    assert answer.url == reverse("tokenizer-detail", args=[made.pk])
    assert "is being made" in words(client.get(answer.url))
    make_tokenizer(made.pk)
    assert "since nothing was kept back" in words(client.get(answer.url))
    assert made.name in words(client.get(reverse("tokenizer-list")))
    assert AuditEntry.objects.filter(verb="make tokenizer").exists()
    made.refresh_from_db()
    assert list(stray_tokenizers()) == []
    client.post(reverse("tokenizer-delete", args=[made.pk]))
    assert list(stray_tokenizers()) == [paths.absolute(made.path)]


@pytest.mark.slow
def test_a_share_that_draws_nothing_is_measured_on_what_was_learned_from_and_says_so(
    theo, client_of, data_dir, redis_server
):
    made = order_tokenizer(make_version(24), Recipe(vocab_size=400, holdout_fraction=1e-9), by=theo)
    make_tokenizer(made.pk)
    made.refresh_from_db()
    assert (made.stats["of_kept_back"], made.stats["lines"] > 10) == (False, True)
    page = words(client_of(theo).get(reverse("tokenizer-detail", args=[made.pk])))
    assert "that it learned from, since nothing was kept back" in page
    assert "nothing: no conversation with text fell into the" in page


def test_a_tokenizer_that_is_made_while_a_sweep_looks_is_no_stray(version, theo, data_dir):
    made = order_tokenizer(version, Recipe(), by=theo)
    made = claim(MadeTokenizer, made.pk)
    paths.absolute(made.folder).mkdir(parents=True)

    def ends_behind_the_first_look(execute, *query):
        found = execute(*query)
        if made.state == State.RUNNING:
            made.state = State.SUCCEEDED
            finish(made, path=made.folder)
        return found

    with connection.execute_wrapper(ends_behind_the_first_look):
        assert list(stray_tokenizers()) == []


def test_a_version_of_empty_turns_says_so(theo, data_dir, redis_server, api):
    version = make_version(6)
    version.rows.all().delete()
    body = {"version_id": str(version.pk)}
    key = api("POST", "tokenizers/train", body).json()["tokenizer_id"]
    make_tokenizer(key)
    told = api("GET", f"tokenizers/{key}").json()
    assert told["status"] == "failed"
    assert "There is no text" in told["message"]
    assert list(stray_tokenizers()) == []


@pytest.mark.slow
@pytest.mark.checklist(373)
def test_a_run_begins_with_a_tokenizer_that_was_made(api, made, version, theo, client_of):
    body = {"version_id": str(version.pk), "tokenizer_id": str(made.pk), "model_size": "tiny"}
    run = Run.objects.get(pk=api("POST", "runs/train", body).json()["run_id"])
    assert run.spec["data"]["made_tokenizer"] == str(made.pk)
    for other in (str(uuid.uuid4()), "../../etc/passwd"):
        told = api("POST", "runs/train", body | {"tokenizer_id": other})
        is_refusal(told, 400, "CONFIG_INVALID")
    outside = api("POST", "runs/train", body | {"version_id": "/etc/passwd"})
    assert is_refusal(outside, 400, "CONFIG_INVALID")["field"] == "version_id"
    page = client_of(theo).get(f"{reverse('run-new')}?tokenizer={made.pk}")
    assert f'value="{made.pk}" selected' in page.text
    refused = client_of(theo).post(reverse("tokenizer-delete", args=[made.pk]), follow=True)
    assert "A run that is under way begins with this tokenizer." in words(refused)
    spec = toy_spec()
    data = {**spec.data.as_json(), "made_tokenizer": str(made.pk)}
    order = toy_order(version)
    order = type(order)(
        order.name,
        type(spec)(spec.model, spec.train, type(spec.data)(**data)),
        version,
        order.idem_key,
    )
    assert queue_run(order, created_by=theo)
    prepared = order_preparation(order, by=theo)
    prepare_data(prepared.pk)
    prepared = Preparation.objects.get()
    assert prepared.facts["entries"] == made.entries
