"""The pages about web addresses: ordering, watching, stopping, and what they refuse."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from datasets_app.jobs.web import fetch_pages
from datasets_app.models import PageState, WebFetch, WebPage
from datasets_app.services.web import Wanted, order_fetch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server", "data_dir")]
NEW = reverse("web-new")
FORM = {
    "addresses": "example.org/help\n\nhttps://example.org/faq#top\nhttps://example.org/faq\n",
    "follows": "1",
    "most_pages": "30",
    "most_depth": "3",
    "pause_seconds": "1.5",
    "page_seconds": "20",
    "shortest": "80",
}


@pytest.fixture
def fetch(cora):
    return order_fetch(Wanted(("https://example.org/", "https://example.org/b")), by=cora)


def test_a_curator_orders_pages_of_a_site(client_of, cora):
    answer = client_of(cora).post(NEW, FORM)
    found = WebFetch.objects.get()
    assert answer.url == reverse("web-detail", args=[found.pk])
    assert found.addresses == ["https://example.org/help", "https://example.org/faq"]
    assert (found.follows, found.most_pages, found.most_depth) == (True, 30, 3)
    assert (found.pause_seconds, found.page_seconds, found.shortest) == (1.5, 20.0, 80)
    assert found.pages.filter(state=PageState.QUEUED).count() == 2


def test_who_names_more_pages_than_the_limit_gets_all_of_them(client_of, cora):
    named = "\n".join(f"https://example.org/{n}" for n in range(40))
    client_of(cora).post(NEW, FORM | {"addresses": named, "follows": ""})
    assert WebFetch.objects.get().most_pages == 40


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"addresses": ""}, "Name at least one address."),
        ({"addresses": "https://e.org/\nfile:///etc/passwd"}, "Line 2:"),
        ({"addresses": "http://a:b@e.org/"}, "a name and a password"),
        ({"addresses": "\n".join(f"e.org/{n}" for n in range(501))}, "At most 500"),
        ({"pause_seconds": "0"}, "greater than or equal to 0.2"),
        ({"pause_seconds": "nan"}, "Enter a number."),
        ({"most_pages": "2001"}, "less than or equal to 2000"),
        ({"dataset": str(uuid.uuid4())}, "no longer there"),
    ],
)
def test_what_cannot_work_is_said_and_keeps_what_was_typed(client_of, cora, changes, words):
    answer = client_of(cora).post(NEW, FORM | changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not WebFetch.objects.exists()
    assert 'value="80"' in answer.content.decode()


def test_where_fetching_is_switched_off_the_page_says_so(client_of, cora, settings):
    settings.OTTO_WEB_PAGES = False
    assert b"OTTO_WEB_PAGES=0" in client_of(cora).get(NEW).content
    assert client_of(cora).post(NEW, FORM).status_code == 422
    assert not WebFetch.objects.exists()


def test_a_fetch_shows_its_pages_and_why_some_are_left_out(client_of, cora, fetch):
    WebPage.objects.filter(address__endswith="b").update(
        state=PageState.LEFT_OUT, reason="gone", status=404, title="Moved <b>"
    )
    at = reverse("web-detail", args=[fetch.pk])
    text = client_of(cora).get(at).content.decode()
    assert "The site says that there is no such page." in text
    assert "(404)" in text
    assert "Moved &lt;b&gt;" in text
    assert "every 2s" in text
    only = client_of(cora).get(f"{at}?show=gone").content.decode()
    assert "https://example.org/b" in only
    assert "https://example.org/<" not in only
    part = client_of(cora).get(at, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="web-pages"')


def test_a_person_stops_or_drops_it_once(client_of, cora, fetch):
    at = reverse("web-detail", args=[fetch.pk])
    client_of(cora).post(at, {"do": "stop"})
    fetch.refresh_from_db()
    assert fetch.is_stopped
    client_of(cora).post(at, {"do": "cancel"})
    fetch.refresh_from_db()
    assert fetch.state == "cancelled"
    answer = client_of(cora).post(at, {"do": "cancel"}, follow=True)
    assert b"Nothing was changed" in answer.content
    assert client_of(cora).post(at, {"do": "<script>"}).status_code == 302


def test_who_tries_again_gets_another_attempt(client_of, cora, fetch, settings):
    settings.OTTO_WEB_PAGES = False
    fetch_pages(fetch.pk)
    at = reverse("web-detail", args=[fetch.pk])
    assert b"Try again" in client_of(cora).get(at).content
    client_of(cora).post(at, {"do": "retry"})
    fetch.refresh_from_db()
    assert (fetch.state, fetch.message) == ("queued", "")


def test_members_and_strangers_are_kept_out(client_of, mia, cora, client, fetch):
    for at in (NEW, reverse("web-detail", args=[fetch.pk])):
        assert client_of(mia).get(at).status_code == 403
        assert client.get(at).status_code == 302
        assert client_of(cora).put(at).status_code == 405
    assert client_of(cora).get(reverse("web-detail", args=[uuid.uuid4()])).status_code == 404


def test_the_page_of_uploads_leads_there(client_of, cora):
    assert f'href="{NEW}"' in client_of(cora).get(reverse("upload-list")).content.decode()


@pytest.mark.slow
def test_many_pages_cost_no_more_queries(client_of, cora, fetch, django_assert_max_num_queries):
    behind = fetch.pages.first()
    WebPage.objects.bulk_create(
        WebPage(fetch=fetch, address=f"https://e.org/{n}", host="e.org", found_on=behind)
        for n in range(90)
    )
    client = client_of(cora)
    with django_assert_max_num_queries(14):
        text = client.get(reverse("web-detail", args=[fetch.pk])).content.decode()
    assert text.count("https://e.org/") == 90
