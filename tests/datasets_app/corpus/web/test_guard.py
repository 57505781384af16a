"""Pages come from public computers only, and from where the check was made."""

from __future__ import annotations

import ipaddress

import pytest

from datasets_app.corpus.web.errors import WebError
from datasets_app.corpus.web.fetch import Fetcher, context_of
from datasets_app.corpus.web.guard import Guard, is_public
from tests.datasets_app.web_server import page, serving


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254"),
        *("0.0.0.7", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1"),
        *(
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "::127.0.0.1",
            *("168.63.129.16", "::ffff:168.63.129.16", "fec0::1", "192.88.99.1"),
            *("2001:4860::5efe:7f00:1", "2001:4860::200:5efe:a00:1"),
        ),
    ],
)
def test_addresses_of_inner_networks_are_refused(address):
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(WebError, match="internal network") as told:
        Guard(look_up=lambda host, port: [address]).places("example.org", 80)
    assert told.value.code == "inside"


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2001:4860::5efe:5db8:d822"],
)
def test_public_addresses_may_be_connected_to(address):
    assert Guard(look_up=lambda host, port: [address]).places("example.org", 80) == [address]


def test_one_inner_address_among_public_ones_is_enough_to_refuse():
    guard = Guard(look_up=lambda host, port: ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(WebError):
        guard.places("example.org", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.0.0.1", "127.1"])
def test_every_way_to_write_this_machine_is_refused(host):
    with pytest.raises(WebError):
        Guard().places(host, 80)


def test_the_operator_names_what_is_allowed_inside():
    guard = Guard.of(["Wiki.intern", "10.1.0.0/16", "[::1]"])
    look_up = {"wiki.intern": "192.168.7.7", "a.example": "10.1.2.3", "b.example": "10.2.0.1"}
    guard = Guard(guard.hosts, guard.networks, lambda host, port: [look_up[host]])
    assert guard.places("wiki.intern", 80) == ["192.168.7.7"]
    assert guard.places("a.example", 80) == ["10.1.2.3"]
    with pytest.raises(WebError):
        guard.places("b.example", 80)


def test_a_name_that_changes_its_address_after_the_check_is_not_looked_up_again():
    """The first answer is allowed and where the page comes from; the second would be elsewhere."""
    looked = []

    def look_up(host, port):
        looked.append(host)
        return ["127.0.0.1"] if len(looked) == 1 else ["169.254.169.254"]

    with serving({"/": page("Here", "We are here.")}) as site:
        port = site.address.rpartition(":")[2]
        guard = Guard(frozenset({"rebound.example"}), (), look_up)
        answer = Fetcher(guard, context_of("")).get(f"http://rebound.example:{port}/")
    assert b"We are here." in answer.body
    assert looked == ["rebound.example"]
