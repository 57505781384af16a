"""The step from addresses to an upload: pages are fetched, and what they say becomes documents."""

from __future__ import annotations

from django.db import transaction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.jobs.loading import import_here
from datasets_app.jobs.web import fetch_pages
from datasets_app.models import PageState, WebFetch
from datasets_app.services.web import Wanted, new_fetch, retry_fetch
from otto_web.lib.work.claims import renew
from otto_web.lib.work.states import State
from otto_web.loop.jobs.stepping import Wait, in_turn, needed
from otto_web.loop.models import Pipeline


def fetch(pipeline: Pipeline) -> str:
    """Fetch the pages that were named; one that cannot be kept is counted, and the rest goes on."""
    tries = pipeline.options.get("tries", 0)
    order = _order(pipeline)
    if order.state == State.FAILED and pipeline.options.get("fetch_tries", 0) < tries:
        retry_fetch(order, by=needed(pipeline.created_by))
        renew(pipeline, options={**pipeline.options, "fetch_tries": tries})
    fetch_pages(order.pk)
    order.refresh_from_db()
    kept = order.pages.filter(state=PageState.KEPT).count()
    if order.state == State.FAILED:
        raise CorpusError(order.message)
    if not order.is_over:
        raise Wait(f"{kept:,} pages are here")
    upload = import_here(needed(order.upload), wait=in_turn())
    renew(pipeline, options={**pipeline.options, "uploads": [str(upload.pk)]})
    left = order.pages.filter(state=PageState.LEFT_OUT).count()
    return f"{kept:,} pages are here" + (f", {left:,} were left out" if left else "")


@transaction.atomic(durable=True)
def _order(pipeline: Pipeline) -> WebFetch:
    """Return the order, written and named in one step: after a crash it is found."""
    options = pipeline.options
    if options.get("fetch"):
        found: WebFetch = needed(WebFetch.objects.filter(pk=options["fetch"]).first())
        return found
    wanted = Wanted(tuple(options["addresses"]), follows=options["follows"])
    order = new_fetch(wanted, by=needed(pipeline.created_by))
    renew(pipeline, options={**options, "fetch": str(order.pk)})
    return order
