"""The names under which browsers may come in."""

from __future__ import annotations

import socket

import pytest

from otto_web.reachable import address_names, probe_host, web_environment

LOCAL = ["127.0.0.1", "localhost", "[::1]"]
EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture(autouse=True)
def _without_choices(monkeypatch):
    monkeypatch.delenv("OTTO_ALLOWED_HOSTS", raising=False)
    monkeypatch.delenv("OTTO_TRUSTED_ORIGINS", raising=False)


def test_by_default_only_this_machine_comes_in():
    assert address_names("127.0.0.1") == LOCAL


def test_the_team_comes_in_by_the_names_of_the_machine():
    names = address_names(EVERYWHERE)
    assert [*LOCAL, socket.gethostname()] == names[:4]
    assert probe_host(EVERYWHERE) == "127.0.0.1"


def test_origins_follow_the_names():
    found = web_environment("192.0.2.7", 8001)
    assert found["OTTO_ALLOWED_HOSTS"] == ",".join([*LOCAL, "192.0.2.7"])
    assert "http://192.0.2.7:8001" in found["OTTO_TRUSTED_ORIGINS"].split(",")


def test_the_choice_of_an_admin_stands(monkeypatch):
    monkeypatch.setenv("OTTO_ALLOWED_HOSTS", "otto.example")
    assert "OTTO_ALLOWED_HOSTS" not in web_environment(EVERYWHERE, 8000)


def test_an_ipv6_host_is_written_in_brackets():
    assert "[fe80::1]" in address_names("fe80::1")
