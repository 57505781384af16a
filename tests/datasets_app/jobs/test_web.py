"""Pages of a site become an upload, whoever dies on the way and whatever the site does."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from datasets_app.jobs import web as jobs
from datasets_app.jobs.importing import import_upload
from datasets_app.jobs.web import fetch_pages
from datasets_app.models import Blob, Conversation, PageState, WebFetch, WebPage
from datasets_app.models.blob import blob_path
from datasets_app.services import blobs
from datasets_app.services.web import (
    NOTHING_KEPT,
    OFFLINE,
    Wanted,
    cancel_fetch,
    order_fetch,
    retry_fetch,
    stop_fetch,
)
from otto_web.lib.work.claims import LostLease
from tests.datasets_app.web_server import page, redirect, send, serving, status

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, django
django.setup()
from datasets_app.jobs.web import fetch_pages
fetch_pages(sys.argv[1])
"""
FIRST = "Parcels leave our warehouse on the day of the order and arrive within two working days."
SECOND = "Send it back within thirty days, unused, and the money is with you after one more week."
THIRD = "Our shop in the old town is open from nine to six, and on Saturdays until one o'clock."


@pytest.fixture
def site(settings):
    settings.OTTO_WEB_INTERNAL_HOSTS = ["127.0.0.1"]
    pages = {
        "/": page("Help", FIRST, links=("/returns", "shop", "javascript:void(0)")),
        "/returns": page("Returns", SECOND, links=("/", "/photo.jpg", "http://elsewhere.example/")),
        "/shop": page("Shop", THIRD, links=("/private/x", "/gone", "/again", "/short")),
        "/again": page("Shop", THIRD, links=("/", "/", "/", "/")),
        "/short": page("", "Hello."),
        "/robots.txt": b"User-agent: *\nDisallow: /private",
    }
    with serving(pages) as found:
        yield found


@pytest.fixture
def order(cora, site):
    """Give a function that orders the pages of the site, without pauses."""

    def ordered(*paths, **more):
        wanted = Wanted(tuple(map(site.at, paths or ("/",))), pause_seconds=0.0, **more)
        return order_fetch(wanted, by=cora)

    return ordered


def told(fetch):
    """Return what became of each page, by the path of its address."""
    found = fetch.pages.values_list("address", "state", "reason")
    return {f"/{address.split('/', 3)[3]}": reason or state for address, state, reason in found}


@pytest.mark.checklist(256, 260, 261, 264)
def test_a_site_is_followed_and_its_pages_become_conversations_with_their_address(order, site):
    fetch = order(follows=True)
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert (fetch.state, fetch.message) == ("succeeded", "")
    assert told(fetch) == {
        "/": "kept",
        "/returns": "kept",
        "/shop": "kept",
        "/photo.jpg": "media",
        "/private/x": "robots",
        "/gone": "gone",
        "/again": "same_content",
        "/short": "too_short",
    }
    assert "/photo.jpg" not in site.asked
    assert "/private/x" not in site.asked
    upload = fetch.upload
    assert import_upload(upload.pk)
    upload.refresh_from_db()
    files = {file.name: file for file in upload.files.filter(depth=1)}
    assert set(files) == {site.at("/#"), site.at("/returns"), site.at("/shop")}
    assert {file.kind for file in files.values()} == {"html"}
    for path, file in ((p, files[site.at("/#" if p == "/" else p)]) for p in ("/", "/returns")):
        assert blob_path(file.blob_id).read_bytes() == site.answers[path]
    rows = Conversation.objects.filter(source_file__upload=upload)
    assert {row.source_file.name for row in rows.select_related("source_file")} == set(files)
    assert any(FIRST in row.text for row in rows)
    assert upload.dataset.name == site.address.partition("://")[2]


def test_only_the_named_pages_are_fetched_unless_more_is_asked_for(order, site):
    fetch = order("/returns", "/shop")
    fetch_pages(fetch.pk)
    assert told(fetch) == {"/returns": "kept", "/shop": "kept"}


