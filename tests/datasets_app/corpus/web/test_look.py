"""What a fetched page says and where it leads, seen by a child with limits."""

from __future__ import annotations

import pytest

from datasets_app.corpus.web.look import look_at
from tests.datasets_app.web_server import page

pytestmark = pytest.mark.slow
AT = "http://e.org/help/start"


def looked(tmp_path, source: bytes):
    path = tmp_path / "page"
    path.write_bytes(source)
    return look_at(path, AT, lambda: False)


def test_title_text_and_links_are_told_and_what_is_no_link_is_not(tmp_path):
    links = ("faq.html", "/a#b", "javascript:alert(1)", "mailto:a@e.org", "http://x.org/", "/a")
    seen = looked(tmp_path, page("Help", "Parcels leave today.", links=links))
    assert (seen.title, seen.needs_script) == ("Help", False)
    assert seen.links == ("http://e.org/help/faq.html", "http://e.org/a", "http://x.org/")


def test_the_same_text_has_the_same_key_whatever_stands_around_it(tmp_path):
    one = page("Help", "Parcels leave today.")
    other = one.replace(
        b"<body>", b"<body class=x><nav>Menu <a href=/x>x</a></nav><script>1</script>"
    )
    assert looked(tmp_path, one).key == looked(tmp_path, other).key
    assert looked(tmp_path, one).key != looked(tmp_path, page("Help", "Parcels leave.")).key


def test_links_that_a_page_does_not_want_followed_are_not(tmp_path):
    source = page("Help", links=("/a",))
    kept_out = source.replace(b"<head>", b'<head><meta name="robots" content="noindex, NOFOLLOW">')
    assert looked(tmp_path, kept_out).links == ()
    assert looked(tmp_path, source.replace(b"<a ", b'<a rel="nofollow" ')).links == ()
    based = source.replace(b"<head>", b'<head><base href="/other/">').replace(b"/a", b"a")
    assert looked(tmp_path, based).links == ("http://e.org/other/a",)


def test_a_page_without_words_says_that_it_needs_a_script(tmp_path):
    source = b"<!doctype html><html><body><div id=app></div><script>go()</script></body></html>"
    assert looked(tmp_path, source).needs_script


def test_bytes_in_another_encoding_than_the_server_says_are_read_by_what_they_are(tmp_path):
    text = "Пожалуйста, напишите нам, если посылка не пришла в течение двух дней."
    seen = looked(tmp_path, page("Help", text).decode().encode("cp1251"))
    assert seen.letters > len(text)
    assert seen.key == looked(tmp_path, page("Help", text)).key
