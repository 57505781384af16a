"""What every page has around it: sidebar, look, title, errors."""

from __future__ import annotations

import re
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.test import Client, RequestFactory

from otto_web.lib.models import Profile
from otto_web.pages.views import errors
from tests.page_text import page_text


def labels(page):
    return re.findall(r'<li>\s*<a href="[^"]+"[^>]*>\s*<svg.*?</svg><span>(\w+)</span>', page)


def test_the_sidebar_shows_what_the_role_may_open(client_of, ada, mia):
    assert "People" in labels(client_of(ada).get("/status/").text)
    assert "People" not in labels(client_of(mia).get("/status/").text)
    assert "Status" in labels(client_of(mia).get("/status/").text)


@pytest.mark.slow
def test_no_page_takes_the_sidebar_away(client_of, mia):
    """A page's own value of the same name would stand in the frame's place."""
    wanted = labels(client_of(mia).get("/status/").text)
    for address in ("/", "/chat/", "/profile/", "/help/"):
        assert labels(client_of(mia).get(address).text) == wanted, address


def test_the_sidebar_says_where_one_is(client_of, mia):
    page = client_of(mia).get("/status/").text
    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == ["/status/"]


def test_a_visitor_sees_no_sidebar(client, db):
    assert '<nav class="sidebar"' not in client.get("/sign-in/").text


def test_title_and_heading_are_the_same_words(client_of, ada, mia):
    mia.first_name = "Mia & <b>Co</b>"
    mia.save()
    page = client_of(ada).get(f"/people/{mia.pk}/").text
    assert "<title>Mia &amp; &lt;b&gt;Co&lt;/b&gt; · OTTO</title>" in page
    assert "<h1><bdi>Mia &amp; &lt;b&gt;Co&lt;/b&gt;</bdi></h1>" in page


@pytest.mark.slow
def test_the_profile_is_kept_and_seen_on_the_next_page(client_of, mia):
    client = client_of(mia)
    look = {"theme": "dark", "zone": "Europe/Berlin", "is_compact": "0"}
    answer = client.post("/profile/", look, follow=True)
    assert "Saved." in answer.text
    assert 'data-theme="dark" data-density="roomy" data-zone="Europe/Berlin"' in page_text(answer)
    stored = Profile.objects.get(user=mia)
    assert (stored.theme, stored.is_compact, stored.keys_on) == ("dark", False, False)


def test_a_zone_that_is_none_is_refused_beside_the_field(client_of, mia):
    answer = client_of(mia).post("/profile/", {"theme": "dark", "zone": "Moon", "is_compact": "1"})
    assert answer.status_code == 422
    assert 'id="id_zone_error"' in answer.text
    assert not Profile.objects.exists()


def test_a_missing_page_says_so_without_more(client_of, mia):
    answer = client_of(mia).get("/nothing/here/")
    assert answer.status_code == 404
    assert "or it is not yours to see" in answer.text


def test_a_forged_form_is_refused_with_a_page(ada):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/sign-in/", {"username": "ada", "password": "x"})
    assert answer.status_code == 403
    assert "This form has grown old" in answer.text


def fail_with(fault, *_args, **_kwargs):
    raise fault


def request():
    found = RequestFactory().get("/")
    found.request_id = "abc12345"
    return found


def test_a_fault_of_ours_names_the_request(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = errors.server_error(request())
    assert answer.status_code == 500
    assert "abc12345" in answer.text


def test_while_the_database_is_away_the_page_comes_back_by_itself():
    try:
        fail_with(OperationalError)
    except OperationalError:
        answer = errors.server_error(request())
    assert answer.status_code == 503
    assert answer.headers["Refresh"] == "5"
    assert "nothing that was saved is lost" in answer.text


def test_django_finds_our_pages_for_its_own_errors(client, db, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("otto_web.pages.views.frame.respond", partial(fail_with, ValueError))
    assert "That is our fault" in client.get("/status/").text
    monkeypatch.setattr("otto_web.pages.views.frame.respond", partial(fail_with, PermissionDenied))
    assert "This needs rights" in client.get("/status/").text


@pytest.mark.parametrize("path", ["/", "/profile/", "/help/"])
def test_pages_of_the_team_send_visitors_to_sign_in(client, db, path):
    assert client.get(path).headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("path", ["/status/", "/help/"])
def test_pages_to_read_take_no_post(client_of, mia, path):
    assert client_of(mia).post(path).status_code == 405


def test_a_person_without_a_role_is_told_so_and_can_sign_out(client_of, mia):
    mia.groups.clear()
    answer = client_of(mia).get("/")
    assert answer.status_code == 403
    assert "role <strong>member</strong>" in page_text(answer)
    assert 'action="/sign-out/"' in answer.text
