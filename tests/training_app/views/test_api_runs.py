"""Runs by OTTO's own API: ordered, bounded, looked at, followed, stopped, measured."""

from __future__ import annotations

import hashlib
import json
import uuid

import httpx2
import pytest

from otto_web.lib.work.states import State
from otto_web.pages.services.tokens import make_token
from tests.chat_app.conftest import Web
from tests.otto_web.lib.test_api import Api, is_refusal
from tests.training_app.ended_runs import ended_run
from training_app.jobs.process_identity import ProcessIdentity
from training_app.lm.config import RunSpec
from training_app.models import Run, TrainedModel, paths
from training_app.services.attempts import claim_run, end_run


@pytest.fixture
def api(client, theo):
    return Api(client, theo)


@pytest.fixture
def wanted(version):
    return {"version_id": str(version.pk)}


@pytest.mark.checklist(369, 371)
def test_a_run_is_checked_queued_and_really_of_its_size_and_family(api, wanted, redis_server):
    made = api("POST", "runs/train", wanted)
    assert made.status_code == 202
    told = made.json()
    assert told["run_id"] == told["job_id"]
    assert told["status"] == "queued"
    spec = RunSpec.from_json(Run.objects.get(pk=told["run_id"]).spec)
    assert (spec.model.family, spec.model.context, spec.train.epochs) == ("gpt2", 512, 1)
    assert (spec.train.micro_batch, spec.train.learning_rate) == (4, 5e-4)
    sizes = []
    for family in ("gpt2", "llama"):
        for size in ("tiny", "small", "medium", "large"):
            body = wanted | {"model_size": size, "model_family": family}
            run = Run.objects.get(pk=api("POST", "runs/train", body).json()["run_id"])
            sizes.append(RunSpec.from_json(run.spec).model.parameters)
    assert len(set(sizes)) == 8
    assert sizes[:4] == sorted(sizes[:4])
    count = Run.objects.count()
    for body, field in [
        ({"model_family": "qwen"}, "model_family"),
        ({"model_size": "enormous"}, "model_size"),
        ({"colour": "red"}, "colour"),
        ({"version_id": str(uuid.uuid4())}, "version_id"),
        ({"version_id": "../../etc/passwd"}, "version_id"),
        ({"settings": {"heads": 3}}, "heads"),
        ({"settings": {"nobody": 3}}, "settings.nobody"),
    ]:
        told = is_refusal(api("POST", "runs/train", wanted | body), 400, "CONFIG_INVALID")
        assert told["field"] == field
    assert Run.objects.count() == count
    key = {"idempotency_key": str(uuid.uuid4())}
    twice = {api("POST", "runs/train", wanted | key).json()["run_id"] for _ in range(2)}
    assert len(twice) == 1
    named = wanted | {"settings": {"dropout": 0.1, "steps": 30, "schedule": "cosine"}}
    run = Run.objects.get(pk=api("POST", "runs/train", named).json()["run_id"])
    spec = RunSpec.from_json(run.spec)
    assert (spec.model.dropout, spec.train.steps, spec.train.epochs) == (0.1, 30, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_seq_len", 7),
        ("max_seq_len", 8193),
        ("num_epochs", 0),
        ("batch_size", 0),
        ("learning_rate", 0),
        ("learning_rate", -1),
        ("learning_rate", 2),
        ("batch_size", "four"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_name(api, wanted, field, value):
    told = is_refusal(api("POST", "runs/train", wanted | {field: value}), 400, "CONFIG_INVALID")
    assert told["field"] == field
    assert not Run.objects.exists()


def test_a_run_says_its_state_and_heartbeat_and_is_stopped(api, queued_run, theo):
    where = f"runs/{queued_run.pk}"
    told = api("GET", where).json()
    assert (told["status"], told["last_heartbeat_ts"]) == ("queued", None)
    assert told["settings"]["train"]["steps"] == 12
    claim_run(ProcessIdentity("here", 1, 1.0))
    told = api("GET", where).json()
    assert told["status"] == "running"
    assert 0 <= told["heartbeat_age_seconds"] < 60
    told = api("POST", f"{where}/cancel").json()
    assert told == {"status": "cancellation-requested", "run_status": "running"}
    assert Run.objects.get().cancel_verb == "discard"
    other = api("POST", "runs/train", {"version_id": str(queued_run.version_id)}).json()["run_id"]
    assert api("POST", f"runs/{other}/cancel").json()["run_status"] == "cancelled"
    assert api("GET", f"runs/{other}").json()["status"] == "cancelled"
    is_refusal(api("POST", f"runs/{uuid.uuid4()}/cancel"), 404, "DATA_NOT_FOUND")
    is_refusal(api("GET", f"runs/{uuid.uuid4()}"), 404, "DATA_NOT_FOUND")


@pytest.mark.checklist(387)
def test_lists_are_filtered_sorted_and_paged(api, version, theo, redis_server):
    runs = [ended_run(version, theo, name=f"run {number}") for number in range(3)]
    first = api("GET", "runs?per_page=2&sort=name").json()
    assert [one["name"] for one in first["items"]] == ["run 0", "run 1"]
    assert (first["total"], first["page"], first["pages"]) == (3, 1, 2)
    last = api("GET", "runs?per_page=2&page=2&sort=name").json()
    assert [one["name"] for one in last["items"]] == ["run 2"]
    assert api("GET", "runs?page=9").json()["items"] == []
    assert api("GET", "runs?status=failed").json()["total"] == 0
    assert api("GET", f"runs?version_id={version.pk}").json()["total"] == 3
    assert is_refusal(api("GET", "runs?sort=colour"), 400, "CONFIG_INVALID")["field"] == "sort"
    assert api("GET", "models?name=run 1").json()["total"] == 1
    model = api("GET", "models").json()["items"][0]
    assert api("GET", f"models/{model['id']}").json() == model
    assert {one.pk for one in runs} == {
        uuid.UUID(one["run_id"]) for one in api("GET", "runs").json()["items"]
    }
    assert api("GET", "datasets?name=toy").json()["total"] == 1
    found = api("GET", f"datasets/{version.dataset_id}").json()
    assert found["rows"]
    kept = api("GET", f"versions?dataset_id={version.dataset_id}&status=succeeded").json()
    assert kept["items"][0]["splits"] == {"train": 20, "validation": 4, "test": 0}
    assert api("GET", "deployments").json()["items"] == []


@pytest.mark.checklist(378)
def test_evaluations_are_the_newest_and_all(api, version, theo, queued_run, redis_server):
    is_refusal(api("GET", f"runs/{queued_run.pk}/eval"), 404, "DATA_NOT_FOUND")
    queued_run.delete()
    run = ended_run(version, theo, loss=2.0)
    newest = api("GET", f"runs/{run.pk}/eval").json()
    assert (newest["split"], newest["status"], newest["loss"]) == ("validation", "succeeded", 2.0)
    model = TrainedModel.objects.get()
    old = model.evaluations.get()
    old.pk, old.loss = None, 1.5
    old.save()
    assert api("GET", f"runs/{run.pk}/eval").json()["loss"] == 1.5
    every = api("GET", f"runs/{run.pk}/evals").json()
    assert [one["loss"] for one in every["items"]] == [1.5, 2.0]


def log_line(number):
    at = f"2026-01-01T00:00:{number:02d}.000+00:00"
    return json.dumps({"ts": at, "level": "info", "event": "step", "step": number, "loss": 1.0})


@pytest.fixture
def written(queued_run, data_dir):
    """Give a function that adds lines to the log of the queued run."""
    folder = paths.attempt_folder(queued_run.pk, 1)
    folder.mkdir(parents=True)

    def write(*numbers):
        with (folder / "logs.jsonl").open("a") as file:
            file.writelines(f"{log_line(number)}\n" for number in numbers)

    write(*range(5))
    return write


def test_the_tail_of_a_log_is_lines_of_all_attempts(api, written, queued_run):
    where = f"runs/{queued_run.pk}/logs"
    answer = api("GET", where)
    assert answer["Content-Type"].startswith("text/plain")
    assert [json.loads(one)["step"] for one in answer.text.splitlines()] == [0, 1, 2, 3, 4]
    assert api("GET", f"{where}?tail=2").text == f"{log_line(3)}\n{log_line(4)}\n"
    assert api("GET", f"{where}?tail=0").text == ""
    later = paths.attempt_folder(queued_run.pk, 2)
    later.mkdir()
    (later / "logs.jsonl").write_text(f"{log_line(9)}\n{log_line(10)}"[:-3])
    assert [json.loads(one)["step"] for one in api("GET", f"{where}?tail=2").text.splitlines()] == [
        4,
        9,
    ]
    assert is_refusal(api("GET", f"{where}?tail=x"), 400, "CONFIG_INVALID")["field"] == "tail"


@pytest.fixture
def line(process_env, theo):
    """A client of a real web process."""
    text = make_token(theo, "script", ["read", "train"])[1]
    with (
        Web(process_env) as web,
        httpx2.Client(
            base_url=f"{web.address}/api/v1/", headers={"Authorization": f"Bearer {text}"}
        ) as client,
    ):
        yield client


def events(response):
    """Yield the events of a stream: id, name, data."""
    found = {}
    for text in response.iter_lines():
        if not text:
            if "data" in found:
                yield found.get("id"), found.get("event", ""), json.loads(found["data"])
            found = {}
            continue
        name, _, value = text.partition(": ")
        found[name] = value


@pytest.mark.slow
@pytest.mark.checklist(380)
def test_a_log_is_followed_until_its_run_ends_and_after_a_broken_line(
    transactional_db, line, written, queued_run
):
    where = f"runs/{queued_run.pk}/logs/stream"
    with line.stream("GET", where, params={"tail": 2}) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        stream = events(answer)
        assert [next(stream)[2]["step"] for _ in range(2)] == [3, 4]
        written(5, 6)
        assert [next(stream)[2]["step"] for _ in range(2)] == [5, 6]
        written(7)
        seen = next(stream)
        assert seen[2]["step"] == 7
    written(8)
    with line.stream("GET", where, headers={"Last-Event-ID": seen[0]}) as answer:
        stream = events(answer)
        assert next(stream)[2]["step"] == 8
        claim = claim_run(ProcessIdentity("here", 1, 1.0))
        written(9)
        end_run(claim, State.FAILED, reason="data", message="why")
        rest = list(stream)
    assert [(name, data.get("step")) for _, name, data in rest] == [("", 9), ("end", None)]
    assert rest[-1][2] == {"status": "failed"}
    once = list(events(line.get(where, params={"tail": 1, "follow": False})))
    assert [data["step"] for _, _, data in once] == [9]
    assert line.get(f"runs/{uuid.uuid4()}/logs/stream").json()["code"] == "DATA_NOT_FOUND"


@pytest.mark.slow
@pytest.mark.checklist(382, 383, 384)
def test_files_come_whole_in_parts_and_from_nowhere_else(
    transactional_db, line, data_dir, theo, version, redis_server
):
    ended_run(version, theo)
    model = TrainedModel.objects.get()
    folder = paths.absolute(model.path)
    (folder / "deep").mkdir(parents=True)
    data = bytes(range(256)) * 4096
    (folder / "model.safetensors").write_bytes(data)
    (folder / "deep/a b.json").write_text("{}")
    (folder.parent / "secret").write_text("no")
    (folder / "out").symlink_to(folder.parent / "secret")
    where = f"artifacts/models/{model.pk}"
    told = line.get(where).json()
    assert (told["kind"], told["item_id"]) == ("models", str(model.pk))
    sizes = {one["path"]: (one["size"], one["sha256"]) for one in told["files"]}
    assert sizes["model.safetensors"] == (len(data), hashlib.sha256(data).hexdigest())
    assert set(sizes) == {"deep/a b.json", "model.safetensors"}

    def take(path="model.safetensors", **headers):
        return line.get(f"{where}/download", params={"path": path}, headers=headers)

    whole = take()
    assert (whole.content, whole.headers["Accept-Ranges"]) == (data, "bytes")
    size = len(data)
    for asked, part in [
        ("0-99", (0, 99)),
        ("100-", (100, size - 1)),
        ("-500", (size - 500, size - 1)),
        (f"{size - 3}-{size + 99}", (size - 3, size - 1)),
        (f"-{size + 5}", (0, size - 1)),
    ]:
        answer = take(Range=f"bytes={asked}")
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {part[0]}-{part[1]}/{size}"
        assert answer.content == data[part[0] : part[1] + 1]
    for asked in (
        f"bytes={size}-",
        "bytes=5-2",
        "bytes=-",
        "bytes=-0",
        "lines=1-2",
        "bytes=0-1,4-5",
    ):
        answer = take(Range=asked)
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
        assert answer.json()["code"] == "RANGE_NOT_SATISFIABLE"
    begun = take(Range="bytes=0-99999").content
    rest = take(**{"Range": f"bytes={len(begun)}-", "If-Range": whole.headers["ETag"]}).content
    assert hashlib.sha256(begun + rest).hexdigest() == sizes["model.safetensors"][1]
    assert take("deep/a b.json").json() == {}
    for path in ("../secret", "/etc/passwd", "deep/../../secret", "out", "a\\..\\b"):
        assert take(path).status_code == 400, path
    for path in ("none", "deep", "x" * 400):
        assert take(path).status_code == 404, path
    assert line.get(f"artifacts/models/{uuid.uuid4()}").status_code == 404
    assert line.get(f"artifacts/secrets/{model.pk}").status_code == 404


def test_hashes_of_a_model_are_those_that_were_written_down_with_it(api, version, theo, data_dir):
    ended_run(version, theo)
    model = TrainedModel.objects.get()
    folder = paths.absolute(model.path)
    folder.mkdir(parents=True)
    (folder / "otto.json").write_text(json.dumps({"files": {"a.bin": "5" * 64}}))
    for name in ("a.bin", "b.bin"):
        (folder / name).write_text("{}")
    files = api("GET", f"artifacts/models/{model.pk}").json()["files"]
    assert {one["path"]: one["sha256"] for one in files} == {
        "a.bin": "5" * 64,
        "b.bin": hashlib.sha256(b"{}").hexdigest(),
        "otto.json": model.manifest_sha256,
    }
    sent = api("GET", f"artifacts/models/{model.pk}/download?path=a.bin")
    assert sent["ETag"] == f'"{"5" * 64}"'
