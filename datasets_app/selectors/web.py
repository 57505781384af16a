"""What the pages about fetched web pages show, with a fixed number of queries each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Sum

from datasets_app.corpus.web.errors import REASONS, SHORT
from datasets_app.models import PageState, WebFetch, WebPage

PAGE_SIZE = 100
SHOWN_FETCHES = 20
COUNTS = {
    "n_kept": Count("pages", filter=Q(pages__state=PageState.KEPT)),
    "n_asked": Count("pages__asked_at", filter=Q(pages__is_list=False)),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why pages were left out, and how many."""

    code: str
    words: str
    count: int


def fetches(user: User) -> QuerySet[WebFetch]:
    """Return the newest fetches with how many pages each has."""
    found: QuerySet[WebFetch] = WebFetch.objects.visible_to(user).annotate(**COUNTS)
    return found.select_related("created_by").order_by("-created_at")[:SHOWN_FETCHES]


def fetch_page(fetch: WebFetch, *, show: str, number: str | None) -> dict[str, Any]:
    """Return a fetch with its pages: all, those that were kept, or those left out for a reason."""
    figures = fetch.pages.aggregate(
        kept=Count("pk", filter=Q(state=PageState.KEPT)),
        left_out=Count("pk", filter=Q(state=PageState.LEFT_OUT)),
        queued=Count("pk", filter=Q(state=PageState.QUEUED)),
        asked=Count("asked_at", filter=Q(is_list=False)),
        size=Sum("size", filter=Q(state=PageState.KEPT), default=0),
    )
    reasons = _reasons(fetch)
    return {
        "fetch": fetch,
        "figures": figures,
        "reasons": reasons,
        "show": show,
        "page": _pages(fetch, show, number),
        "can_retry": fetch.state == "failed",
    }


def _reasons(fetch: WebFetch) -> list[Reason]:
    left = fetch.pages.filter(state=PageState.LEFT_OUT).values_list("reason")
    found = left.annotate(n=Count("pk")).order_by("-n", "reason")
    return [Reason(code, SHORT.get(code, code), count) for code, count in found]


def _pages(fetch: WebFetch, show: str, number: str | None) -> Page[WebPage]:
    """Return the pages in the order in which they were found."""
    found = fetch.pages.select_related("found_on", "twin").order_by("pk")
    if show in PageState.values:
        found = found.filter(state=show)
    elif show in REASONS:
        found = found.filter(state=PageState.LEFT_OUT, reason=show)
    return Paginator(found, PAGE_SIZE).get_page(number)
