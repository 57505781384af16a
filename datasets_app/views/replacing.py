"""Search and replace: what to look for, what would change, and what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.cleaning import PROFILE_NAMES
from datasets_app.forms.replacing import CleanForm, ReplaceForm
from datasets_app.forms.rows import selected_rows
from datasets_app.jobs.replacing import begin
from datasets_app.models import Dataset, Replacement
from datasets_app.selectors.replacing import replacement_page, switches_of
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import replacing
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def words_replace(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Take what is looked for, among the rows of the address; then show what would change."""
    dataset = find_dataset(request, dataset_id)
    rows = RowFilter.from_query(request.GET)
    form = ReplaceForm(request.POST) if request.method == "POST" else ReplaceForm()
    if form.is_valid():
        order = replacing.order_look(dataset, form.wanted, rows, by=request.user)
        begin(order, rows=0)
        return redirect("replacement-detail", dataset.pk, order.pk)
    if not form.is_bound:
        form = ReplaceForm(initial=_wanted_again(request, dataset))
    context = {
        "dataset": dataset,
        "form": form,
        "narrows": rows.narrows,
        "here": rows.query(),
        "sentence": rows.sentence,
    }
    status = 422 if form.is_bound else 200
    return render(request, "datasets/words_replace.html", context, status=status)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def words_clean(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Take what is to be cleaned, among the rows of the address; then show what would change."""
    dataset = find_dataset(request, dataset_id)
    rows = RowFilter.from_query(request.GET)
    form = CleanForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        order = replacing.order_look(dataset, form.wanted, rows, by=request.user)
        begin(order, rows=0)
        return redirect("replacement-detail", dataset.pk, order.pk)
    again = _wanted_again(request, dataset)
    switches = again.get("switches") or switches_of(dataset, request.GET.get("profile", ""))
    context = {
        "dataset": dataset,
        "form": form or CleanForm(initial={"switches": switches}),
        "narrows": rows.narrows,
        "here": rows.query(),
        "sentence": rows.sentence,
        "profiles": PROFILE_NAMES.items(),
    }
    return render(request, "datasets/words_clean.html", context, status=422 if form else 200)


def _wanted_again(request: TeamRequest, dataset: Dataset) -> dict[str, Any]:
    """Return what the order asked for that the address names; nothing where it names none."""
    again = selected_rows([request.GET.get("again", "")])
    earlier = dataset.replacements.filter(pk=again[0]).first() if again else None
    return earlier.wanted if earlier else {}


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def replacement_detail(request: TeamRequest, dataset_id: UUID, order_id: int) -> HttpResponse:
    """Show a search and replace; have it done, or stopped."""
    dataset = find_dataset(request, dataset_id)
    order = get_object_or_404(dataset.replacements.select_related("action"), pk=order_id)
    if request.method == "POST":
        _carry_out(request, order)
        return redirect("replacement-detail", dataset.pk, order.pk)
    return respond(
        request,
        page="datasets/replacement_detail.html",
        fragment="datasets/_replacement.html",
        context=replacement_page(dataset, order),
    )


def _carry_out(request: TeamRequest, order: Replacement) -> None:
    if request.POST.get("do") == "stop":
        replacing.stop_replacing(order, by=request.user)
        return
    shown = selected_rows(request.POST.getlist("shown"))
    spared = set(shown) - set(selected_rows(request.POST.getlist("row")))
    if order.n_rows <= len(spared):
        messages.info(request, "No conversation is selected, so nothing was changed.")
    elif replacing.order_replacing(order, spared, by=request.user):
        begin(order, rows=order.n_rows)
