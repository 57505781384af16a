"""The page of base models: what is there, what is missing and how it comes, and taking one away."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from datasets_app.models import Encoder, EncoderState, Knowledge, Purpose, Upload
from otto_web.lib.models import AuditEntry
from otto_web.lib.work.claims import claim
from otto_web.lib.work.states import State
from tests.page_text import page_text
from tests.training_app.conftest import make_version, toy_order
from training_app.lm.bases.known import known_bases
from training_app.models import DELETED, Base, ModelState, TrainedModel
from training_app.services.bases import NOT_FETCHED, order_known, order_missing
from training_app.services.runs import Order, queue_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
LM, ST = "smollm2-135m-instruct", "all-minilm-l6-v2"
ENDED = {"state": State.SUCCEEDED, "finished_at": timezone.now()}


def add_model(name=LM, **changes):
    """Return a language base that is here, as its job leaves it; without its files."""
    known = known_bases()[name]
    model = TrainedModel.objects.create(
        name=known.title,
        number=1,
        family="llama",
        params=134_515_008,
        context=8192,
        path=f"models/{uuid4()}",
        manifest_sha256="0" * 64,
    )
    figures = {"parameters": model.params, "context": model.context, "bytes": 541_000_000}
    row = {"title": known.title, "kind": "language", "source": "package", "licence": "Apache-2.0"}
    served = {"is_servable": True, "model": model, "figures": figures}
    return Base.objects.create(name=name, **row | served | ENDED | changes)


def add_encoder():
    known = known_bases()[ST]
    encoder = Encoder.objects.create(
        name=known.title, path="encoders/x", dims=384, max_tokens=256, sha256="0" * 64
    )
    return Base.objects.create(
        name=ST, title=known.title, kind="encoder", source="package", encoder=encoder, **ENDED
    )


def shelf(client):
    return client.get(reverse("base-list"))


def test_an_empty_shelf_names_what_can_be_fetched_and_three_ways_without_internet(theo, client_of):
    text = page_text(shelf(client_of(theo)))
    for known in known_bases().values():
        assert known.title in text
        assert known.package in text
        assert known.sha256 in text
    assert "Apache-2.0" in text
    assert "Without the internet" in text
    assert text.count("<li> ") >= 2
    assert "every 1s" not in text


def test_a_new_run_leads_to_the_shelf_and_offers_no_folder_where_none_is(
    theo, client_of, version, tmp_path, settings
):
    settings.OTTO_LOCAL_MODELS_DIR = tmp_path
    client = client_of(theo)
    page = client.get(reverse("run-new")).text
    assert f'href="{reverse("base-list")}"' in page
    assert "local_model" not in page
    (tmp_path / "carried").mkdir()
    assert ">carried</option>" in client.get(reverse("run-new")).text


def test_a_base_that_comes_is_followed_and_one_that_is_here_says_what_it_is(theo, client_of):
    add_model()
    order_known(known_bases()[ST], by=theo)
    base = claim(Base, Base.objects.get(name=ST).pk)
    Base.objects.filter(pk=base.pk).update(phase="fetching", bytes_done=41_000_000)
    text = page_text(shelf(client_of(theo)))
    assert "every 1s" in text
    assert "you can begin meanwhile" in text
    assert 'value="41000000"' in text
    assert "135 M weights" in text
    assert "8,192 tokens" in text
    assert "Without the internet" not in text
    for changes in ({"phase": "converting"}, {"phase": "fetching", "source": "local"}):
        Base.objects.filter(pk=base.pk).update(**changes)
        assert "you can begin meanwhile" not in page_text(shelf(client_of(theo)))


def test_one_that_could_not_be_fetched_says_why_and_is_fetched_again(theo, client_of):
    base = order_known(known_bases()[LM], by=None)
    failed = {"state": State.FAILED, "reason": NOT_FETCHED, "message": "No way out.", **ENDED}
    Base.objects.filter(pk=base.pk).update(**failed | {"state": State.FAILED})
    client = client_of(theo)
    assert "No way out." in page_text(shelf(client))
    answer = client.post(reverse("base-fetch", args=[LM]))
    assert answer.status_code == 302
    base.refresh_from_db()
    assert (base.state, base.message, base.created_by) == (State.QUEUED, "", theo)
    assert client.post(reverse("base-fetch", args=["no-such-base"])).status_code == 404


def test_a_start_orders_what_never_came_and_not_what_was_taken_away(theo, client_of):
    assert {base.name for base in order_missing()} == {LM, ST}
    assert order_missing() == []
    base = Base.objects.get(name=LM)
    assert client_of(theo).post(reverse("base-stop", args=[base.pk])).status_code == 302
    base.refresh_from_db()
    assert (base.state, base.reason) == (State.CANCELLED, DELETED)
    assert order_missing() == []


def test_a_base_that_nothing_uses_is_deleted_with_its_model(theo, client_of):
    base = add_model()
    client = client_of(theo)
    text = page_text(client.post(reverse("base-delete", args=[base.pk]), follow=True))
    assert "SmolLM2 135M Instruct is deleted" in text
    assert TrainedModel.objects.get().state == ModelState.DELETED
    assert AuditEntry.objects.filter(verb="base.deleted").exists()
    assert "Fetch" in page_text(shelf(client))
    order_known(known_bases()[LM], by=theo)
    base.refresh_from_db()
    assert base.state == State.QUEUED


def test_deleting_its_model_takes_the_base_off_the_shelf(theo, client_of):
    base = add_model()
    client_of(theo).post(reverse("model-delete", args=[base.model.pk]))
    base.refresh_from_db()
    assert (base.state, base.model) == (State.CANCELLED, None)


def test_a_base_that_a_run_began_with_is_refused_in_a_sentence(theo, client_of):
    base = add_model()
    order = toy_order(make_version())
    started = Order(order.name, order.spec, order.version, uuid4(), start_model=base.model)
    queue_run(started, created_by=theo)
    text = page_text(client_of(theo).post(reverse("base-delete", args=[base.pk]), follow=True))
    assert "is in use: " in text
    base.refresh_from_db()
    assert base.state == State.SUCCEEDED
    assert base.model.state == ModelState.READY


def test_an_encoder_is_deleted_and_a_base_on_its_way_is_not(theo, client_of):
    encoder, coming = add_encoder(), order_known(known_bases()[LM], by=None)
    client = client_of(theo)
    client.post(reverse("base-delete", args=[encoder.pk]))
    assert Encoder.objects.get().state == EncoderState.DELETED
    assert Encoder.objects.current() is None
    text = page_text(client.post(reverse("base-delete", args=[coming.pk]), follow=True))
    assert "is on its way. Stop it first" in text


def test_the_page_of_its_model_has_no_run_and_can_begin_one(theo, client_of, data_dir):
    base = add_model()
    text = page_text(client_of(theo).get(reverse("model-detail", args=[base.model.pk])))
    assert "SmolLM2 135M Instruct 1" in text
    assert reverse("run-new") + f"?start_model={base.model.pk}" in text


@pytest.mark.usefixtures("data_dir")
def test_a_small_file_comes_without_scripts_and_is_seen_as_coming(theo, client_of):
    client = client_of(theo)
    assert client.post(reverse("base-list"), {}).status_code == 422
    sent = SimpleUploadedFile("tiny.gguf", b"GGUF and more")
    text = page_text(client.post(reverse("base-list"), {"sent": sent}, follow=True))
    assert "tiny.gguf</bdi> has arrived and is looked into next" in text
    assert Upload.objects.get().purpose == Purpose.MODEL
    assert "tiny.gguf" not in page_text(client.get(reverse("upload-list")))


def test_what_lies_in_the_folder_is_offered_and_taken(theo, client_of, tmp_path, settings):
    settings.OTTO_LOCAL_MODELS_DIR = tmp_path
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    (tmp_path / "notes.txt").write_bytes(b"no model")
    client = client_of(theo)
    text = page_text(shelf(client))
    assert "small.gguf" in text
    assert "notes.txt" not in text
    client.post(reverse("base-take"), {"name": "small.gguf"})
    base = Base.objects.get()
    assert (base.spec, base.bytes_total) == ({"local": "small.gguf"}, 4)
    assert "Take it in" not in page_text(shelf(client))
    other = client.post(reverse("base-take"), {"name": "../notes.txt"}, follow=True)
    assert "There is no model" in page_text(other)


@pytest.mark.parametrize("name", ["base-stop", "base-delete"])
def test_the_ladder_of_a_base(name, theo, cora, client, client_of):
    base = add_model()
    url = reverse(name, args=[base.pk])
    assert client_of(theo).get(url).status_code == 405
    assert client_of(theo).post(reverse(name, args=[uuid4()])).status_code == 404
    assert client_of(cora).post(url).status_code == 403
    assert client.post(url).status_code == 302
    assert client_of(cora).get(reverse("base-list")).status_code == 403
    fragment = client_of(theo).get(reverse("base-list"), HTTP_HX_REQUEST="true").content
    assert b"<html" not in fragment


def test_the_number_of_queries_does_not_grow(theo, client_of, django_assert_max_num_queries):
    for number in range(12):
        Base.objects.create(name=f"b{number}", title=f"B {number}", source="upload", **ENDED)
    client = client_of(theo)
    with django_assert_max_num_queries(6):
        assert shelf(client).status_code == 200


def test_an_encoder_by_which_questions_are_looked_up_stays(theo, client_of):
    base, version = add_encoder(), make_version()
    Knowledge.objects.create(version=version, encoder=base.encoder)
    text = page_text(client_of(theo).post(reverse("base-delete", args=[base.pk]), follow=True))
    assert f"the knowledge of {version} was built with it" in text
    assert Encoder.objects.current() == base.encoder
