"""The way from the log back into a dataset."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from chat_app.models import LogEntry
from chat_app.selectors.log_filter import LogFilter
from chat_app.serving.errors import ServingError
from chat_app.views.logs import show_log
from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Dataset
from datasets_app.services.datasets import create_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest
from otto_web.loop.forms.harvest import HarvestForm
from otto_web.loop.services import harvest
from otto_web.loop.services.harvest import Harvest


@role_required(Role.CURATOR)
@require_POST
def log_harvest(request: TeamRequest) -> HttpResponse:
    """Add the selected exchanges, or all that match, to a dataset."""
    form = HarvestForm(request.POST)
    if not form.is_valid():
        sentences = [str(one) for found in form.errors.values() for one in found]
        return show_log(request, error=" ".join(sentences))
    chosen = _selected(request) if form.cleaned_data["scope"] == "selected" else None
    if chosen is not None and not chosen.exists():
        return show_log(
            request, error="No exchange is selected, so nothing was added. Select some first."
        )
    try:
        dataset, done = _carry_out(request, form, chosen)
    except (CorpusError, ServingError) as error:
        return show_log(request, error=str(error))
    address = reverse("dataset-detail", args=[dataset.pk])
    link = format_html('<a href="{}">Look at “{}”</a>', address, dataset.name)
    messages.success(request, format_html("{} {}", done.sentence(), link))
    if request.htmx:
        return show_log(request)
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
