"""Datasets: the list, their history and settings, deletion."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.datasets import DatasetForm
from datasets_app.models import Dataset
from datasets_app.selectors import datasets as selectors
from datasets_app.selectors.quality_samples import judged_samples
from datasets_app.selectors.removals import removals_under_way
from datasets_app.services import datasets as services
from datasets_app.services.examples import add_examples
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond

FRAGMENTS = {"removals": "datasets/_removals.html"}


def find_dataset(request: TeamRequest, dataset_id: UUID) -> Dataset:
    """Return the dataset, or answer 404 for a stranger and for one that is gone."""
    visible = Dataset.objects.visible_to(request.user).filter(deleted_at=None)
    found: Dataset = get_object_or_404(visible, pk=dataset_id)
    return found


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def dataset_list(request: TeamRequest) -> HttpResponse:
    form = DatasetForm(request.POST) if request.method == "POST" else DatasetForm()
    if form.is_valid():
        made = services.create_dataset(form.cleaned_data["name"], by=request.user)
        return redirect("dataset-detail", made.pk)
    return respond(
        request,
        page="datasets/dataset_list.html",
        fragment=FRAGMENTS.get(request.htmx.target or "", "datasets/_dataset_list.html"),
        context={
            "datasets": SimpleLazyObject(partial(selectors.dataset_list, request.user)),
            "removals": removals_under_way(),
            "form": form,
        },
        status=422 if form.errors else 200,
    )


@role_required(Role.CURATOR)
@require_GET
def quality_samples(request: TeamRequest) -> HttpResponse:
    """Show a good and a bad set of conversations with what the rules say of each."""
    return render(request, "datasets/quality_samples.html", {"samples": judged_samples()})


@role_required(Role.CURATOR)
@require_POST
def dataset_examples(request: TeamRequest) -> HttpResponse:
    """Make a dataset of the bundled example conversations."""
    made = add_examples(by=request.user)
    messages.success(request, "Eight conversations of one turn each. Change them as you like.")
    return redirect("dataset-detail", made.pk)


@role_required(Role.CURATOR)
@require_GET
def dataset_history(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    dataset = find_dataset(request, dataset_id)
    context = {**selectors.header(dataset), "actions": selectors.history(dataset)}
    return render(request, "datasets/dataset_history.html", context)


@role_required(Role.CURATOR)
@require_GET
def dataset_left_out(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """List the texts that were too short, or said too little, to be loaded."""
    dataset = find_dataset(request, dataset_id)
    return render(request, "datasets/dataset_left_out.html", selectors.left_out_page(dataset))


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def dataset_settings(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Rename the dataset."""
    dataset = find_dataset(request, dataset_id)
    start = {"name": dataset.name}
    form = DatasetForm(request.POST) if request.method == "POST" else DatasetForm(initial=start)
    if form.is_valid():
        try:
            services.rename_dataset(dataset, form.cleaned_data["name"], by=request.user)
        except CorpusError as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "The dataset has its new name.")
            return redirect("dataset-settings", dataset.pk)
    context = {**selectors.header(dataset), "form": form, "figures": selectors.deletion_of(dataset)}
    status = 422 if form.errors else 200
    return render(request, "datasets/dataset_settings.html", context, status=status)


@role_required(Role.CURATOR)
@require_POST
def dataset_delete(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    dataset = find_dataset(request, dataset_id)
    services.delete_dataset(dataset, by=request.user)
    messages.success(request, f"The dataset “{dataset.name}” is gone. Frozen versions stay.")
    return redirect("dataset-list")