@pytest.mark.checklist(265)
def test_a_calendar_without_end_stops_at_the_limit_and_links_in_circles_are_left(order, site):
    def day(to):
        number = int(to.path.rpartition("/")[2] or 0)
        links = (f"/day/{number + 1}", f"{to.path}/a/a/a/a")
        send(
            to, page(f"Day {number}", f"On day {number} we are open from nine to six.", links=links)
        )

    site.answers |= {"*": day}
    fetch = order("/day/0", follows=True, most_pages=4, most_depth=20, shortest=5)
    fetch_pages(fetch.pk)
    found = told(fetch)
    assert sum(word == "kept" for word in found.values()) == 4
    assert found["/day/4"] == "limit"
    assert found["/day/0/a/a/a/a"] == "circles"
    assert len([path for path in site.asked if path != "/robots.txt"]) == 4


def test_no_page_lies_deeper_than_asked_for(order, site):
    site.answers |= {
        f"/{n}": page(f"Step {n}", f"{n} {FIRST}", links=(f"/{n + 1}",)) for n in range(9)
    }
    fetch = order("/0", follows=True, most_depth=2)
    fetch_pages(fetch.pk)
    assert set(told(fetch)) == {"/0", "/1", "/2"}


def test_what_cannot_be_reached_is_tried_three_times_and_then_said(order, site):
    site.answers["/busy"] = status(503)
    fetch = order("/busy", "/returns")
    fetch_pages(fetch.pk)
    assert told(fetch) == {"/busy": "busy", "/returns": "kept"}
    assert site.asked.count("/busy") == 3


@pytest.mark.checklist(257)
def test_a_dead_site_ends_with_a_sentence_after_the_seconds_that_were_chosen(
    order, site, client_of, cora
):
    site.answers["/dead"] = lambda _: site.over.wait()
    fields = {"addresses": site.at("/dead"), "page_seconds": "1", "pause_seconds": "0.2"}
    rest = {"follows": "", "most_pages": "1", "most_depth": "1", "shortest": "50"}
    answer = client_of(cora).post(reverse("web-new"), {**fields, **rest})
    assert answer.status_code == 302
    fetch = WebFetch.objects.get()
    assert fetch.page_seconds == 1
    for _ in range(4):  # each turn ends by itself
        fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert (fetch.state, told(fetch)) == ("failed", {"/dead": "too_slow"})
    assert site.asked.count("/dead") == 3


@pytest.mark.checklist(270)
def test_redirects_inside_are_refused_and_the_page_says_so(order, site):
    site.answers["/in"] = redirect("http://169.254.169.254/latest/meta-data/")
    fetch = order("/in")
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert (fetch.state, fetch.message) == ("failed", NOTHING_KEPT)
    assert "169.254.169.254" in fetch.pages.get().sentence


def test_this_machine_is_refused_unless_the_operator_allows_it(order, site, settings):
    settings.OTTO_WEB_INTERNAL_HOSTS = []
    fetch = order()
    fetch_pages(fetch.pk)
    assert told(fetch) == {"/": "inside"}
    assert site.asked == []


def test_a_box_without_internet_says_so_and_can_try_again(cora, site, settings):
    wanted = Wanted(("https://nowhere.invalid/", "https://neither.invalid/"), pause_seconds=0.0)
    fetch = order_fetch(wanted, by=cora)
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert (fetch.state, fetch.message) == ("failed", OFFLINE)
    assert retry_fetch(fetch, by=cora)
    assert fetch.pages.filter(state=PageState.QUEUED).count() == 2


def test_a_fetch_that_was_stopped_keeps_what_is_here(order, site, cora, monkeypatch):
    fetch = order("/returns", "/shop", "/")

    def stop_behind_the_first(to):
        send(to, page("Returns", SECOND))
        stop_fetch(fetch, by=cora)
        connection.close()  # that of the server's thread

    site.answers["/returns"] = stop_behind_the_first
    fetch_pages(fetch.pk)
    assert told(fetch) == {"/returns": "kept", "/shop": "stopped", "/": "stopped"}
    fetch.refresh_from_db()
    assert fetch.upload is not None


