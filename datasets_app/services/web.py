"""Fetching pages: ordered, moved on page by page, stopped, and handed over as an upload."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.web.addresses import (
    AddressError,
    goes_in_circles,
    host_of,
    is_media,
    normal,
    site_of,
)
from datasets_app.corpus.web.errors import AGAIN, REASONS, WebError
from datasets_app.corpus.web.fetch import Answer, blocks_in, certificates_in
from datasets_app.corpus.web.lists import Named
from datasets_app.corpus.web.look import Seen
from datasets_app.models import Blob, PageState, Upload, WebAuthority, WebFetch, WebPage, WebRobots
from datasets_app.services.receiving import chosen_dataset
from datasets_app.services.uploads import withdraw_upload
from otto_web.lib import audit
from otto_web.lib.failpoints import failpoint
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, finish, order_anew, renew
from otto_web.lib.work.states import UNDER_WAY, State

MOST_TRIES = 3
LISTED_FOR_EACH = 10  # links that are listed for each page that may be fetched
MOST_BYTES = 2 << 30  # of all pages of a fetch
MOST_LISTS = 50  # sitemaps of a fetch
LONGEST_ROBOTS = 1 << 16  # letters that are kept; a longer one is asked for in each turn
USUAL_LIST = "/sitemap.xml"
NEVER_ASKED = frozenset({"robots", "robots_away"})
UNREACHED = frozenset({"no_name", "no_answer", "too_slow"})
OFFLINE = (
    "Nothing could be reached. This machine may have no way to the internet: then save the pages "
    "in a browser elsewhere and upload the files."
)
NOTHING_KEPT = "No page was kept. The list says of each why."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for; `dataset` is a choice as uploads take it."""

    addresses: tuple[str, ...]
    follows: bool = False
    most_pages: int = 100
    most_depth: int = 5
    pause_seconds: float = 1.0
    page_seconds: float = 30.0
    shortest: int = 50
    reads_lists: bool = False
    is_unchecked: bool = False
    dataset: str = ""


@transaction.atomic(durable=True)
def order_fetch(wanted: Wanted, *, by: User) -> WebFetch:
    """Order pages; raises UploadError when the chosen dataset is gone."""
    return new_fetch(wanted, by=by)


def new_fetch(wanted: Wanted, *, by: User) -> WebFetch:
    """Do the same inside the caller's transaction."""
    chosen_dataset(wanted.dataset, by)
    fetch = WebFetch.objects.create(
        addresses=list(wanted.addresses),
        follows=wanted.follows,
        most_pages=wanted.most_pages,
        most_depth=wanted.most_depth,
        pause_seconds=wanted.pause_seconds,
        page_seconds=wanted.page_seconds,
        shortest=wanted.shortest,
        reads_lists=wanted.reads_lists,
        is_unchecked=wanted.is_unchecked,
        dataset_choice=wanted.dataset,
        created_by=by,
    )
    _list_pages(fetch, [(address, PageState.QUEUED, "") for address in wanted.addresses])
    audit.record(by, "web.fetch", fetch, after={"address": str(fetch)})
    if wanted.is_unchecked:
        audit.record(by, "web.unchecked", fetch, after={"address": str(fetch)})
    hint(WebFetch.job, fetch.pk)
    return fetch


@transaction.atomic(durable=True)
def trust_authority(pem: str, *, by: User) -> WebAuthority:
    """Trust the certificates of a text when pages are fetched; raises CorpusError where none is."""
    pem = blocks_in(pem)
    found = certificates_in(pem)
    digest = hashlib.sha256(pem.strip().encode()).hexdigest()
    names = ", ".join(dict.fromkeys(name for name, _ in found))
    told = {"name": clean_text(names).text[:300], "ends": found[0][1][:60], "added_by": by}
    trusted, is_new = WebAuthority.objects.get_or_create(
        sha256=digest, defaults={"pem": pem, **told}
    )
    if is_new:
        audit.record(by, "authority.trusted", trusted, after={"name": trusted.name})
    return trusted


@transaction.atomic(durable=True)
def drop_authority(trusted: WebAuthority, *, by: User) -> None:
    """Trust these certificates no more."""
    audit.record(by, "authority.dropped", trusted, before={"name": trusted.name})
    trusted.delete()


def trusted_pem() -> str:
    """Return all certificates that are trusted besides the usual ones."""
    return "".join(WebAuthority.objects.order_by("pk").values_list("pem", flat=True))


def _list_pages(
    fetch: WebFetch,
    found: Iterable[tuple[str, str, str]],
    *,
    behind: WebPage | None = None,
    are_lists: bool = False,
) -> None:
    WebPage.objects.bulk_create(
        [
            WebPage(
                fetch=fetch,
                address=address,
                host=host_of(address)[:300],
                depth=behind.depth + 1 if behind else 0,
                is_list=are_lists,
                found_on=behind,
                state=state,
                reason=reason,
            )
            for address, state, reason in found
        ],
        ignore_conflicts=True,
    )


