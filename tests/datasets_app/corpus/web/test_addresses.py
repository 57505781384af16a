"""Addresses of pages: one for each page, and none that is no address of one."""

from __future__ import annotations

import pytest

from datasets_app.corpus.web.addresses import (
    AddressError,
    goes_in_circles,
    is_media,
    normal,
    site_of,
)


@pytest.mark.parametrize(
    ("text", "base", "told"),
    [
        ("HTTP://Example.ORG:80/a/../b?x=1#there", "", "http://example.org/b?x=1"),
        ("https://example.org", "", "https://example.org/"),
        ("https://example.org:8443/a b", "", "https://example.org:8443/a%20b"),
        ("https://münchen.example/straße", "", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("../faq.html", "http://example.org/help/start/", "http://example.org/help/faq.html"),
        ("//other.example/x", "https://example.org/", "https://other.example/x"),
        ("?page=2", "http://example.org/list", "http://example.org/list?page=2"),
        ("/a?utm_source=mail&id=7&fbclid=x", "http://e.org/", "http://e.org/a?id=7"),
        ("http://[::1]:8000/", "", "http://[::1]:8000/"),
        ("/a\ud800?b=\udfff&utm_id=1", "http://e.org/", "http://e.org/a?b="),
        ("/%7Euser/100%25", "http://e.org/", "http://e.org/%7Euser/100%25"),
    ],
)
def test_a_page_has_one_address(text, base, told):
    assert normal(text, base) == told
    assert normal(told) == told


@pytest.mark.parametrize(
    "text",
    [
        *("javascript:alert(1)", "mailto:a@example.org", "data:text/html,x", "file:///etc/passwd"),
        *(
            "ftp://example.org/",
            "tel:123",
            "",
            "example.org",
            "http://",
            "http://a b/",
            "http://[::1",
        ),
        *("http://name:secret@example.org/", "http://exa_mple..org/", "http://e.org:99999/"),
        *("gopher://e.org", "http://" + "a" * 300, "http://e.org/" + "a" * 1100, "//e.org/x"),
        "http://e.org/" + "a/" * 40,
        *("http://[2606:4700::1%é]/", "http://[2606:4700::1%eth0]/", "http://[fe80::1%25]/"),
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(text):
    with pytest.raises(AddressError, match=r"\.$"):
        normal(text)


def test_what_is_no_text_and_what_never_ends_is_seen_in_the_address():
    assert is_media("http://e.org/a/photo.JPG?x=1")
    assert not is_media("http://e.org/a.b/photo")
    assert not is_media("http://e.org/guide.html")
    assert goes_in_circles("http://e.org/a/b/a/b/a/b/a/")
    assert not goes_in_circles("http://e.org/2026/11/28/a/b")
    assert site_of("http://www.e.org/a") == site_of("http://e.org/b") != site_of("http://e.org:81/")
