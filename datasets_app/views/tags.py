"""The tags of a dataset: how often each is there, renamed, merged, deleted."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.rows import selected_rows
from datasets_app.models import Dataset
from datasets_app.selectors.datasets import header
from datasets_app.selectors.tags import tags_of_dataset
from datasets_app.services import tagging
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def dataset_tags(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show the tags with their counts; rename one, also to merge it with another, or delete it."""
    dataset = find_dataset(request, dataset_id)
    if request.method == "POST":
        try:
            _change(request, dataset)
        except CorpusError as error:
            messages.error(request, str(error))
        return redirect("dataset-tags", dataset.pk)
    context = {**header(dataset), "tags": tags_of_dataset(dataset)}
    return render(request, "datasets/dataset_tags.html", context)


def _change(request: TeamRequest, dataset: Dataset) -> None:
    found = selected_rows([request.POST.get("tag", "")])
    tag = get_object_or_404(dataset.tags.all(), pk=found[0] if found else 0)
    if request.POST.get("do") == "delete":
        action = tagging.delete_tag(dataset, tag, by=request.user)
    else:
        renamed = tagging.rename_tag(dataset, tag, request.POST.get("name", ""), by=request.user)
        if renamed is None:
            return
        action = renamed
    messages.success(request, f"{action.title}.", extra_tags=f"undo:{action.pk}")