def next_page(fetch: WebFetch) -> WebPage | None:
    """Return the page whose turn it is; None once the limit, a person or the list says so."""
    wanted = WebFetch.objects.filter(pk=fetch.pk, is_stopped=False).exists()
    if not wanted:
        return None
    queued = fetch.pages.filter(state=PageState.QUEUED).order_by("tries", "depth", "pk")
    so_far = fetch.pages.aggregate(
        asked=Count("asked_at", filter=Q(is_list=False)), size=Sum("size", default=0)
    )
    if so_far["size"] > MOST_BYTES:
        return None
    if so_far["asked"] >= fetch.most_pages:
        queued = queued.exclude(asked_at=None, is_list=False)  # only what was asked for before
    found: WebPage | None = queued.first()
    return found


def sites_of(fetch: WebFetch) -> frozenset[str] | None:
    """Return the sites whose pages are followed: those of the named addresses and behind them."""
    if not fetch.follows:
        return None
    named = fetch.pages.filter(depth=0, is_list=False)
    pairs = named.values_list("address", "final_address")
    return frozenset(site_of(address) for pair in pairs for address in pair if address)


@transaction.atomic(durable=True)
def note_asked(fetch: WebFetch, page: WebPage) -> None:
    """Note that a page is asked for, before it is: each try counts, whatever becomes of it."""
    renew(fetch)
    page.tries += 1
    WebPage.objects.filter(pk=page.pk).update(tries=page.tries, asked_at=Now())


@transaction.atomic(durable=True)
def keep_robots(fetch: WebFetch, address: str, text: str, lists: tuple[str, ...]) -> None:
    """Keep what a host asks of machines for the turns to come; list where it lists its pages."""
    renew(fetch)
    if len(text) <= LONGEST_ROBOTS:
        WebRobots.objects.update_or_create(
            fetch=fetch, host=host_of(address)[:300], defaults={"text": clean_text(text).text}
        )
    sites = sites_of(fetch) if fetch.reads_lists else None
    if sites is None or site_of(address) not in sites:
        return
    found = [_address(one, address) for one in lists or (USUAL_LIST,)]
    own = [one for one in found if one and site_of(one) in sites]
    _list_pages(fetch, [(one, PageState.QUEUED, "") for one in own], are_lists=True)


def _address(text: str, base: str) -> str:
    try:
        return normal(text, base)
    except AddressError:
        return ""


def robots_of(fetch: WebFetch) -> dict[str, str]:
    """Return what hosts asked of machines when earlier turns asked them."""
    return dict(fetch.robots.values_list("host", "text"))


@transaction.atomic(durable=True)
def follow_list(fetch: WebFetch, page: WebPage, answer: Answer, named: Named) -> None:
    """Note that a site's list of its pages was read, and list what it names."""
    renew(fetch, attempts=0)
    WebPage.objects.filter(pk=page.pk).update(
        state=PageState.LEFT_OUT,
        reason="list",
        note="",
        status=answer.status,
        final_address=answer.address,
    )
    _follow(fetch, page, named.pages)
    sites = sites_of(fetch) or frozenset()
    own = [one for one in named.lists if site_of(one) in sites]
    room = max(0, MOST_LISTS - fetch.pages.filter(is_list=True).count())
    _list_pages(
        fetch, [(one, PageState.QUEUED, "") for one in own[:room]], behind=page, are_lists=True
    )


@transaction.atomic(durable=True)
def leave_out(fetch: WebFetch, page: WebPage, error: WebError) -> None:
    """Note why a page is not there; what may be otherwise later is tried again."""
    renew(fetch, attempts=0)
    again = error.code in AGAIN and page.tries < MOST_TRIES
    said = str(error)
    if error.code in NEVER_ASKED:  # so it takes no place of another
        WebPage.objects.filter(pk=page.pk).update(asked_at=None)
    WebPage.objects.filter(pk=page.pk).update(
        state=PageState.QUEUED if again else PageState.LEFT_OUT,
        reason=error.code,
        note="" if said == REASONS[error.code] else clean_text(said).text,
        status=error.status,
    )


@transaction.atomic(durable=True)
def keep_page(fetch: WebFetch, page: WebPage, answer: Answer, seen: Seen, blob: Blob) -> None:
    """Keep a page unless the same is here already, and list what it leads to."""
    renew(fetch, attempts=0)
    kept = fetch.pages.filter(state=PageState.KEPT).exclude(pk=page.pk)
    twin = kept.filter(final_address=answer.address).first()
    reason = "same_page" if twin else ""
    if twin is None and (twin := kept.filter(key=seen.key).first()):
        reason = "same_content"
    if not reason and seen.letters < fetch.shortest:
        reason = "needs_script" if seen.needs_script else "too_short"
    WebPage.objects.filter(pk=page.pk).update(
        state=PageState.LEFT_OUT if reason else PageState.KEPT,
        reason=reason,
        note="",
        status=answer.status,
        final_address=answer.address,
        title=clean_text(seen.title).text[:300],
        size=len(answer.body),
        letters=seen.letters,
        key=seen.key,
        twin=twin,
        blob=None if reason else blob,
    )
    if fetch.follows and page.depth < fetch.most_depth and reason != "same_page":
        page.final_address = answer.address
        _follow(fetch, page, seen.links)
    failpoint("web.page_kept")


