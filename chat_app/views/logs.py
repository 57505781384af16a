"""The log: what models answered, and what people think of it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from chat_app.models import LogEntry
from chat_app.selectors import log as selectors
from chat_app.selectors.log_filter import LogFilter
from chat_app.services.chats import RATING_VALUES, rate
from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest, respond


@role_required(Role.CURATOR)
@require_GET
def log_list(request: TeamRequest) -> HttpResponse:
    return show_log(request)


def show_log(request: TeamRequest, *, error: str = "") -> HttpResponse:
    """Show the entries that the address names, with what went wrong."""
    chosen = LogFilter.from_query(request.GET)
    return respond(
        request,
        page="chat/log_list.html",
        fragment="chat/_log_table.html",
        context={
            **selectors.log_list_page(request.user, chosen),
            "error": error,
            "new_name": request.POST.get("new_name", "")[:180],
        },
        status=422 if error else 200,
    )


@role_required(Role.CURATOR)
@require_POST
def log_rate(request: TeamRequest, message_id: UUID) -> HttpResponse:
    """Store what a curator thinks of a logged answer; who asked stays unknown."""
    visible = LogEntry.objects.visible_to(request.user).select_related("message")
    entry = get_object_or_404(visible, pk=message_id)
    value = RATING_VALUES.get(request.POST.get("rating", ""))
    if value is None:
        return show_log(request, error="Rate an answer with good or bad.")
    rate(entry.message, value, by=request.user)
    if request.htmx:
        return show_log(request)
    return redirect(f"{reverse('log-list')}?{LogFilter.from_query(request.GET).query()}")


@role_required(Role.CURATOR)
@require_safe
def log_download(request: TeamRequest) -> HttpResponseBase:
    """Send the entries that match as JSON: input, output, timestamp."""
    entries = LogFilter.from_query(request.GET).entries(request.user)
    name = f"otto-log-{timezone.localdate().isoformat()}.json"
    blocks = selectors.json_blocks(entries)
    return stream(request, blocks, of=LogEntry(), name=name, kind="application/json")
