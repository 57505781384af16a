"""Every address and every socket of the house declares who may use it."""

from __future__ import annotations

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from otto_web.lib.access import Role
from otto_web.routing import websocket_urlpatterns

RULES = {"public", "tus", "api"}


def patterns(resolver, before=""):
    for entry in resolver.url_patterns:
        where = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, where)
        else:
            assert isinstance(entry, URLPattern)
            yield where, entry


def is_known(rule):
    return isinstance(rule, Role) or rule in RULES


ADDRESSES = dict(patterns(get_resolver()))


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_declares_who_may_use_it(address):
    view = ADDRESSES[address].callback
    assert is_known(getattr(view, "access_rule", None)), f"/{address} declares no access rule"


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_has_a_name(address):
    assert ADDRESSES[address].name, f"/{address} has no name for links"


@pytest.mark.parametrize("route", websocket_urlpatterns, ids=lambda route: str(route.pattern))
def test_every_socket_declares_who_may_use_it(route):
    consumer = getattr(route.callback, "consumer_class", route.callback)
    assert is_known(getattr(consumer, "access_rule", None)), f"/{route.pattern} declares no rule"


def test_a_view_without_a_rule_would_be_found():
    assert not is_known(getattr(lambda request: request, "access_rule", None))