def _follow(fetch: WebFetch, page: WebPage, links: Iterable[str]) -> None:
    sites = sites_of(fetch) or frozenset()
    own = [link for link in links if site_of(link) in sites]
    known = set(fetch.pages.filter(address__in=own).values_list("address", flat=True))
    new = [link for link in own if link not in known]
    room = max(0, fetch.most_pages * LISTED_FOR_EACH - fetch.pages.count())
    listed = []
    for link in new[:room]:
        reason = "media" if is_media(link) else "circles" if goes_in_circles(link) else ""
        listed.append((link, PageState.LEFT_OUT if reason else PageState.QUEUED, reason))
    _list_pages(fetch, listed, behind=page)
    if len(new) > room:
        renew(fetch, n_unlisted=fetch.n_unlisted + len(new) - room)


@transaction.atomic(durable=True)
def end_fetch(fetch: WebFetch, upload: Upload | None) -> None:
    """End a fetch with its upload, or with a sentence where no page was kept.

    The bytes of its pages are the upload's from here on.
    """
    waiting = fetch.pages.filter(state=PageState.QUEUED)
    is_stopped = WebFetch.objects.filter(pk=fetch.pk, is_stopped=True).exists()
    waiting.filter(asked_at=None).update(
        state=PageState.LEFT_OUT, reason="stopped" if is_stopped else "limit"
    )
    waiting.update(state=PageState.LEFT_OUT)
    if upload is not None:
        finish(fetch, upload=upload)
    else:
        reasons = set(fetch.pages.values_list("reason", flat=True))
        message = OFFLINE if reasons and reasons <= UNREACHED else NOTHING_KEPT
        finish(fetch, State.FAILED, reason="nothing_kept", message=message)
    fetch.pages.update(blob=None)


@transaction.atomic(durable=True)
def stop_fetch(fetch: WebFetch, *, by: User) -> bool:
    """Fetch no more pages; what is here becomes an upload. False when it is over already."""
    there = WebFetch.objects.filter(pk=fetch.pk, state__in=UNDER_WAY, is_stopped=False)
    if not there.update(is_stopped=True):
        return False
    audit.record(by, "web.stopped", fetch, after={"address": str(fetch)})
    hint(WebFetch.job, fetch.pk)
    return True


def cancel_fetch(fetch: WebFetch, *, by: User) -> bool:
    """Drop a fetch and the pages that came, also one that failed; False when it is over already."""
    with transaction.atomic(durable=True):
        there = WebFetch.objects.filter(pk=fetch.pk, state__in=(*UNDER_WAY, State.FAILED))
        if not cancel(there, "withdrawn"):
            return False
        fetch.pages.update(blob=None)
        audit.record(by, "web.cancelled", fetch, after={"address": str(fetch)})
    drop_upload(fetch, by=by)
    return True


def idem_key(fetch: WebFetch) -> str:
    """Return what the one upload of a fetch is known by."""
    return f"web {fetch.pk}"


def drop_upload(fetch: WebFetch, *, by: User | None) -> None:
    """Take back the upload of a fetch that was dropped while it was made.

    Whoever drops the fetch does so, and the worker that was just making the upload.
    """
    dropped = WebFetch.objects.filter(pk=fetch.pk, state=State.CANCELLED).exists()
    made = Upload.objects.filter(created_by=fetch.created_by, idem_key=idem_key(fetch))
    if dropped and (upload := made.first()):
        withdraw_upload(upload, by=by)


@transaction.atomic(durable=True)
def retry_fetch(fetch: WebFetch, *, by: User) -> bool:
    """Ask once more for what could not be reached; False when nothing of it failed."""
    failed = WebFetch.objects.filter(pk=fetch.pk, state=State.FAILED)
    if not order_anew(failed, is_stopped=False):
        return False
    missed = fetch.pages.filter(state=PageState.LEFT_OUT, reason__in={*AGAIN, "no_name", "inside"})
    missed.update(state=PageState.QUEUED, tries=0, reason="", note="", asked_at=None)
    audit.record(by, "web.fetch", fetch, after={"address": str(fetch)})
    hint(WebFetch.job, fetch.pk)
    return True


def check_allowed(*, is_on: bool) -> None:
    """Raise CorpusError where the operator has switched fetching off."""
    if not is_on:
        raise CorpusError("Fetching pages is switched off on this installation (OTTO_WEB_PAGES).")
