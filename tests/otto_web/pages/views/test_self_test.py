"""The self-test: a page for admins, and `manage.py doctor`."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest
from django.urls import reverse

from otto_web.pages.selectors import self_test
from tests.chat_app.makers import make_model

PARTS = {
    *("Database", "Tables", "Workers", "Models", "Base models", "Encoder", "Queue", "Live pages"),
    *("Storage", "Disk", "Memory", "File types", "Browser parts"),
}
COMPUTING = {"Training library", "Engine", "Tokenizer", "Readers of documents"}
LEAST = 4 << 30  # bytes of memory that a machine must have


@pytest.mark.django_db
def test_admins_see_every_part_and_what_to_do(client_of, ada, theo, redis_server, data_dir):
    page = client_of(ada).get(reverse("self-test"))
    found = {part.name: part for part in page.context["parts"]}
    assert set(found) == PARTS
    assert {found[name].state for name in ("Database", "Tables", "Storage")} == {"ok"}
    assert found["Live pages"].state == "ok"
    assert (found["Workers"].state, found["Base models"].state) == ("warn", "warn")
    assert "manage.py up" in page.text
    assert all(part.remedy for part in found.values() if part.state != "ok")
    assert client_of(theo).get(reverse("self-test")).status_code == 403


@pytest.mark.django_db
def test_what_fails_is_named_with_what_to_do(client_of, ada, redis_server, data_dir, settings):
    make_model("lost")
    settings.REDIS_URL = "redis://127.0.0.1:1"
    page = client_of(ada).get(reverse("self-test"))
    states = {part.name: part.state for part in page.context["parts"]}
    assert (states["Models"], states["Queue"]) == ("fail", "fail")
    assert "Failed: Models, Queue." in " ".join(page.text.split())
    assert "Restore the data folder" in page.text


def test_a_library_that_breaks_hides_no_other(monkeypatch):
    monkeypatch.setattr(self_test, "_tokenizer_folders", lambda: ["/gone"])
    found = {part.name: part for part in self_test.computing_parts()}
    assert set(found) == COMPUTING
    assert found["Tokenizer"].state == "fail"
    assert found["Engine"].state == "ok"


@pytest.mark.slow
@pytest.mark.checklist(195)
def test_the_doctor_passes_on_two_cores_without_a_gpu(
    client_of, ada, transactional_db, process_env, data_dir
):
    """And in less than the 4 GB of the smallest machine, all processes of it together."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
    cut = ("taskset", "-c", cores)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = subprocess.run(
        [*cut, sys.executable, "manage.py", "doctor", "--json"],
        env={**process_env, "CUDA_VISIBLE_DEVICES": "", "OTTO_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {part["name"] for part in told["parts"]} == PARTS | COMPUTING
    assert told["fail"] == 0
    peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024
    assert peak < LEAST / 2
    page = client_of(ada).post(reverse("self-test"))
    assert {part.name for part in page.context["parts"]} == PARTS | COMPUTING
    assert page.context["failed"] == []
    assert "Nothing failed. Every part was tried." in " ".join(page.text.split())
