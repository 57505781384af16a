"""Requests and answers: request ids, whole pages and parts of them."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django_htmx.middleware import HtmxDetails

log = logging.getLogger(__name__)
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
FAULT = 500
request_id_now: ContextVar[str] = ContextVar("request_id_now", default="")


class TeamRequest(HttpRequest):
    """A request of a signed-in person, for annotations."""

    user: User
    htmx: HtmxDetails
    request_id: str


class RequestIdMiddleware:
    """Give every request an id that its answer, its audit rows and the log of a fault share."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        with self._named(request):
            return self._stamp(request, self.get_response(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with self._named(request):
            return self._stamp(request, await self.get_response(request))

    @contextmanager
    def _named(self, request: HttpRequest) -> Iterator[None]:
        given = request.headers.get("X-Request-ID", "")
        name = given if REQUEST_ID.match(given) else uuid.uuid4().hex
        request.request_id = name  # type: ignore[attr-defined]
        token = request_id_now.set(name)
        try:
            yield
        finally:
            request_id_now.reset(token)

    def _stamp(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        name = request.request_id  # type: ignore[attr-defined]
        if answer.status_code >= FAULT:
            view = request.resolver_match.view_name if request.resolver_match else "no page"
            log.error("request %s to %s was answered %d", name, view, answer.status_code)
        answer["X-Request-ID"] = name
        return answer


class FormOnlyMiddleware(MiddlewareMixin):
    """Give who opens the address of a form a page that says so, instead of a bare 405."""

    def process_response(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        is_page = request.method == "GET" and "HX-Request" not in request.headers
        if is_page and isinstance(answer, HttpResponseNotAllowed) and not answer.content:
            answer.content = render_to_string("405.html", request=request).encode()
        return answer


def respond(
    request: HttpRequest,
    *,
    page: str,
    fragment: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """Answer with the fragment for htmx, else with the page that includes it."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    wants_fragment = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    answer = render(request, fragment if wants_fragment else page, context, status=status)
    patch_vary_headers(answer, ["HX-Request"])
    return answer
