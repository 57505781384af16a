"""The log: what models answered, and the way back into a dataset."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST, require_safe

from chat_app.forms import HarvestForm
from chat_app.logfilter import LogFilter
from chat_app.models import LogEntry
from chat_app.selectors import log as selectors
from chat_app.services import harvest
from chat_app.services.chats import RATING_VALUES, rate
from chat_app.services.harvest import Harvest
from chat_app.serving.errors import ServingError
from datasets_app.models import Dataset
from datasets_app.services.datasets import create_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest, respond


@role_required(Role.CURATOR)
@require_GET
def log_list(request: TeamRequest) -> HttpResponse:
    return _show(request)


def _show(request: TeamRequest, *, error: str = "") -> HttpResponse:
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
def log_harvest(request: TeamRequest) -> HttpResponse:
    """Add the selected exchanges, or all that match, to a dataset."""
    form = HarvestForm(request.POST)
    if not form.is_valid():
        sentences = [str(one) for found in form.errors.values() for one in found]
        return _show(request, error=" ".join(sentences))
    chosen = _selected(request) if form.cleaned_data["scope"] == "selected" else None
    if chosen is not None and not chosen.exists():
        return _show(
            request, error="No exchange is selected, so nothing was added. Select some first."
        )
    try:
        dataset, done = _carry_out(request, form, chosen)
    except ServingError as error:
        return _show(request, error=str(error))
    address = reverse("dataset-detail", args=[dataset.pk])
    link = format_html('<a href="{}">Look at “{}”</a>', address, dataset.name)
    messages.success(request, format_html("{} {}", done.sentence(), link))
    if request.htmx:
        return _show(request)
    return redirect(f"{reverse('log-list')}?{LogFilter.from_query(request.GET).query()}")


def _selected(request: TeamRequest) -> QuerySet[LogEntry]:
    wanted = harvest.selected(request.POST.getlist("row"))
    found: QuerySet[LogEntry] = LogEntry.objects.visible_to(request.user).filter(pk__in=wanted)
    return found.order_by("at")


@transaction.atomic  # a dataset made for nothing goes again
def _carry_out(
    request: TeamRequest, form: HarvestForm, chosen: QuerySet[LogEntry] | None
) -> tuple[Dataset, Harvest]:
    values, by = form.cleaned_data, request.user
    dataset = values["dataset"] or create_dataset(values["new_name"], by=by)
    if chosen is not None:
        return dataset, harvest.add_to_dataset(chosen, dataset, by=by)
    matching = LogFilter.from_query(request.GET).entries(by).order_by("at")
    previewed = values["previewed"] or 0
    return dataset, harvest.add_matching(matching, dataset, previewed=previewed, by=by)


@role_required(Role.CURATOR)
@require_POST
def log_rate(request: TeamRequest, message_id: UUID) -> HttpResponse:
    """Store what a curator thinks of a logged answer; who asked stays unknown."""
    visible = LogEntry.objects.visible_to(request.user).select_related("message")
    entry = get_object_or_404(visible, pk=message_id)
    value = RATING_VALUES.get(request.POST.get("rating", ""))
    if value is None:
        return _show(request, error="Rate an answer with good or bad.")
    rate(entry.message, value, by=request.user)
    if request.htmx:
        return _show(request)
    return redirect(f"{reverse('log-list')}?{LogFilter.from_query(request.GET).query()}")


@role_required(Role.CURATOR)
@require_safe
def log_download(request: TeamRequest) -> HttpResponseBase:
    """Send the entries that match as JSON: input, output, timestamp."""
    entries = LogFilter.from_query(request.GET).entries(request.user)
    name = f"otto-log-{timezone.localdate().isoformat()}.json"
    blocks = selectors.json_blocks(entries)
    return stream(request, blocks, of=LogEntry(), name=name, kind="application/json")
