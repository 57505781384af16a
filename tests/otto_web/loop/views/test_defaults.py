"""Team defaults of the one-click loop, and settings files of the earlier pipeline."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.html import strip_tags

from datasets_app.models import Provider
from otto_web.lib.models import AuditEntry
from otto_web.loop.management.commands import pipeline as command
from otto_web.loop.models import Pipeline, TeamDefault
from otto_web.loop.selectors.config_env import read_config
from tests.chat_app.makers import make_model

pytestmark = pytest.mark.django_db(transaction=True)
CONFIG = """\
# of the earlier pipeline
PIPELINE_INPUT_DIR=./documents
PIPELINE_CHUNKS_DIR=./chunks
PIPELINE_QA_DIR=./qa
PIPELINE_LLM_PROVIDER=local
PIPELINE_LLM_MODEL="small-one"   # quoted
PIPELINE_QUESTIONS_PER_CHUNK=5
FILTER_THRESHOLD=7.5
FINETUNE_MODEL_NAME=some/small
FINETUNE_MODEL_TYPE=llama
FINETUNE_OUTPUT_DIR=./models/Answers
EXPORT_MODEL_PATH=./models/Answers
EXPORT_MODEL_NAME=My Bot v1.0
EXPORT_OUTPUT_DIR=./exports
EXPORT_SYSTEM_PROMPT=Be brief.
EXPORT_SKIP_MERGE=false
NUM_TRAIN_EPOCHS=2
OPTIMIZER=adamw_torch_fused
SAVE_STEPS=25
LOGGING_STEPS=5
USE_FP16=false
USE_BF16=true
MAX_GRAD_NORM=0.3
GROUP_BY_LENGTH=true
LR_SCHEDULER_TYPE=cosine
SAVE_TOTAL_LIMIT=3
GRADIENT_CHECKPOINTING=true
TEST_MODEL_AFTER_TRAINING=true
TEST_MAX_NEW_TOKENS=200
ODD_THING=1
"""
TAKEN = {
    "llm_model": "small-one",
    "provider": "",
    "questions": "5",
    "threshold": "7.5",
    "model_name": "Answers",
    "alias": "my-bot-v10",
    "system_prompt": "Be brief.",
    "epochs": "2",
    "optimizer": "adamw",
    "checkpoint_every": "25",
    "precision": "bf16",
    "max_grad_norm": "0.3",
    "schedule": "cosine",
    "keep_last": "3",
}


def words_of(answer):
    return " ".join(strip_tags(answer.text).split())


@pytest.fixture
def environment(monkeypatch, process_env):
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, process_env[name])


def test_every_key_of_a_settings_file_is_taken_or_answered_for():
    model = make_model("small")
    read = read_config(CONFIG)
    assert read.values == {**TAKEN, "way": str(model.pk)}
    assert set(read.folders) == {"folder", "chunks_dir", "pairs_dir", "export_dir"}
    left = {line.given: line.why for line in read.left}
    assert set(left) == {
        *("FINETUNE_MODEL_TYPE", "EXPORT_MODEL_PATH", "EXPORT_SKIP_MERGE", "LOGGING_STEPS"),
        *("USE_FP16", "GROUP_BY_LENGTH", "GRADIENT_CHECKPOINTING", "TEST_MODEL_AFTER_TRAINING"),
        *("TEST_MAX_NEW_TOKENS", "ODD_THING"),
    }
    assert left["ODD_THING"] == "OTTO knows no such setting"
    assert all(left.values())
    Provider.objects.create(name="House", kind="openai", base_url="https://e.org", model="m")
    told = read_config("PIPELINE_LLM_PROVIDER=openai\nFINETUNE_MODEL_NAME=gone\nCHUNK_SIZE=600")
    assert told.values == {"provider": str(Provider.objects.get().pk), "chunk_size": "600"}
    assert "there is no model “gone” here" in told.left[0].why
    nobody = read_config("PIPELINE_LLM_PROVIDER=claude").left[0].why
    assert "an admin adds it on the page Providers first" in nobody


@pytest.mark.checklist(311, 358)
def test_this_run_counts_before_the_team_and_the_team_before_what_is_built_in(
    client_of, cora, theo, data_dir
):
    curator, trainer = client_of(cora), client_of(theo)
    page, form = reverse("pipeline-defaults"), reverse("pipeline-new")
    sent = {"read": "1", "config_file": SimpleUploadedFile("config.env", CONFIG.encode())}
    answer = curator.post(page, sent)
    told = words_of(answer)
    assert "15 lines" not in told
    assert "ODD_THING" in told
    assert "FILTER_THRESHOLD: It is learned from, from this score on 7.5" in told
    assert not TeamDefault.objects.exists()  # nothing is saved by reading
    filled = {name: field.value() or "" for name, field in _bound(answer).items()}
    assert filled["alias"] == "my-bot-v10"
    assert curator.post(page, {**filled, "questions": "0"}).status_code == 422
    curator.post(page, filled)
    assert TeamDefault.objects.get(name="threshold").value == "7.5"
    assert AuditEntry.objects.get(verb="set defaults").after["questions"] == "5"
    fresh = trainer.get(form)
    shown = words_of(fresh)
    assert "Team’s default: 5. Built-in: 3." in shown  # questions
    assert "Built-in: 1000." in shown  # chunk size, of which the team says nothing
    assert fresh.context["form"]["questions"].value() == "5"
    values = {name: field.value() or "" for name, field in _bound(fresh).items()}
    own = {**values, "questions": "4", "way": "tiny"}
    answer = trainer.post(form, own)
    made = Pipeline.objects.get()
    said = made.options["came_from"]
    assert (said["questions"], said["threshold"], said["batch_size"]) == (
        "this run",
        "team",
        "built-in",
    )
    assert (made.options["max_grad_norm"], made.options["alias"]) == (0.3, "my-bot-v10")
    page_of_it = words_of(trainer.get(answer["Location"]))
    assert "0.3 (team)" in page_of_it
    assert "4 (built-in)" in page_of_it
    curator.post(page, dict.fromkeys(filled, ""))  # empty: no default any more
    assert not TeamDefault.objects.exists()


def _bound(answer):
    form = answer.context["form"]
    return {field.name: field for field in form.visible_fields() if field.name != "uploads"}


def test_a_file_fills_the_form_of_one_run_and_keeps_what_was_typed(client_of, theo):
    sent = {"read": "1", "config_text": "PIPELINE_QUESTIONS_PER_CHUNK=4\nPIPELINE_INPUT_DIR=x"}
    answer = client_of(theo).post(reverse("pipeline-new"), {**sent, "model_name": "Mine"})
    form = answer.context["form"]
    assert (form["questions"].value(), form["model_name"].value()) == ("4", "Mine")
    assert "--config takes it" in words_of(answer)
    assert not Pipeline.objects.exists()
    for text in ("", "{", "x" * 20_000):
        bad = client_of(theo).post(reverse("pipeline-new"), {"read": "1", "config_text": text})
        assert bad.status_code == 422


def test_a_default_that_names_what_is_gone_is_left_out(client_of, theo):
    TeamDefault.objects.create(name="way", value=str(uuid4()))
    page = client_of(theo).get(reverse("pipeline-new"))
    assert "way" not in page.context["form"].team


@pytest.mark.checklist(358)
def test_the_command_shows_whose_word_each_option_is(environment, theo, tmp_path):
    TeamDefault.objects.create(name="passing", value="9")
    TeamDefault.objects.create(name="questions", value="6")
    file = tmp_path / "config.env"
    file.write_text(CONFIG)
    out = io.StringIO()
    told = {"config": file, "show_settings": True, "chunk_size": 700, "stdout": out}
    call_command("pipeline", **told)
    lines = out.getvalue().splitlines()
    assert any(line.startswith("--chunk-size: 700 (this run; team: -") for line in lines)
    by_file = "--questions-per-chunk: 5 (this run: config.env; team: 6, built-in: 3)"
    assert any(line.startswith(by_file) for line in lines)
    assert any(line.startswith("--validation-threshold: 9.0 (team; ") for line in lines)
    assert any(line.startswith("--epochs: 2.0 (this run: config.env") for line in lines)
    assert "not taken: ODD_THING (OTTO knows no such setting)" in lines
    assert not Pipeline.objects.exists()
    file.write_text("PIPELINE_QUESTIONS_PER_CHUNK=many")
    with pytest.raises(CommandError, match="Questions for each chunk"):
        call_command("pipeline", config=file, show_settings=True)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("pipeline", config=tmp_path / "gone", show_settings=True)


def test_a_length_of_this_run_counts_instead_of_the_teams(
    environment, client_of, cora, theo, tmp_path
):
    TeamDefault.objects.create(name="minutes", value="10")
    file, form = tmp_path / "config.env", reverse("pipeline-new")
    file.write_text("NUM_TRAIN_EPOCHS=3")
    for told in ({"config": file}, {"epochs": 3.0}):
        out = io.StringIO()
        call_command("pipeline", show_settings=True, stdout=out, **told)
        assert "--minutes: - (built-in; team: 10.0" in out.getvalue()
        assert "--epochs: 3.0 (this run" in out.getvalue()
    trainer = client_of(theo)
    read = trainer.post(form, {"read": "1", "config_text": "NUM_TRAIN_EPOCHS=3", "minutes": "10"})
    assert (_bound(read)["epochs"].value(), _bound(read)["minutes"].value()) == ("3", "")
    for epochs, lengths in (("5", (5.0, None)), ("3", (3.0, 10.0))):  # typed, and left as it was
        trainer.post(form, {"way": "base", "epochs": epochs, "minutes": "10"})
        made = Pipeline.objects.latest("queued_at")
        assert (made.options["epochs"], made.options["minutes"]) == lengths


def test_saving_leaves_defaults_alone_that_the_page_cannot_show(client_of, cora):
    model = str(make_model("small").pk)
    off = Provider.objects.create(
        name="House", kind="openai", base_url="https://e.org", model="m", is_on=False
    )
    for name, value in (("way", model), ("provider", str(off.pk)), ("questions", "5")):
        TeamDefault.objects.create(name=name, value=value)
    curator, page = client_of(cora), reverse("pipeline-defaults")
    sent = {name: field.value() or "" for name, field in _bound(curator.get(page)).items()}
    assert (sent["way"], sent["provider"]) == ("", "")
    answer = curator.post(page, {**sent, "questions": ""}, follow=True)
    assert "Saved: 1 changed." in words_of(answer)
    assert "Kept, though this page cannot show it: Base model, " in words_of(answer)
    assert set(TeamDefault.objects.values_list("name", flat=True)) == {"way", "provider"}
    curator.post(page, {"way": "base"})  # a partial form empties nothing
    assert TeamDefault.objects.get(name="way").value == "base"
    assert TeamDefault.objects.filter(name="provider").exists()


def test_pages_may_be_quoted_and_count_instead_of_the_files_folder(
    environment, theo, tmp_path, monkeypatch, settings
):
    settings.OTTO_WEB_PAGES = True
    file, orders = tmp_path / "config.env", []
    (tmp_path / "documents").mkdir()
    file.write_text("PIPELINE_INPUT_DIR=./documents")
    monkeypatch.setattr(command, "run_here", lambda _, order, *rest, **more: orders.append(order))
    call_command("pipeline", config=file, web=["https://example.org/help"], quote=True)
    call_command("pipeline", config=file)
    begun = [(one.documents.addresses, one.documents.folder) for one in orders]
    assert begun == [(("https://example.org/help",), ""), ((), str(tmp_path / "documents"))]
    assert [one.documents.quotes for one in orders] == [True, False]
    with pytest.raises(CommandError, match="--quote needs --documents or --web"):
        call_command("pipeline", quote=True)


def test_only_curators_change_what_the_team_begins_with(client_of, client, mia):
    page = reverse("pipeline-defaults")
    assert client_of(mia).get(page).status_code == 403
    assert client.get(page).status_code == 302
