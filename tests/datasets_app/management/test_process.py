"""`manage.py process`: texts in a folder become conversations."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from datasets_app.models import Conversation
from tests.datasets_app.views.test_passages import FOLDER, MORE, TEXT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def given_servers(monkeypatch, postgres_server, redis_server):
    monkeypatch.setenv("DATABASE_URL", postgres_server.url())
    monkeypatch.setenv("REDIS_URL", redis_server)


def told_by(*words):
    said = io.StringIO()
    call_command("process", *map(str, words), "--json", stdout=said)
    return json.loads(said.getvalue().splitlines()[-1])


@pytest.mark.slow
@pytest.mark.checklist(271, 272, 278)
@pytest.mark.usefixtures("redis_server", "data_dir", "given_servers")
def test_a_folder_becomes_a_dataset_of_that_name(tmp_path):
    for name, body in FOLDER.items():
        (tmp_path / name).write_bytes(body)
    asked = ("--prompt-template", "{category}: {topic} ({source})", "--category", "Help")
    told = told_by(tmp_path, "--output", "Shop", *asked, "--source", "us", "--no-randomize")
    assert (told["dataset"], told["files"], told["too_short"]) == ("Shop", 3, 1)
    assert told["left_out"][0]["file"] == "returns.md"
    rows = Conversation.objects.filter(dataset__name="Shop", is_passage=False)
    said = {row.turns[0]["text"]: row.turns[1]["text"] for row in rows}
    assert said["Help: Returns (us)"] == f"{MORE} {MORE}"
    assert said["Help: Payment (us)"] == f"{TEXT}\n\n{MORE}"
    with pytest.raises(CommandError, match="There is no column"):
        told_by(tmp_path, "--prompt-template", "{{subject}}")
