"""A format that is only in the registry is known to page, job, download and command."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from otto_web.lib.files import UNFINISHED
from otto_web.lib.work.claims import claim, finish, order_anew
from tests.chat_app.makers import make_served
from training_app import sweeps
from training_app.jobs import exports
from training_app.lm.exports.parity import ParityError, ParityReport
from training_app.lm.exports.registry import FORMATS, ExportFormat
from training_app.models import Export
from training_app.models.paths import absolute
from training_app.services.folders import stray_exports
from training_app.services.trained_models import delete_model

pytestmark = pytest.mark.django_db(transaction=True)
WRONG, TAKEN = "wrong", "taken"


def build(folder, target, prompts):
    """Write the prompts down; a model with a file of such a name differs, or is ordered anew."""
    if (folder / TAKEN).exists():
        (folder / TAKEN).unlink()
        order_anew(Export.objects.all())
    if (folder / WRONG).exists():
        raise ParityError("The letters differ from torch. They are not offered.")
    (target / "letters.json").write_text(json.dumps([list(ids) for ids in prompts]))
    return ParityReport(prompts=len(prompts), largest_error=0.0, greedy_tokens=7)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    letters = ExportFormat(
        "Letters", "Nobody opens it.", f"{__name__}:build", suffix="-abc", main_file="letters.json"
    )
    monkeypatch.setitem(FORMATS, "letters", letters)


@pytest.mark.slow
def test_it_is_ordered_built_and_downloaded_on_the_page(toy_model, theo, client_of):
    client, page = client_of(theo), reverse("model-exports", args=[toy_model.pk])
    assert "Nobody opens it." in client.get(page).content.decode()
    order = {"format": "letters"}
    client.post(reverse("model-export-order", args=[toy_model.pk]), order)
    assert "Waits for a worker." in client.get(page).content.decode()
    exports.build_export(Export.objects.get().pk)
    assert "7 equal" in client.get(page).content.decode()
    url = reverse("model-export-download", args=[toy_model.pk, "letters"])
    answer = client.get(url)
    assert b"letters.json" in b"".join(answer.streaming_content)
    assert '-abc.zip"' in answer["Content-Disposition"]


def test_one_that_differs_is_a_sentence_and_never_offered(toy_model, theo, client_of):
    (absolute(toy_model.path) / WRONG).write_text("")
    client, page = client_of(theo), reverse("model-exports", args=[toy_model.pk])
    client.post(reverse("model-export-order", args=[toy_model.pk]), {"format": "letters"})
    exports.build_export(Export.objects.get().pk)
    assert "The letters differ from torch." in client.get(page).content.decode()
    url = reverse("model-export-download", args=[toy_model.pk, "letters"])
    assert client.get(url).status_code == 404


def test_what_a_worker_left_that_lost_its_lease_is_removed_and_nothing_else(
    toy_model, theo, monkeypatch
):
    (absolute(toy_model.path) / TAKEN).write_text("")
    export = Export.objects.create(model=toy_model, format="letters")
    for _ in range(2):
        exports.build_export(export.pk)
    export.refresh_from_db()
    good, lost = absolute(export.path), absolute(export.path).with_name("letters-f1")
    running = claim(Export, Export.objects.create(model=toy_model, format="more").pk)
    unfinished = absolute(f"{running.folder}{UNFINISHED}")
    killed = unfinished.with_name(f"letters-f0{UNFINISHED}")
    for folder in (unfinished, killed):
        folder.mkdir()
    assert lost.is_dir()
    monkeypatch.setattr(sweeps, "_folders_looked_at", float("-inf"))
    sweeps.remove_stale_folders(timezone.now())
    assert set(good.parent.iterdir()) == {good, unfinished}
    finish(running)
    delete_model(toy_model, actor=theo)
    assert set(stray_exports()) == {good, unfinished}


def test_the_command_writes_it(toy_model, tmp_path, monkeypatch, process_env):
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, process_env[name])
    said = StringIO()
    to = str(tmp_path / "out")
    call_command("export_model", "toy", "--format", "letters", "--to", to, "--json", stdout=said)
    assert json.loads(said.getvalue())["parity_max_error"] == 0.0
    assert (tmp_path / "out" / "letters.json").exists()


def test_an_order_of_an_older_release_ends_with_a_sentence(db):
    export = Export.objects.create(model=make_served().model, format="clay")
    exports.build_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.message) == (
        *("failed", "This OTTO writes no “clay” files any more."),
    )


def test_every_format_that_is_built_has_its_function():
    built = [one for one in FORMATS.values() if one.is_built]
    assert all(callable(one.load()) and one.main_file and one.suffix for one in built)
