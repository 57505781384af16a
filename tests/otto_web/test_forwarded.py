"""Only a trusted proxy is believed about who asks, and how."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from otto_web import env
from otto_web.forwarded import Forwarded

TRUSTED = [ip_network("10.0.0.0/24"), ip_network("127.0.0.1"), ip_network("2001:db8::1")]


def seen(peer, *headers, kind="http", trusted=TRUSTED):
    """Return the scope that the application behind gets."""
    found = {}

    async def application(scope, receive, send):
        found.update(scope)

    pairs = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "headers": [(b"host", b"otto.example"), *pairs], "client": [peer, 5000]}
    asyncio.run(Forwarded(application, trusted)(scope, None, None))
    assert found["headers"] == [(b"host", b"otto.example")]
    return found


def hops(*values):
    return [("x-forwarded-for", value) for value in values]


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("203.0.113.5", hops("198.51.100.9"), "203.0.113.5"),
        ("127.0.0.1", hops(), "127.0.0.1"),
        ("127.0.0.1", hops("198.51.100.9"), "198.51.100.9"),
        ("127.0.0.1", hops("1.1.1.1, 198.51.100.9, 10.0.0.7"), "198.51.100.9"),
        ("127.0.0.1", hops("1.1.1.1", "198.51.100.9", "10.0.0.7"), "198.51.100.9"),
        ("127.0.0.1", hops("10.0.0.9, 10.0.0.7"), "10.0.0.9"),
        ("127.0.0.1", hops("1.1.1.1, nonsense, 10.0.0.7"), "10.0.0.7"),
        ("127.0.0.1", hops("198.51.100.9:4711"), "198.51.100.9"),
        ("2001:db8::1", hops("[2001:db8::77]:4711"), "2001:db8::77"),
        ("::ffff:127.0.0.1", hops("::ffff:198.51.100.9"), "198.51.100.9"),
    ],
)
def test_the_rightmost_untrusted_hop_is_who_asks(peer, headers, client):
    assert seen(peer, *headers)["client"][0] == client


@pytest.mark.parametrize(
    ("kind", "plain", "secure"), [("http", "http", "https"), ("websocket", "ws", "wss")]
)
def test_the_scheme_is_believed_of_a_trusted_proxy_alone(kind, plain, secure):
    proto = ("x-forwarded-proto", "https")
    assert seen("127.0.0.1", proto, kind=kind)["scheme"] == secure
    assert seen("127.0.0.1", ("x-forwarded-proto", "http"), kind=kind)["scheme"] == plain
    assert seen("203.0.113.5", proto, kind=kind)["scheme"] == plain
    assert seen("127.0.0.1", proto, kind=kind, trusted=[])["scheme"] == plain


def test_a_wrong_network_stops_the_start_with_a_sentence(monkeypatch):
    monkeypatch.setenv("OTTO_TRUSTED_PROXIES", "10.0.0.0/24, nginx")
    with pytest.raises(ImproperlyConfigured, match="OTTO_TRUSTED_PROXIES must name addresses"):
        env.networks("OTTO_TRUSTED_PROXIES")
