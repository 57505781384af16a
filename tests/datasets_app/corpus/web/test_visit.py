"""Pages are fetched politely and safely, whatever the server does."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest

from datasets_app.corpus.web.errors import WebError
from datasets_app.corpus.web.fetch import Fetcher, context_of
from datasets_app.corpus.web.guard import Guard
from datasets_app.corpus.web.visit import Visitor
from tests.datasets_app import web_server
from tests.datasets_app.web_server import Site, page, redirect, send, serving, status

GOOD = page("Help", "Parcels leave today.")
ROBOTS = b"User-agent: *\nDisallow: /private\nDisallow: /*.secret$\nCrawl-delay: 7\n"
CONTEXT = context_of("")


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({"/": GOOD}) as found:
        yield found


def visitor(seconds: float = 60.0, most: int = 1 << 20, allowed: str = "127.0.0.1") -> Visitor:
    fetcher = Fetcher(Guard.of([allowed]), CONTEXT, seconds=seconds, most_bytes=most)
    return Visitor(fetcher, 0.0, [].append, lambda host: 3600.0)


def refused(site: Site, path: str, **limits: float) -> WebError:
    with pytest.raises(WebError) as told:
        visitor(**limits).visit(site.at(path), None)  # type: ignore[arg-type]
    return told.value


def test_a_page_comes_byte_for_byte(site):
    answer = visitor().visit(site.at("/"), None)
    assert (answer.body, answer.kind, answer.status) == (GOOD, "text/html", 200)


@pytest.mark.parametrize("packing", ["gzip", "deflate", "raw"])
def test_a_packed_page_is_unpacked(site, packing):
    raw = zlib.compressobj(wbits=-15)
    body = {
        "gzip": gzip.compress(GOOD),
        "deflate": zlib.compress(GOOD),
        "raw": raw.compress(GOOD) + raw.flush(),
    }[packing]
    name = "gzip" if packing == "gzip" else "deflate"
    site.answers["/p"] = lambda to: send(to, body, Content_Encoding=name)
    assert visitor().visit(site.at("/p"), None).body == GOOD


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (web_server.endless, "too_large"),
        (web_server.bomb, "too_large"),
        (web_server.huge_headers, "broken_off"),
        (web_server.cut_off, "broken_off"),
        (web_server.no_server, "broken_off"),
        (lambda to: send(to, b"x" * 2_000_000), "too_large"),
        (lambda to: send(to, b"\x89PNG", "image/png"), "media"),
        (lambda to: send(to, b"PK", "application/octet-stream"), "media"),
        (lambda to: send(to, b"not packed", Content_Encoding="gzip"), "broken_off"),
        (lambda to: send(to, b"br", Content_Encoding="br"), "odd_packing"),
        (status(404), "gone"),
        (status(410), "gone"),
        (status(403), "forbidden"),
        (status(429), "busy"),
        (status(503), "busy"),
        (status(418), "refused"),
        (redirect("/x"), "redirects"),
        (redirect(""), "redirects"),
        (redirect("javascript:alert(1)"), "bad_redirect"),
        (redirect("file:///etc/passwd"), "bad_redirect"),
        (redirect("http://169.254.169.254/latest/meta-data/"), "inside"),
        (redirect("http://127.0.0.2/"), "inside"),
        (redirect("http://[::1]/"), "inside"),
        (redirect("http://[2606:4700::1%\xe9]/"), "bad_redirect"),
        (web_server.cut_off_when_packed, "broken_off"),
    ],
)
def test_what_a_hostile_server_does_ends_in_a_reason(site, answer, code):
    site.answers["/x"] = answer
    assert refused(site, "/x").code == code


def test_a_server_that_drips_is_left_when_the_time_is_over(site):
    site.answers["/slow"] = web_server.dripping(lambda: site)
    assert refused(site, "/slow", seconds=0.3).code == "too_slow"


def test_redirects_are_followed_five_times(site):
    site.answers |= {f"/{n}": redirect(f"/{n + 1}", 301) for n in range(5)}
    site.answers["/5"] = GOOD
    assert visitor().visit(site.at("/0"), None).address == site.at("/5")
    site.answers |= {"/5": redirect("/6"), "/6": GOOD}
    assert refused(site, "/0").code == "redirects"


@pytest.mark.parametrize("sent", ["/caf\xc3\xa9", "/caf\xe9", "/caf%C3%A9"])
def test_a_redirect_may_be_written_as_it_was_typed(site, sent):
    """The server sends each sign as one byte: an address in UTF-8, one in Latin-1, a plain one."""
    site.answers |= {"/old": redirect(sent), "/caf%C3%A9": GOOD}
    assert visitor().visit(site.at("/old"), None).address == site.at("/caf%C3%A9")


def test_what_the_client_cannot_ask_for_has_a_reason_too():
    with pytest.raises(WebError) as told:
        visitor().fetcher.get("http://127.0.0.1/é")
    assert told.value.code == "bad_address"


def test_a_redirect_that_leaves_the_site_is_not_followed_where_one_site_was_asked_for(site):
    with serving({"/": GOOD}) as other:
        site.answers["/away"] = redirect(other.at("/"))
        host = site.address.partition("://")[2]
        with pytest.raises(WebError) as told:
            visitor().visit(site.at("/away"), frozenset({host}))
        assert told.value.code == "elsewhere"
        assert other.asked == []
        assert visitor().visit(site.at("/away"), None).address == other.at("/")


def test_robots_are_asked_once_and_obeyed_also_behind_redirects(site):
    site.answers |= {"/robots.txt": ROBOTS, "/a": redirect("/private/a"), "/x.secret": GOOD}
    one = visitor()
    for path in ("/private/a", "/a", "/x.secret"):
        with pytest.raises(WebError) as told:
            one.visit(site.at(path), None)
        assert told.value.code == "robots"
    assert one.visit(site.at("/"), None).body == GOOD
    assert site.asked == ["/robots.txt", "/a", "/"]


def test_the_site_says_how_fast_it_may_be_asked(site):
    site.answers["/robots.txt"] = ROBOTS
    waits: list[float] = []
    fetcher = Fetcher(Guard.of(["127.0.0.1"]), CONTEXT)
    one = Visitor(fetcher, 0.0, waits.append, lambda host: 3600.0)
    one.visit(site.at("/"), None)
    one.visit(site.at("/"), None)
    assert len(waits) == 2
    assert all(0 < wait <= 7 for wait in waits)


def test_who_asks_the_same_site_meanwhile_is_waited_for_too(site):
    waits: list[float] = []
    one = Visitor(Fetcher(Guard.of(["127.0.0.1"]), CONTEXT), 1e6, waits.append, lambda _: 1.0)
    one._asked[site.address.partition("://")[2]] = float("-inf")  # by this visitor, long ago
    one.known = {site.address.partition("://")[2]: ""}
    one.visit(site.at("/"), None)
    assert waits == [1e6 - 1.0]


@pytest.mark.parametrize(
    ("answer", "code"),
    [(status(503), "robots_away"), (web_server.endless, "robots_away"), (status(404), "")],
)
def test_a_robots_file_that_is_away_closes_the_site_and_none_opens_it(site, answer, code):
    site.answers["/robots.txt"] = answer
    if code:
        assert refused(site, "/").code == code
    else:
        assert visitor().visit(site.at("/"), None).body == GOOD


def test_a_robots_file_that_leads_inside_is_not_followed(site):
    site.answers["/robots.txt"] = redirect("http://169.254.169.254/robots.txt")
    assert refused(site, "/").code == "inside"
    site.answers["/robots.txt"] = redirect("/robots.txt")
    assert visitor().visit(site.at("/"), None).body == GOOD


def test_nobody_there_and_an_unknown_name_are_told_apart(site):
    port = web_server.free_port()
    with pytest.raises(WebError) as told:
        visitor().visit(f"http://127.0.0.1:{port}/", None)
    assert told.value.code == "no_answer"
    with pytest.raises(WebError) as told:
        visitor().visit("http://nowhere.invalid/", None)
    assert told.value.code == "no_name"
