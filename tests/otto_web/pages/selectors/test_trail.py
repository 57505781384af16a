"""The audit trail: complete, in sentences, found by person, verb and object."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from otto_web.lib import audit
from otto_web.lib.models import AuditEntry
from otto_web.pages.selectors.trail import PAGE_SIZE, VERBS, Chosen, trail_page
from tests.conftest import PASSWORD

RECORDED = re.compile(r"audit\.record\(\s*[\w.]+,\s*\"([^\"]+)\"|[vV]erb(?: =|=) ?\"([\w. ]+)\"")


def test_every_verb_that_is_recorded_has_words():
    sources = [path for app in ("otto_web", "datasets_app", "training_app", "chat_app")
               for path in (settings.BASE_DIR / app).rglob("*.py")]  # fmt: skip
    used = {one or other for path in sources for one, other in RECORDED.findall(path.read_text())}
    assert len(used) > 20
    assert used - set(VERBS) <= {"cancel", "stop"}  # what a run was told, not verbs of the trail


def test_signing_in_out_and_failing_is_recorded(client, ada, mia):
    client.post("/sign-in/", {"username": "mia", "password": "wrong"})
    client.post("/sign-in/", {"username": "my-pass-word", "password": "wrong"})
    client.post("/sign-in/", {"username": "mia", "password": PASSWORD})
    client.post("/sign-out/")
    lines = trail_page(Chosen())["lines"]
    assert [f"{line.who} {line.sentence}" for line in reversed(lines)] == [
        "somebody failed to sign in as mia",
        "somebody failed to sign in as an unknown name",
        "mia signed in as mia",
        "mia signed out as mia",
    ]
    assert lines[1].details == "address: 127.0.0.1"
    assert not AuditEntry.objects.filter(after__icontains="my-pass-word").exists()


@pytest.mark.slow
def test_the_trail_is_paged_and_found_by_person_verb_and_object(client_of, ada, mia, theo):
    for number in range(PAGE_SIZE + 5):
        audit.record(theo, "download", mia, after={"file": f"file-{number}.zip"})
    audit.record(ada, "person.link_made", mia)
    desk = client_of(ada)
    first = desk.get("/people/audit/").text
    assert "made a one-time link for mia" in first
    assert "link_made" not in re.sub(r'value="[^"]*"', "", first)
    older = re.search(r'rel="next" href="([^"]+)"', first).group(1).replace("&amp;", "&")
    rest = desk.get(older).text
    assert "file-0.zip" in rest
    assert "file-54.zip" not in rest
    assert "file-" not in desk.get("/people/audit/?person=ada").text
    assert "made a one-time link for mia" not in desk.get("/people/audit/?verb=download").text
    assert "made a one-time link" in desk.get(f"/people/audit/?object={mia.pk}").text
    assert "Nothing matches" in desk.get("/people/audit/?object=7").text


def test_one_wording_is_one_choice_and_finds_all_that_it_stands_for(client_of, ada, mia):
    for verb in ("delete", "model.deleted", "switch"):
        audit.record(ada, verb, mia, before={"name": "X"}, after={"name": "X"})
    desk = client_of(ada)
    page = desk.get("/people/audit/").text
    options = re.findall(r"<option [^>]*>([^<]+ …)<", page)
    assert len(options) == len(set(options)) == len(set(VERBS.values()))
    assert "X → X" not in page
    for verb in ("delete", "model.deleted"):
        lines = trail_page(Chosen.from_query({"verb": verb}))["lines"]
        assert [line.sentence for line in lines] == ["deleted mia"] * 2


@pytest.mark.slow
@pytest.mark.parametrize("person", ["theo", "mia"])
def test_the_trail_is_for_admins(request, client_of, person):
    assert client_of(request.getfixturevalue(person)).get("/people/audit/").status_code == 403
    assert Client().get("/people/audit/").status_code == 302
