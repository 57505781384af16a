"""Pairs of documents: ordered, watched, stopped, tried again, looked into."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.pairs import FIRST_RECIPES, BringPairsForm, PairForm, RecipeFormSet
from datasets_app.models import Dataset, GenerationItem, PairGeneration
from datasets_app.selectors import pairs as selectors
from datasets_app.selectors.datasets import header
from datasets_app.services import generating
from datasets_app.services.bringing import bring_pairs
from datasets_app.services.datasets import create_dataset
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.zip_stream import zip_of


def pair_forms(dataset: Dataset, request: TeamRequest) -> dict[str, Any]:
    """Return the forms of the step as they stand before anybody filled them in."""
    recipes = RecipeFormSet(initial=FIRST_RECIPES, prefix="recipe")
    first = {"chunk_set": request.GET.get("set", "")}
    return {"pair_form": PairForm(dataset=dataset, recipes=recipes, initial=first)}


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def pairs_new(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Take an order of pairs; “add” only shows one more recipe."""
    dataset = find_dataset(request, dataset_id)
    if request.method == "GET":
        return _new(request, dataset, pair_forms(dataset, request)["pair_form"])
    data: QueryDict = request.POST
    if data.get("do") == "add":
        more = request.POST.copy()
        total = data.get("recipe-TOTAL_FORMS", "")
        number = int(total) if total.isascii() and total.isdigit() and len(total) < 4 else 1
        more["recipe-TOTAL_FORMS"] = str(number + 1)
        more.setdefault(f"recipe-{number}-count", "3")
        data = more
    recipes = RecipeFormSet(data, prefix="recipe")
    form = PairForm(data, request.FILES, dataset=dataset, recipes=recipes)
    if request.POST.get("do") == "add" or not form.is_valid() or recipes.total_error_count():
        return _new(request, dataset, form)
    try:
        chosen = form.cleaned_data["chunk_set"]
        into = _into(request, dataset, form.cleaned_data["into"].strip())
        order = generating.order_pairs(chosen, form.options, by=request.user, dataset=into)
    except CorpusError as error:
        form.add_error(None, str(error))
        return _new(request, dataset, form)
    for warning in form.warnings:
        messages.warning(request, warning)
    return redirect("pairs-detail", dataset.pk, order.pk)


def _into(request: TeamRequest, dataset: Dataset, name: str) -> Dataset:
    """Return the dataset of a name, made where there is none; without a name the page's own."""
    if not name:
        return dataset
    found: Dataset | None = (
        Dataset.objects.visible_to(request.user).filter(name=name, deleted_at=None).first()
    )
    return found or create_dataset(name, by=request.user)


def _new(request: TeamRequest, dataset: Dataset, form: PairForm) -> HttpResponse:
    sets = form.fields["chunk_set"].queryset  # type: ignore[attr-defined]
    is_bad = form.is_bound and request.POST.get("do") != "add"
    return respond(
        request,
        page="datasets/pairs_new.html",
        fragment="datasets/_pair_form.html",
        context={
            **header(dataset),
            **selectors.pair_step(dataset, sets.first()),
            "pair_form": form,
        },
        status=422 if is_bad else 200,
    )


def _find(request: TeamRequest, dataset_id: UUID, pairs_id: UUID) -> tuple[Dataset, PairGeneration]:
    dataset = find_dataset(request, dataset_id)
    visible = PairGeneration.objects.visible_to(request.user)
    mine = visible.filter(pk__in=selectors.orders_of(dataset).values("pk"))
    order = get_object_or_404(
        mine.select_related("chunk_set", "provider", "created_by", "dataset"), pk=pairs_id
    )
    return dataset, order


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def pairs_detail(request: TeamRequest, dataset_id: UUID, pairs_id: UUID) -> HttpResponse:
    """Show how an order goes; stop it, or try again what failed."""
    dataset, order = _find(request, dataset_id, pairs_id)
    if request.method == "POST":
        deed = request.POST.get("do", "")
        stopped = deed == "stop" and generating.stop_pairs(order, by=request.user)
        if not stopped and not (deed == "retry" and generating.retry_items(order, by=request.user)):
            messages.info(request, "Nothing was changed.")
        return redirect("pairs-detail", dataset.pk, order.pk)
    shown = selectors.order_page(
        order, show=request.GET.get("show", ""), number=request.GET.get("page")
    )
    return respond(
        request,
        page="datasets/pairs_detail.html",
        fragment="datasets/_pair_order.html",
        context={**header(dataset), **shown},
    )


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def pairs_bring(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Take files of pairs that the earlier pipeline wrote."""
    dataset = find_dataset(request, dataset_id)
    form = BringPairsForm(request.POST, request.FILES) if request.method == "POST" else None
    if form is not None and form.is_valid():
        data = form.cleaned_data
        try:
            order = bring_pairs(dataset, data["name"], data["sent"], by=request.user)
        except CorpusError as error:
            form.add_error(None, str(error))
        else:
            return redirect("pairs-detail", dataset.pk, order.pk)
    return render(
        request,
        "datasets/pairs_bring.html",
        {**header(dataset), "form": form or BringPairsForm()},
        status=422 if form else 200,
    )


@role_required(Role.CURATOR)
@require_safe
def pairs_download(request: TeamRequest, dataset_id: UUID, pairs_id: UUID) -> HttpResponseBase:
    """Send the pairs of an order in the earlier pipeline's layout: a file for each document."""
    _, order = _find(request, dataset_id, pairs_id)
    if not order.items.exists():
        raise Http404
    name = f"{order.chunk_set} pairs.zip"
    pieces = zip_of(selectors.pair_files(order))
    return stream(request, pieces, of=order, name=name, kind="application/zip")


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def pair_item(request: TeamRequest, dataset_id: UUID, pairs_id: UUID, item_id: int) -> HttpResponse:
    """Show what was asked and replied for one chunk; try it again."""
    dataset, order = _find(request, dataset_id, pairs_id)
    visible = GenerationItem.objects.visible_to(request.user).filter(generation=order)
    rows = visible.select_related("chunk__document")
    heavy = ("text", "places", "headings")
    item = get_object_or_404(
        rows.defer(*(f"chunk__document__{name}" for name in heavy)), pk=item_id
    )
    if request.method == "POST":
        if not generating.retry_items(order, by=request.user, item=item):
            messages.info(request, "Wait until the order is over, then try this chunk again.")
        return redirect("pairs-detail", dataset.pk, order.pk)
    return respond(
        request,
        page="datasets/pair_item.html",
        fragment="datasets/_pair_item.html",
        context={**header(dataset), **selectors.item_page(order, item)},
    )
