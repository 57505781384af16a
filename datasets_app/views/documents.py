"""Documents of a dataset: cut into chunks, watched, looked at, taken along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from datasets_app.corpus.chunks.settings import Settings
from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.documents import BringForm, ChunkForm, as_initial
from datasets_app.models import ChunkSet, Dataset, Document, Upload
from datasets_app.selectors import documents as selectors
from datasets_app.selectors import pairs
from datasets_app.selectors.datasets import header
from datasets_app.selectors.scorings import newest_of
from datasets_app.services import documents as services
from datasets_app.views.datasets import find_dataset
from datasets_app.views.pairs import pair_forms
from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.zip_stream import zip_of

FRAGMENTS = {"chunk-set": "datasets/_chunk_set.html"}


def find_set(request: TeamRequest, dataset: Dataset, set_id: UUID) -> ChunkSet:
    """Return a set of chunks of the dataset, or answer 404."""
    visible = ChunkSet.objects.visible_to(request.user).filter(dataset=dataset)
    found: ChunkSet = get_object_or_404(visible, pk=set_id)
    return found


def _page(request: TeamRequest, dataset: Dataset, **more: Any) -> HttpResponse:
    """Answer with the page of all steps; `more` holds forms that were filled in."""
    shown = selectors.set_page(
        dataset,
        chosen=request.GET.get("set", ""),
        show=request.GET.get("show", ""),
        number=request.GET.get("page"),
    )
    found = shown["chunk_set"]
    if request.htmx.target in FRAGMENTS:  # it looks again every second
        answer = render(request, FRAGMENTS[request.htmx.target], {"dataset": dataset, **shown})
        if not (found and found.is_under_way):
            answer["HX-Trigger-After-Settle"] = "otto:cut"  # the later steps look again
        return answer
    shown |= selectors.input_part(dataset, request.user)
    shown |= pairs.pair_step(dataset, found)
    shown |= pair_forms(dataset, request)
    shown["scoring"] = newest_of(dataset)
    form = ChunkForm(initial=as_initial(Settings.from_json(found.settings)) if found else None)
    forms = {"form": form, "bring_form": BringForm(), "preview": None, "picked": ()}
    given = [form for form in (more.get("form"), more.get("bring_form")) if form]
    return respond(
        request,
        page="datasets/document_list.html",
        fragment="datasets/_documents.html",
        context={**header(dataset), **shown, **forms, **more},
        status=422 if any(form.errors for form in given) else 200,
    )


def _of_set(dataset: Dataset, found: ChunkSet) -> HttpResponse:
    return redirect(f"{reverse('document-list', args=[dataset.pk])}?set={found.pk}")


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def document_list(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show the steps from documents to pairs; take what is to be cut, or show how it would be."""
    dataset = find_dataset(request, dataset_id)
    if request.method == "GET":
        return _page(request, dataset)
    form = ChunkForm(request.POST)
    form.fields["uploads"].queryset = Upload.objects.visible_to(request.user).shown()  # type: ignore[attr-defined]
    picked = request.POST.getlist("uploads")
    if not form.is_valid():
        return _page(request, dataset, form=form, picked=picked)
    data = form.cleaned_data
    files = selectors.files_of_uploads(list(data["uploads"]), data["only"].strip())
    if request.POST.get("do") == "try":
        seen = selectors.preview(files, form.settings)
        if seen is None:
            form.add_error("only", "No document in these uploads has that in its name.")
        return _page(request, dataset, form=form, picked=picked, preview=seen)
    try:
        order = services.order_chunks(dataset, data["name"], form.settings, files, by=request.user)
    except CorpusError as error:
        form.add_error(None, str(error))
        return _page(request, dataset, form=form, picked=picked)
    return _of_set(dataset, order)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def chunks_bring(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Take files of chunks that the earlier pipeline wrote."""
    dataset = find_dataset(request, dataset_id)
    if request.method == "GET":
        return redirect("document-list", dataset.pk)
    form = BringForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, dataset, bring_form=form)
    data = form.cleaned_data
    try:
        found = services.bring_chunks(dataset, data["name"], data["sent"], by=request.user)
    except CorpusError as error:
        form.add_error(None, str(error))
        return _page(request, dataset, bring_form=form)
    return _of_set(dataset, found)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def chunk_set(request: TeamRequest, dataset_id: UUID, set_id: UUID) -> HttpResponse:
    """Try failed documents again, stop, or remove the set; who comes by GET sees it."""
    dataset = find_dataset(request, dataset_id)
    found = find_set(request, dataset, set_id)
    deed = request.POST.get("do", "") if request.method == "POST" else ""
    if deed == "retry" and not services.retry_failed(found, by=request.user):
        messages.info(request, "These documents are being cut already.")
    elif deed == "stop":
        services.stop_chunks(found, by=request.user)
    elif deed == "remove":
        services.remove_chunks(found, by=request.user)
        messages.success(request, f"The chunks “{found.name}” were removed.")
        return redirect("document-list", dataset.pk)
    return _of_set(dataset, found)


@role_required(Role.CURATOR)
@require_safe
def chunks_download(request: TeamRequest, dataset_id: UUID, set_id: UUID) -> HttpResponseBase:
    """Send the chunks in the earlier pipeline's layout: a file for each document."""
    dataset = find_dataset(request, dataset_id)
    found = find_set(request, dataset, set_id)
    if not found.n_done:
        raise Http404
    pieces = zip_of(selectors.chunk_files(found))
    name = f"{found.name} chunks.zip"
    return stream(request, pieces, of=found, name=name, kind="application/zip")


@role_required(Role.CURATOR)
@require_GET
def document_detail(request: TeamRequest, dataset_id: UUID, document_id: int) -> HttpResponse:
    """Show one chunk where it stands in its document."""
    dataset = find_dataset(request, dataset_id)
    visible = Document.objects.visible_to(request.user).filter(chunk_set__dataset=dataset)
    rows = visible.without_text().select_related("chunk_set", "source_file")
    document = get_object_or_404(rows, pk=document_id)
    asked = request.GET.get("chunk", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    return respond(
        request,
        page="datasets/document_detail.html",
        fragment="datasets/_chunk.html",
        context={**header(dataset), **selectors.chunk_page(document, number)},
    )
