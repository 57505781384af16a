"""Fetches the pages of an order, one after the other, and makes an upload of them."""

from __future__ import annotations

import hashlib
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.limited.run import ChildError
from datasets_app.corpus.web.addresses import host_of
from datasets_app.corpus.web.errors import WebError
from datasets_app.corpus.web.fetch import Answer, Fetcher, context_of
from datasets_app.corpus.web.guard import Guard
from datasets_app.corpus.web.lists import Named, read_list
from datasets_app.corpus.web.look import Seen, look_at
from datasets_app.corpus.web.visit import Visitor
from datasets_app.jobs.faults import DiskFullError
from datasets_app.jobs.unpacking import stop_flag
from datasets_app.models import PageState, Upload, WebFetch, WebPage
from datasets_app.models.blob import blob_path
from datasets_app.services import web
from datasets_app.services.blobs import hash_file, move_into_store, work_path
from datasets_app.services.receiving import NewUpload, receive_path
from otto_web.lib.work.claims import LostLease
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.turns import give_way

TURN_SECONDS = 20.0  # then others may have the worker
LOOK_SECONDS = 0.5
LONG_AGO = 3600.0
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # in the archive: the same pages give the same bytes
DISK_FULL = "disk_full"


@dataclass(slots=True)
class Turn:
    """One worker's part of a fetch; `folder` is empty, and gone afterwards."""

    fetch: WebFetch
    lease: Lease
    folder: Path
    page: WebPage | None = None
    visitor: Visitor = field(init=False)

    def __post_init__(self) -> None:
        guard = Guard.of(settings.OTTO_WEB_INTERNAL_HOSTS)
        is_checked = not self.fetch.is_unchecked
        own = settings.OTTO_WEB_CA_FILE
        context = context_of(own, web.trusted_pem(), is_checked=is_checked)
        seconds = self.fetch.page_seconds
        fetcher = Fetcher(guard, context, seconds=seconds, touch=self.lease.touch)
        self.visitor = Visitor(
            fetcher,
            self.fetch.pause_seconds,
            self._wait,
            self._since,
            known=web.robots_of(self.fetch),
            keep=partial(web.keep_robots, self.fetch),
        )

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.lease.touch()
            time.sleep(min(LOOK_SECONDS, left))

    def _since(self, host: str) -> float:
        """Return how many seconds ago a host was asked for another page, by whichever fetch."""
        others = WebPage.objects.filter(host=host)
        if self.page is not None:
            others = others.exclude(pk=self.page.pk)
        asked = others.aggregate(at=Max("asked_at"))["at"]
        return (timezone.now() - asked).total_seconds() if asked else LONG_AGO


def fetch_pages(fetch_id: UUID | str, seconds: float = TURN_SECONDS) -> None:
    """Fetch for a while, then let others have the worker; at the end hand over an upload."""
    end = time.monotonic() + seconds

    def work(fetch: WebFetch, lease: Lease) -> None:
        web.check_allowed(is_on=settings.OTTO_WEB_PAGES)
        with _empty_folder(fetch) as folder:
            turn = Turn(fetch, lease, folder)
            while page := web.next_page(fetch):
                _fetch(turn, page)
                if time.monotonic() > end:
                    give_way(fetch)
                    return
            upload = _upload(turn)
            try:
                web.end_fetch(fetch, upload)
            except LostLease:
                web.drop_upload(fetch, by=fetch.created_by)
                raise

    perform(WebFetch, fetch_id, work, refusals=(CorpusError,))


@contextmanager
def _empty_folder(fetch: WebFetch) -> Iterator[Path]:
    """Yield an empty folder; it goes afterwards, as does what killed attempts left."""
    for left in work_path().glob(f"{fetch.pk}.*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = work_path() / f"{fetch.pk}.{fetch.fence}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(turn: Turn, page: WebPage) -> None:
    """Ask for one page and note what came of it."""
    fetch, turn.page = turn.fetch, page
    turn.lease.touch()
    if shutil.disk_usage(turn.folder).free < settings.OTTO_DISK_RESERVE_BYTES:
        raise DiskFullError
    web.note_asked(fetch, page)
    try:
        # a named address may lead to another site, whose pages are then followed
        is_bound = page.depth > 0 or page.is_list
        sites = web.sites_of(fetch) if is_bound else None
        answer = turn.visitor.visit(page.address, sites, any_kind=page.is_list)
        path = turn.folder / "page"
        path.write_bytes(answer.body)
        if page.is_list:
            web.follow_list(fetch, page, answer, _named(turn, path, answer))
            return
        seen = _seen(turn, path, answer)
    except WebError as error:
        web.leave_out(fetch, page, error)
        return
    sha256 = hash_file(path, turn.lease.touch)
    web.keep_page(fetch, page, answer, seen, move_into_store({sha256: path})[sha256])


def _named(turn: Turn, path: Path, answer: Answer) -> Named:
    try:
        return read_list(path, answer.address, stop_flag(turn.lease.touch))
    except ChildError as error:
        if error.code == DISK_FULL:
            raise DiskFullError from error
        raise WebError("unread", str(error), status=answer.status) from error


def _seen(turn: Turn, path: Path, answer: Answer) -> Seen:
    if not answer.is_page:
        said = " ".join(answer.body.decode("utf-8", "replace").split())
        return Seen("", len(said), hashlib.sha256(answer.body).hexdigest())
    try:
        return look_at(path, answer.address, stop_flag(turn.lease.touch))
    except ChildError as error:
        if error.code == DISK_FULL:
            raise DiskFullError from error
        raise WebError("unread", str(error), status=answer.status) from error


def _upload(turn: Turn) -> Upload | None:
    """Return the upload of the pages that were kept; a call too many gives the same again."""
    fetch = turn.fetch
    kept = fetch.pages.filter(state=PageState.KEPT).exclude(blob=None).order_by("pk")
    pages = list(kept.select_related("blob"))
    if not pages:
        return fetch.upload
    path = turn.folder / "pages.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for page in pages:
            turn.lease.touch()
            with (
                blob_path(str(page.blob_id)).open("rb") as body,
                archive.open(zipfile.ZipInfo(member_name(page), FIRST_DAY), "w") as member,
            ):
                shutil.copyfileobj(body, member)
    host = host_of(pages[0].final_address)
    new = NewUpload(
        name=f"{host}, {len(pages)} page{'s' * (len(pages) > 1)}.zip",
        size=path.stat().st_size,
        dataset=fetch.dataset_choice or host,
        idem_key=web.idem_key(fetch),
    )
    return receive_path(path, new, by=fetch.created_by)


def member_name(page: WebPage) -> str:
    """Return the name of a page's file: its address, which tells where each row comes from.

    With a / at its end it would be a folder in an archive; an empty fragment changes nothing.
    """
    address = page.final_address
    return f"{address}#" if address.endswith("/") else address
