"""The commands: they do what the pages do, with or without workers and an engine beside them."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import onnxruntime
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from transformers import AutoModelForCausalLM, AutoTokenizer

from chat_app.models import Chat, Deployment, LogEntry
from datasets_app.corpus.conversation import Turn
from tests.chat_app.conftest import add_model, engine_process
from tests.chat_app.serving.toys import CHATS
from tests.training_app.conftest import make_version
from training_app.lm.template import Template
from training_app.models import Export
from training_app.models.paths import absolute

pytestmark = pytest.mark.slow
QUESTION, ANSWER = CHATS[0]


@pytest.fixture(autouse=True)
def _own_servers(monkeypatch, process_env):
    """Let the commands find the suite's servers, as in an installation with its own ones."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, process_env[name])


def told(*arguments, **options):
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


@pytest.mark.checklist(200)
def test_deploy_proves_and_switches_by_itself(toy_model):
    figures = json.loads(told("deploy", "toy 1", "--as", "support", "--json"))
    assert figures["parity_max_error"] <= 1e-4
    assert figures["greedy_equal"]
    assert figures["calibration"]["decode_8"] > 0
    assert Deployment.objects.get(pk="support").model == toy_model


def test_what_a_version_knows_is_deployed_without_a_model(data_dir, ada):
    version = make_version()
    figures = json.loads(
        told("deploy", "--knowledge", version.name, "--quote", "--as", "faq", "--json")
    )
    assert figures == {"deployment": "faq", "knowledge": str(version), "mode": "quote"}
    assert Deployment.objects.get().knowledge.facts["pieces"] > 0
    question = version.dataset.conversations.first().turns[0]["text"]
    said = json.loads(told("chat", "faq", "--prompt", question, "--json"))
    assert said["finish"] == "quoted"
    assert f"quotes {version}" in told("deploy", "--knowledge", "toy v1", "--quote", "--as", "faq")


def test_a_model_gets_what_a_version_knows(toy_model, data_dir):
    version = make_version()
    told("deploy", "toy", "--knowledge", str(version.pk), "--as", "support")
    found = Deployment.objects.get()
    assert (found.model, found.mode, found.knowledge.version) == (toy_model, "write", version)


def test_a_name_without_a_number_is_the_newest(toy_model, data_dir, toy_folder):
    newest = add_model(data_dir, toy_folder)
    assert json.loads(told("deploy", "toy", "--as", "help", "--json"))["model"] == "toy 2"
    by_id = json.loads(told("deploy", str(newest.pk), "--as", "help", "--json"))
    assert by_id["model_id"] == str(newest.pk)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deploy", "ghost", "--as", "support"), "Models: toy 1"),
        (("deploy", "toy 9", "--as", "support"), "There is no model “toy 9”"),
        (("deploy", "toy", "--as", "Bad name"), "small letters"),
        (("deploy", "--as", "support"), "one of the two"),
        (("deploy", "toy", "--quote", "--knowledge", "toy v1", "--as", "faq"), "one of the two"),
        (("deploy", "--quote", "--as", "support"), "which version’s answers"),
        (("deploy", "--quote", "--knowledge", "ghost", "--as", "faq"), "no frozen version “ghost”"),
        (("chat", "nobody", "--prompt", "Hello"), "Deployments: none yet"),
        (("export_model", "ghost", "--format", "onnx", "--to", "new"), "There is no model"),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(arguments, words, toy_model, ada, tmp_path):
    arguments = [str(tmp_path / one) if one == "new" else one for one in arguments]
    with pytest.raises(CommandError, match=words):
        told(*arguments)


@pytest.mark.checklist(203, 204)
def test_chat_answers_without_an_engine_beside_it(deployment, ada):
    options = ("--prompt", QUESTION, "--temperature", "0", "--json")
    figures = json.loads(told("chat", "support", *options))
    assert figures["reply"] == ANSWER
    assert (figures["state"], figures["finish"]) == ("succeeded", "stop")
    assert figures["tokens_per_second"] > 0
    assert Chat.objects.get().owner == ada
    assert LogEntry.objects.count() == 1


@pytest.mark.checklist(207)
def test_chat_ends_at_the_longest_length(deployment, mia):
    options = ("--prompt", QUESTION, "--max-tokens", "5", "--user", "mia", "--json")
    figures = json.loads(told("chat", "support", *options))
    assert (figures["tokens"], figures["finish"]) == (5, "length")
    assert Chat.objects.get().owner == mia


@pytest.mark.parametrize("number", ["-1", "nan", "99"])
def test_chat_refuses_settings_out_of_range(number, deployment, ada):
    with pytest.raises(CommandError, match="temperature"):
        told("chat", "support", "--prompt", "Hello", f"--temperature={number}")


@pytest.mark.checklist(210)
def test_a_conversation_is_typed_and_ends_with_a_farewell(deployment, ada, process_env):
    typed = f"\n{QUESTION}\nquit\nnever asked\n"
    command = [sys.executable, "manage.py", "chat", "support", "--temperature", "0"]
    with engine_process(process_env):
        done = subprocess.run(
            command, input=typed, env=process_env, text=True, capture_output=True, timeout=120,
            check=True,
        )  # fmt: skip
    assert done.stdout == f"{ANSWER}\n"
    assert Chat.objects.get().messages.count() == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # optimum traces the older way
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.filterwarnings("ignore:Exporting aten:UserWarning")
@pytest.mark.checklist(197, 200)
def test_a_model_is_exported_in_each_format(toy_model, tmp_path):
    folders = {name: tmp_path / name for name in ("serving", "onnx", "huggingface")}
    for name, folder in folders.items():
        told("export_model", "toy", "--format", name, "--to", str(folder))
    assert Export.objects.get().parity_max <= 1e-4
    (served,) = (folders["serving"] / "serving").iterdir()
    for file in (folders["onnx"] / "model.onnx", served):
        onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    assert (folders["onnx"] / "tokenizer.json").exists()
    model = AutoModelForCausalLM.from_pretrained(folders["huggingface"])
    turns = [{"role": "user", "content": f"{QUESTION} <|end|>"}]
    for folder in folders.values():  # the calls that everybody writes, whichever papers they hold
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert model.generate(**tokenizer(QUESTION, return_tensors="pt"), max_new_tokens=3).numel()
        ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        typed = Turn("user", turns[0]["content"])
        assert ids == Template.open(absolute(toy_model.path)).prompt([typed]).ids
    assert not (folders["huggingface"] / "serving").exists()


def test_an_export_leaves_a_full_folder_alone(toy_model, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CommandError, match="Name a new or an empty folder"):
        told("export_model", "toy", "--format", "huggingface", "--to", str(tmp_path))
