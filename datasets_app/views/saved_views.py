"""Saved views of a table: each answer leads back to the table as it was."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.saved_views import ViewForm
from datasets_app.models import Dataset, SavedView
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import saved_views as services
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest

UNNAMED = "Give the view a name of up to 60 characters. Nothing was saved."


@role_required(Role.CURATOR)
@require_POST
def view_save(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Give the table as it is shown a name."""
    dataset = find_dataset(request, dataset_id)
    rows = RowFilter.from_query(request.GET)
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, UNNAMED)
        return _table(dataset, rows.query())
    name, is_shared = form.cleaned_data["name"], form.cleaned_data["shared"]
    try:
        view = services.save_view(dataset, name, rows, is_shared=is_shared, by=request.user)
    except CorpusError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The view “{view.name}” is saved.")
    return _table(dataset, rows.query())


@role_required(Role.CURATOR)
@require_POST
def view_change(request: TeamRequest, view_id: int) -> HttpResponse:
    """Rename, share or delete a view of one's own; others' views are theirs."""
    own = SavedView.objects.visible_to(request.user).filter(owner=request.user)
    view = get_object_or_404(own.select_related("dataset"), pk=view_id)
    if request.POST.get("do") == "delete":
        view.delete()
        messages.success(request, f"The view “{view.name}” is deleted. Its rows stay as they are.")
        return _table(view.dataset, RowFilter.from_query(request.GET).query())
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, UNNAMED)
        return _table(view.dataset, view.query)
    name, is_shared = form.cleaned_data["name"], form.cleaned_data["shared"]
    try:
        services.change_view(view, name=name, is_shared=is_shared)
    except CorpusError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The view is called “{name}” now.")
    return _table(view.dataset, view.query)


def _table(dataset: Dataset, query: str) -> HttpResponse:
    return redirect(f"{reverse('dataset-detail', args=[dataset.pk])}?{query}")
