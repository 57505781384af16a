"""Base models that people bring: by upload, by the folder of local models, by the command."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Blob, Dataset, Purpose, SourceFile, Upload
from datasets_app.services.receiving import NewUpload, receive_whole
from otto_web.lib.work.claims import LostLease, order_anew
from otto_web.lib.work.states import State
from tests.training_app.lm.bases.test_take_in import write_folder
from tests.training_app.lm.bases.toys import toy_bpe, toy_network, write_toy_gguf
from tests.training_app.packages import entry, know, write_wheel
from training_app.jobs import bases as job
from training_app.jobs.bases import prepare_base
from training_app.lm.bases.known import known_bases
from training_app.lm.config import TrainingError
from training_app.models import Base, TrainedModel, paths
from training_app.services.bases import order_known, order_local, order_upload
from training_app.sweeps import take_over_models

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("data_dir"),
]
MEMBER = "toy/model.gguf"


def brought(name, body, by=None):
    """Send a file as the page does, and let the workers and the reaper have their turn."""
    upload = receive_whole(NewUpload(name, len(body), purpose=Purpose.MODEL), body, by=by)
    import_upload(upload.pk)
    take_over_models(timezone.now())
    return Base.objects.get(upload=upload)


def prepared(base):
    prepare_base(base.pk)
    base.refresh_from_db()
    return base


def test_a_file_that_is_sent_becomes_a_model_and_its_upload_goes(tmp_path, theo):
    body = write_toy_gguf(tmp_path / "a.gguf").read_bytes()
    base = prepared(brought("My little model.gguf", body, by=theo))
    assert (base.state, base.message) == (State.SUCCEEDED, "")
    assert (base.name, base.title) == ("my-little-model", "My little model")
    assert base.licence == "apache-2.0"
    assert base.created_by == theo
    assert base.spec["sha256"] == Blob.objects.get().pk
    assert TrainedModel.objects.get().created_by == theo
    assert not SourceFile.objects.exists()
    assert not Dataset.objects.exists()
    assert not Upload.objects.shown().exists()
    take_over_models(timezone.now())
    assert not Upload.objects.exists()
    assert Base.objects.get().is_over


def test_a_second_file_of_the_same_name_gets_a_name_of_its_own(tmp_path):
    body = write_toy_gguf(tmp_path / "a.gguf").read_bytes()
    first, second = (brought("model.gguf", body) for _ in range(2))
    assert (first.name, second.name) == ("model", "model-2")
    assert [str(prepared(one).model) for one in (first, second)] == ["model 1", "model 2"]


def test_a_file_that_is_no_model_is_refused_and_goes(tmp_path):
    base = prepared(brought("notes.gguf", b"not a model at all"))
    assert base.state == State.FAILED
    assert "no model that OTTO takes in" in base.message
    take_over_models(timezone.now())
    assert not Upload.objects.exists()
    again = brought("notes.gguf", write_toy_gguf(tmp_path / "a.gguf").read_bytes())
    assert again.pk == base.pk
    assert prepared(again).state == State.SUCCEEDED


def test_a_package_that_otto_knows_is_recognised_in_a_file(monkeypatch, tmp_path):
    content = write_toy_gguf(tmp_path / "toy.gguf").read_bytes()
    files = {"model.gguf": (MEMBER, content)}
    wheel = write_wheel(tmp_path / "wheels", "toy-lm", {MEMBER: content}).read_bytes()
    sha256 = hashlib.sha256(wheel).hexdigest()
    known = entry("toy-lm", "language", "model.gguf", files, sha256=sha256)
    know(monkeypatch, tmp_path, known)
    order_known(known_bases()["toy-lm"], by=None)
    Base.objects.update(state=State.FAILED, finished_at=timezone.now(), message="No way out.")
    base = prepared(brought("toy_lm-1.0-py3-none-any.whl", wheel))
    assert (base.state, base.message) == (State.SUCCEEDED, "")
    assert (base.name, base.title, base.licence) == ("toy-lm", "Toy toy-lm", "MIT")
    assert Base.objects.count() == 1
    twice = prepared(brought("toy_lm-1.0-py3-none-any.whl", wheel))
    assert twice.state == State.FAILED
    assert "is here already" in twice.message


def test_a_known_package_from_the_local_folder_is_taken_up_again_after_a_kill(
    monkeypatch, tmp_path, settings
):
    settings.OTTO_LOCAL_MODELS_DIR = tmp_path / "local"
    content = write_toy_gguf(tmp_path / "toy.gguf").read_bytes()
    files = {"model.gguf": (MEMBER, content)}
    wheel = write_wheel(settings.OTTO_LOCAL_MODELS_DIR, "toy-lm", {MEMBER: content})
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    known = entry("toy-lm", "language", "model.gguf", files, sha256=sha256)
    know(monkeypatch, tmp_path, known)
    base = order_local(wheel.name, by=None)
    with monkeypatch.context() as killed:

        def convert(work, source):
            order_anew(Base.objects.filter(pk=base.pk))  # as the reaper does after a kill
            raise LostLease

        killed.setattr(job, "_convert", convert)
        assert prepared(base).state == State.QUEUED
    assert base.name == "toy-lm"
    assert (prepared(base).state, base.message) == (State.SUCCEEDED, "")


def test_what_lies_in_the_local_folder_is_taken_in_once(monkeypatch, tmp_path, settings, theo):
    settings.OTTO_LOCAL_MODELS_DIR = tmp_path / "local"
    settings.OTTO_LOCAL_MODELS_DIR.mkdir()
    write_toy_gguf(settings.OTTO_LOCAL_MODELS_DIR / "small.gguf")
    first = order_local("small.gguf", by=theo)
    assert order_local("small.gguf", by=theo) == first
    Base.objects.update(state=State.FAILED, finished_at=timezone.now())
    assert order_local("small.gguf", by=theo) == first
    assert Base.objects.get().state == State.QUEUED


def test_two_uploads_of_one_name_at_the_same_moment_are_two_bases(theo):
    uploads = [
        Upload.objects.create(
            name="one.gguf", size=1, purpose=Purpose.MODEL, created_by=theo, idem_key=uuid4()
        )
        for _ in range(4)
    ]
    twice = [*uploads, *uploads]  # the sweep and the command may come to one upload together

    def order(upload):
        try:
            return order_upload(upload)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(twice)) as pool:
        bases = list(pool.map(order, twice))
    assert bases[:4] == bases[4:]
    assert sorted(base.name for base in bases[:4]) == ["one", "one-2", "one-3", "one-4"]
    assert [base.upload for base in bases[:4]] == uploads


def test_what_lies_in_the_folder_of_local_models_is_taken_in_and_stays(tmp_path, settings):
    settings.OTTO_LOCAL_MODELS_DIR = tmp_path / "local"
    settings.OTTO_LOCAL_MODELS_DIR.mkdir()
    write_toy_gguf(settings.OTTO_LOCAL_MODELS_DIR / "small.gguf")
    network = toy_network(toy_bpe().get_vocab_size())
    write_folder(settings.OTTO_LOCAL_MODELS_DIR / "distil", network)
    for name in ("small.gguf", "distil"):
        base = prepared(order_local(name, by=None))
        assert (base.state, base.message) == (State.SUCCEEDED, "")
        assert (settings.OTTO_LOCAL_MODELS_DIR / name).exists()
    with pytest.raises(TrainingError, match="no model “"):
        order_local("../small.gguf", by=None)


def test_deleted_bytes_are_said(tmp_path):
    base = brought("model.gguf", b"x")
    Upload.objects.all().delete()
    base.refresh_from_db()
    assert "The file is not here." in prepared(base).message


def test_an_upload_is_ordered_once(tmp_path):
    base = brought("model.gguf", b"x")
    assert order_upload(base.upload).pk == base.pk


def run(*words):
    out = StringIO()
    call_command("add_base", *map(str, words), "--json", stdout=out)
    return json.loads(out.getvalue())["bases"]


@pytest.fixture
def alone(monkeypatch, redis_server, postgres_server, settings):
    """Let the command find servers, and no workers."""
    name = settings.DATABASES["default"]["NAME"]
    monkeypatch.setenv("DATABASE_URL", postgres_server.url(name))
    monkeypatch.setenv("REDIS_URL", redis_server)


@pytest.mark.usefixtures("alone")
def test_the_command_takes_a_file_and_a_folder(tmp_path):
    file = write_toy_gguf(tmp_path / "small.gguf")
    folder = write_folder(tmp_path / "distil", toy_network(toy_bpe().get_vocab_size()))
    found = run(file, folder)
    assert [one["state"] for one in found] == ["succeeded"] * 2
    assert {one["name"] for one in found} == {"small", "distil"}
    for one in found:
        assert paths.absolute(TrainedModel.objects.get(pk=one["model"]).path).is_dir()


@pytest.mark.usefixtures("alone")
def test_the_command_says_what_it_does_not_know_and_what_it_refuses(tmp_path):
    with pytest.raises(CommandError, match="no file here, and no base that OTTO knows"):
        run("no-such-base")
    (tmp_path / "a.gguf").write_bytes(b"nothing")
    with pytest.raises(CommandError, match="no model that OTTO takes in"):
        run(tmp_path / "a.gguf")
