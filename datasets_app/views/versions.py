"""Versions of a dataset."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.split import Shares
from datasets_app.forms.datasets import FreezeForm, NoteForm
from datasets_app.models import Knowledge, Version
from datasets_app.selectors import scores
from datasets_app.selectors import versions as selectors
from datasets_app.selectors.datasets import header
from datasets_app.selectors.freeze_preview import freeze_preview
from datasets_app.services import versions as services
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.uuids import as_uuid


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def version_list(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show a dataset's versions and freeze another one."""
    dataset = find_dataset(request, dataset_id)
    form = FreezeForm.of(dataset, request.POST if request.method == "POST" else None)
    if form.is_valid():
        version = services.order_version(dataset, form.order(), user=request.user)
        return redirect("version-detail", version.pk)
    context = {
        **header(dataset),
        "form": form,
        "statuses": scores.status_counts(dataset),
        "copies": scores.copy_count(dataset),
        "versions": selectors.versions_of(dataset),
    }
    status = 422 if form.errors else 200
    return render(request, "datasets/version_list.html", context, status=status)


@role_required(Role.CURATOR)
@require_GET
def version_preview(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Tell what freezing would make of the form as it stands."""
    dataset = find_dataset(request, dataset_id)
    form = FreezeForm.of(dataset, request.GET)
    shown = None
    if form.is_valid():
        wanted = form.order()
        shares = wanted.shares or Shares()
        shown = freeze_preview(dataset, wanted.choice, shares)
    return render(request, "datasets/_freeze_preview.html", {"form": form, "preview": shown})


@role_required(Role.CURATOR)
@require_POST
def version_note(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Store what people want to remember of a version."""
    version = find_version(request, version_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        services.set_note(version, form.cleaned_data["note"], by=request.user)
        messages.success(request, "The note is saved.")
    else:
        messages.error(request, "A note has at most 2,000 characters; nothing was saved.")
    return redirect("version-detail", version.pk)


@role_required(Role.CURATOR)
@require_GET
def version_detail(request: TeamRequest, version_id: UUID) -> HttpResponse:
    version = find_version(request, version_id)
    context = {
        "version": version,
        "knowledge": Knowledge.objects.filter(version=version).first(),
        "dataset": version.dataset,
        "score": scores.score_of_version(version),
        "parts": list(version.parts.select_related("source__dataset").order_by("place")),
        "changed": partial(selectors.changed_since, version),
        "train_query": _train_query(request, version),
    }
    return respond(
        request,
        page="datasets/version_detail.html",
        fragment="datasets/_version.html",
        context=context,
    )


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def version_delete(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Ask, then delete; what is in use says so and stays."""
    version = find_version(request, version_id)
    if request.method == "POST":
        try:
            services.delete_version(version, by=request.user)
        except CorpusError as error:
            messages.error(request, str(error))
            return redirect("version-detail", version.pk)
        messages.success(request, f"The version “{version.name}” is deleted.")
        return redirect("version-list", version.dataset_id)
    context = {"version": version, "dataset": version.dataset}
    return render(request, "datasets/version_delete.html", context)


def _train_query(request: TeamRequest, version: Version) -> str:
    """Return the query for the form of a run on this version, and from a model if one is named."""
    query = {"version": str(version.pk)}
    if model := as_uuid(request.GET.get("start_model", "")):
        query["start_model"] = str(model)
    return urlencode(query)


def find_version(request: TeamRequest, version_id: UUID) -> Version:
    """Return a version that the person may see; 404 otherwise."""
    visible = Version.objects.visible_to(request.user).select_related("dataset", "created_by")
    found: Version = get_object_or_404(visible, pk=version_id)
    return found
