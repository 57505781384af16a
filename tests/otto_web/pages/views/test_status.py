"""The page that says how the installation is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from otto_web.lib.models import ProcessBeat
from otto_web.pages.selectors import diagnostics

HTMX = {"HX-Request": "true"}


def beat(kind, **more):
    now = timezone.now()
    beats = {"host": "box", "pid": 7, "pid_started_at": 1.0, "seen_at": now, **more}
    return ProcessBeat.objects.create(kind=kind, **beats)


def test_a_visitor_learns_that_pages_work_and_nothing_else(client, db):
    beat("engine", doing="a secret run")
    page = client.get("/status/").text
    assert "OTTO answers" in page
    assert "secret" not in page
    assert "Versions" not in page


@pytest.mark.checklist(2)
def test_the_team_sees_processes_servers_detectors_and_versions(client_of, mia, ada, redis_server):
    beat("engine", doing="three chats", state="busy")
    assert '<th scope="col">Where</th>' in client_of(ada).get("/status/").text
    page = client_of(mia).get("/status/").text
    assert '<th scope="col">Where</th>' not in page
    assert "three chats" in page
    assert "PostgreSQL 1" in page
    assert "Leading bytes" in page
    assert "libmagic" in page
    assert "onnxruntime" in page
    assert re.search(r"<strong>Redis</strong>.*?<span>up</span>", page, re.DOTALL)


def test_a_kind_without_a_process_is_down_and_says_what_to_do(client_of, mia):
    beat("train", seen_at=timezone.now() - timedelta(hours=1))
    page = client_of(mia).get("/status/").text
    row = re.search(r'<th scope="row">train</th>(.*?)</tr>', page, re.DOTALL)[1]
    assert "<span>down</span>" in row
    assert "manage.py up" in row


def test_a_dead_redis_is_named_with_its_remedy(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    found = diagnostics.PARTS[1]()
    assert (found.state, found.figures) == ("down", "does not answer")
    assert "Until then work starts late" in found.remedy


def test_a_full_disk_is_named_with_its_remedy(settings):
    settings.OTTO_DISK_RESERVE_BYTES = 10**18
    assert diagnostics.PARTS[2]().state == "low"


@pytest.mark.checklist(2)
def test_without_libmagic_the_page_names_the_package(monkeypatch):
    monkeypatch.setattr(diagnostics, "LIBMAGIC", "")
    states = {part.name: part for part in diagnostics.detectors()}
    assert states["Leading bytes"].state == "up"
    assert states["libmagic"].state == "off"
    assert "libmagic1" in states["libmagic"].remedy


def test_the_page_keeps_itself_fresh_by_its_fragment(client_of, mia):
    part = client_of(mia).get("/status/", headers=HTMX).text
    assert part.lstrip().startswith('<div id="status-parts"')
    assert 'hx-trigger="every 5s"' in part
