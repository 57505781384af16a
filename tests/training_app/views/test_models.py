"""The pages of models and their downloads."""

from __future__ import annotations

import io
import json
import zipfile
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from training_app.models import ModelState, Tokenizer, TrainedModel, paths

POSTS = ["model-delete"]
GETS = ["model-detail", "model-download"]


@pytest.fixture
def model(queued_run, theo, data_dir):
    """A model's row with a small folder behind it."""
    model_id = uuid4()
    folder = paths.absolute(f"models/{model_id}")
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"\0" * 600_000)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "otto.json").write_text(json.dumps({"files": {"config.json": "ab" * 32}}))
    tokenizer = Tokenizer.objects.create(
        vocab_size=500, path="x", sha256="0" * 64, version=queued_run.version
    )
    return TrainedModel.objects.create(
        pk=model_id,
        name="Support <b>bot</b>",
        number=1,
        run=queued_run,
        tokenizer=tokenizer,
        family="llama",
        params=12_345,
        context=32,
        path=paths.relative(folder),
        manifest_sha256="cd" * 32,
        created_by=theo,
    )


@pytest.mark.checklist(188, 402)
def test_a_model_downloads_as_a_zip_with_everything_in_it(model, theo, client_of):
    answer = client_of(theo).get(reverse("model-download", args=[model.pk]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    names = {name.split("/", 1)[1] for name in archive.namelist()}
    assert names == {"model.safetensors", "config.json", "tokenizer.json", "otto.json"}
    assert archive.testzip() is None
    assert 'filename="support-bbotb-1.zip"' in answer["Content-Disposition"]


@pytest.mark.checklist(7)
def test_a_model_shows_context_files_with_hashes_and_its_name_as_text(model, theo, client_of):
    page = client_of(theo).get(reverse("model-detail", args=[model.pk])).content.decode()
    assert "<dt>context</dt><dd>32</dd>" in page
    assert "ab" * 32 in page
    assert "cd" * 32 in page
    assert "Support &lt;b&gt;bot&lt;/b&gt; 1" in page


def test_the_list_names_the_model_and_offers_htmx_its_fragment(model, theo, client_of):
    client = client_of(theo)
    assert "12.3 k" in client.get(reverse("model-list")).content.decode()
    part = client.get(reverse("model-list"), HTTP_HX_REQUEST="true").content
    assert b"<html" not in part


@pytest.mark.parametrize("name", [*GETS, *POSTS])
def test_the_ladder_of_a_model(name, model, theo, cora, client, client_of):
    url, stranger = reverse(name, args=[model.pk]), reverse(name, args=[uuid4()])
    trainer, curator = client_of(theo), client_of(cora)
    method, other = ("post", "get") if name in POSTS else ("get", "post")
    assert getattr(trainer, other)(url).status_code == 405
    assert getattr(trainer, method)(stranger).status_code == 404
    assert getattr(curator, method)(url).status_code == 403
    assert getattr(client, method)(url).status_code == 302


def test_a_deleted_model_is_gone_from_every_page(model, theo, client_of):
    client = client_of(theo)
    client.post(reverse("model-delete", args=[model.pk]))
    model.refresh_from_db()
    assert model.state == ModelState.DELETED
    assert client.get(reverse("model-detail", args=[model.pk])).status_code == 404


def test_a_model_that_another_run_continues_is_kept(model, theo, client_of, queued_run):
    type(queued_run).objects.filter(pk=queued_run.pk).update(start_model=model)
    answer = client_of(theo).post(reverse("model-delete", args=[model.pk]), follow=True)
    assert "in use: the run “toy” begins with it." in answer.content.decode()
    model.refresh_from_db()
    assert model.state == ModelState.READY


@pytest.mark.slow
def test_a_model_that_a_run_of_the_past_began_with_can_be_deleted(
    model, theo, client_of, queued_run
):
    runs = type(queued_run).objects.filter(pk=queued_run.pk)
    runs.update(start_model=model, state="running")
    runs.update(state="succeeded", finished_at=timezone.now())
    client = client_of(theo)
    page = client.post(reverse("model-delete", args=[model.pk]), follow=True).content.decode()
    assert "is deleted" in page
    for name, at in (("run-list", []), ("run-detail", [queued_run.pk])):
        page = client.get(reverse(name, args=at)).content.decode()
        assert "(deleted)" in page
        assert str(model.pk) not in page, "a page offers a model that is not there"
    page = client.post(reverse("run-again", args=[queued_run.pk]), follow=True).content.decode()
    assert "was deleted meanwhile. Choose another model." in page
    assert runs.model.objects.count() == 1