def test_a_fetch_that_was_dropped_leaves_nothing(order, site, cora):
    fetch = order("/returns", "/shop")

    def drop(to):
        assert cancel_fetch(fetch, by=cora)
        connection.close()  # that of the server's thread
        send(to, page("Shop", THIRD))

    site.answers["/shop"] = drop
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert (fetch.state, fetch.upload) == ("cancelled", None)
    assert not WebPage.objects.exclude(blob=None).exists()
    soon = timezone.now() + timedelta(hours=2)
    assert len(blobs.unnamed_blobs(soon)) == Blob.objects.count()  # the second one may be there


@pytest.mark.parametrize("is_made", [True, False])
def test_a_fetch_dropped_while_its_upload_is_made_loads_nothing(order, cora, monkeypatch, is_made):
    fetch, receive = order("/returns"), jobs.receive_path

    def dropped_meanwhile(*args, **more):
        made = receive(*args, **more) if is_made else None
        assert cancel_fetch(fetch, by=cora)
        return made or receive(*args, **more)

    monkeypatch.setattr(jobs, "receive_path", dropped_meanwhile)
    fetch_pages(fetch.pk)
    made = cora.uploads.get()
    assert (made.state, made.reason) == ("cancelled", "withdrawn")
    assert not import_upload(made.pk)
    assert not Conversation.objects.exists()


def test_a_fetch_that_failed_is_dropped_with_the_bytes_it_holds(order, cora):
    fetch = order("/returns", "/shop")
    fetch_pages(fetch.pk, seconds=-1)
    WebFetch.objects.update(state="failed", finished_at=timezone.now())
    assert cancel_fetch(fetch, by=cora)
    assert not WebPage.objects.exclude(blob=None).exists()


def test_pages_on_their_way_are_never_swept_away(order, site):
    fetch = order("/returns", "/shop")
    fetch_pages(fetch.pk, seconds=-1)  # one page, then others may have the worker
    fetch.refresh_from_db()
    assert fetch.state == "queued"
    assert blobs.unnamed_blobs(timezone.now() + timedelta(hours=2)) == []
    fetch_pages(fetch.pk)
    assert told(fetch) == {"/returns": "kept", "/shop": "kept"}


def test_a_worker_that_is_killed_is_followed_and_asks_for_nothing_twice(
    order, site, process_env, failpoint_at
):
    fetch = order("/returns", "/shop", "/")
    point = failpoint_at("web.page_kept", "kill@2")
    env = process_env | point.env | {"OTTO_WEB_INTERNAL_HOSTS": "127.0.0.1"}
    command = [sys.executable, "-c", WORKER, str(fetch.pk)]
    worker = subprocess.run(command, env=env, cwd=ROOT, check=False)
    assert worker.returncode == -signal.SIGKILL
    WebFetch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert fetch.state == "succeeded"
    assert told(fetch) == {"/returns": "kept", "/shop": "kept", "/": "kept"}
    assert len(site.asked) <= len({*site.asked}) + 2  # robots.txt, and the page that was on its way
    assert import_upload(fetch.upload_id)
    assert fetch.upload.files.filter(depth=1, verdict="loaded").count() == 3


def test_the_upload_is_made_once_though_the_worker_loses_it_behind_that(order, site, monkeypatch):
    fetch = order("/returns")

    def lose(*_):
        raise LostLease("taken over")

    monkeypatch.setattr(jobs.web, "end_fetch", lose)
    fetch_pages(fetch.pk)
    monkeypatch.undo()
    WebFetch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert fetch.created_by.uploads.get() == fetch.upload


