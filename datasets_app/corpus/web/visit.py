"""A page with all that leads to it: robots.txt asked first, redirects followed, each checked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urlsplit

from protego import Protego

from datasets_app.corpus.web.addresses import AddressError, host_of, normal, site_of
from datasets_app.corpus.web.errors import WebError
from datasets_app.corpus.web.fetch import AGENT, Answer, Fetcher

MOST_REDIRECTS = 5
ROBOTS_BYTES = 512 << 10
MOST_LISTS = 20  # of pages, that a robots.txt may name
LONGEST_DELAY = 30.0  # that a robots.txt is granted between two pages


@dataclass(slots=True)
class Visitor:
    """Fetches pages politely: never faster from one host than `pause` says, or the site asks.

    `wait` sleeps; what it raises ends the visit. `since` tells how long ago a host was last asked.
    """

    fetcher: Fetcher
    pause: float
    wait: Callable[[float], None]
    since: Callable[[str], float]
    known: Mapping[str, str] = field(default_factory=dict)
    """Texts of robots.txt by their hosts, as `keep` was told them before."""
    keep: Callable[[str, str, tuple[str, ...]], None] = field(default=lambda *_: None)
    """Called with an address of a host, its robots.txt, and the lists of pages that one names."""
    rules: dict[str, Protego] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)
    _pauses: dict[str, float] = field(default_factory=dict)

    def visit(
        self, address: str, sites: frozenset[str] | None, *, any_kind: bool = False
    ) -> Answer:
        """Return the page at an address, or behind its redirects within `sites` (None: anywhere).

        Raises WebError with the reason where there is none to be had.
        """
        seen = set[str]()
        while len(seen) <= MOST_REDIRECTS:
            if sites is not None and site_of(address) not in sites:
                raise WebError("elsewhere")
            if address in seen:
                break
            seen.add(address)
            self._obey(address)
            answer = self._ask(address, any_kind=any_kind)
            if not answer.leads_to and answer.status < 300:
                return answer
            try:
                address = normal(answer.leads_to, answer.address)
            except AddressError as error:
                raise WebError("bad_redirect", status=answer.status) from error
        raise WebError("redirects")

    def _ask(self, address: str, *, any_kind: bool) -> Answer:
        self._rest(host_of(address))
        try:
            return self.fetcher.get(address, any_kind=any_kind)
        except WebError as error:
            self._pauses[host_of(address)] = error.pause
            raise
        finally:
            self._asked[host_of(address)] = time.monotonic()

    def _rest(self, host: str) -> None:
        """Wait until the host may be asked again."""
        asked = self._asked.get(host)
        since = self.since(host)  # another fetch may have asked meanwhile
        if asked is not None:
            since = min(since, time.monotonic() - asked)
        pause = max(self.pause, self._pauses.pop(host, 0), self._delay(host))
        if since < pause:
            self.wait(pause - since)

    def _delay(self, host: str) -> float:
        rules = self.rules.get(host)
        asked = rules.crawl_delay(AGENT) if rules else None
        return min(LONGEST_DELAY, float(asked)) if asked else 0.0

    def _obey(self, address: str) -> None:
        """Raise WebError where robots.txt says no; a site without one says yes to everything."""
        host = host_of(address)
        if host not in self.rules:
            if host in self.known:
                self.rules[host] = Protego.parse(self.known[host])
            else:
                text = self._robots_of(address)
                rules = self.rules[host] = Protego.parse(text)
                self.keep(address, text, tuple(islice(rules.sitemaps, MOST_LISTS)))
        if not self.rules[host].can_fetch(address, AGENT):
            raise WebError("robots")

    def _robots_of(self, address: str) -> str:
        """Return the robots.txt of a site; "", which allows everything, where it has none."""
        parts = urlsplit(address)
        at, seen = f"{parts.scheme}://{parts.netloc}/robots.txt", set[str]()
        try:
            while at not in seen and len(seen) <= MOST_REDIRECTS:
                seen.add(at)
                self._rest(host_of(at))
                answer = self.fetcher.get(at, any_kind=True)
                self._asked[host_of(at)] = time.monotonic()
                if answer.status < 300:
                    return answer.body[:ROBOTS_BYTES].decode("utf-8", "replace")
                at = normal(answer.leads_to, at)
        except AddressError:
            return ""
        except WebError as error:
            if error.code in {"gone", "forbidden", "refused"}:
                return ""
            if error.code in {"busy", "too_large", "odd_packing", "broken_off"}:
                raise WebError("robots_away") from error
            raise
        return ""