def test_an_installation_that_fetches_nothing_says_so(order, site, settings):
    fetch = order()
    settings.OTTO_WEB_PAGES = False
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert "switched off" in fetch.message
    assert site.asked == []


def test_files_that_are_no_pages_come_too(order, site):
    rows = [{"question": "Where is it?", "answer": f"It is on shelf {n}."} for n in range(3)]
    body = "\n".join(map(json.dumps, rows)).encode()
    site.answers["/faq.jsonl"] = lambda to: send(to, body, "application/json")
    fetch = order("/faq.jsonl")
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert import_upload(fetch.upload_id)
    assert Conversation.objects.filter(source_file__upload=fetch.upload).count() == 3


def listing(site, *paths, inner="url", around="urlset"):
    told = "".join(f"<{inner}><loc>{site.at(path)}</loc></{inner}>" for path in paths)
    return f'<?xml version="1.0"?><{around} xmlns="http://s.org/0.9">{told}</{around}>'.encode()


def test_what_a_site_asks_of_machines_is_kept_between_turns(order, site):
    fetch = order(follows=True, reads_lists=True)
    for _ in range(9):
        fetch_pages(fetch.pk, seconds=-1)  # one page in each turn
    fetch.refresh_from_db()
    assert fetch.state == "succeeded"
    assert site.asked.count("/robots.txt") == 1
    assert fetch.robots.get().text == "User-agent: *\nDisallow: /private"
    assert told(fetch)["/private/x"] == "robots"


def test_a_site_that_lists_its_pages_is_crawled_by_its_list(order, site):
    hidden = {f"/hidden/{n}": page(f"Hidden {n}", f"{FIRST} Number {n}.") for n in range(3)}
    site.answers |= hidden
    site.answers["/robots.txt"] = (
        f"User-agent: *\nDisallow: /private\nSitemap: {site.at('/lists.xml')}\n"
        "Sitemap: http://elsewhere.example/map.xml\n"
    ).encode()
    site.answers["/lists.xml"] = lambda to: send(
        to,
        listing(site, "/one.xml", "/two.xml.gz", inner="sitemap", around="sitemapindex"),
        "application/xml",
    )
    one = listing(site, "/hidden/0", "/private/y", "/photo.jpg").replace(
        b"</urlset>", b"<url><loc>http://elsewhere.example/</loc></url></urlset>"
    )
    site.answers["/one.xml"] = lambda to: send(to, one, "text/xml")
    two = gzip.compress(listing(site, "/hidden/1", "/hidden/2"))
    site.answers["/two.xml.gz"] = lambda to: send(to, two, "application/gzip")
    fetch = order("/short", follows=True, reads_lists=True)
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert told(fetch) == {
        "/short": "too_short",
        "/lists.xml": "list",
        "/one.xml": "list",
        "/two.xml.gz": "list",
        **dict.fromkeys(hidden, "kept"),
        "/private/y": "robots",
        "/photo.jpg": "media",
    }
    assert not fetch.pages.filter(address__contains="elsewhere").exists()
    limited = order("/short", follows=True, reads_lists=True, most_pages=2)
    fetch_pages(limited.pk)
    assert limited.pages.filter(state="kept").count() == 1
    assert limited.pages.filter(reason="limit").count() >= 1


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><urlset><url><loc>&a;</loc></url></urlset>",
        b"<urlset><url><loc>http://",
        gzip.compress(b"<urlset>" + b" " * (80 << 20)),
        b"\x1f\x8bxx",
        b"ftp://a.b/\njavascript:1\n",
    ],
)
def test_a_list_that_is_none_breaks_nothing(order, site, body):
    site.answers["/sitemap.xml"] = lambda to: send(to, body, "application/octet-stream")
    fetch = order("/returns", follows=True, reads_lists=True, most_depth=1)
    fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    assert fetch.state == "succeeded"
    assert told(fetch)["/returns"] == "kept"
    assert told(fetch)["/sitemap.xml"] in {"list", "unread"}
