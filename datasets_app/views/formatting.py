"""Choosing pairs by their scores, and writing them as other programs train on them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from datasets_app.corpus.judging.report import FILTERED_END, filtered_text
from datasets_app.corpus.layouts.prompts import (
    LINES_NAME,
    LIST_NAME,
    PROMPTS,
    training_lines,
    training_list,
    warnings_of,
)
from datasets_app.forms.scoring import FormatForm
from datasets_app.models import Scoring
from datasets_app.selectors import formatting
from datasets_app.selectors import scorings as selectors
from datasets_app.selectors.datasets import header
from datasets_app.services.versions import VersionOrder, order_version
from datasets_app.views.scoring import find_scoring
from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest

JSON, LINES = "application/json", "application/jsonl"


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def score_format(request: TeamRequest, scoring_id: UUID) -> HttpResponse:
    """Show what a threshold keeps and how it is written; freeze it as a version."""
    scoring = find_scoring(request, scoring_id)
    form = FormatForm(request.POST if request.method == "POST" else _asked(request.GET, scoring))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        name = told["name"] or f"{scoring.dataset.name}, {told['threshold']} or more"
        wanted = VersionOrder(
            told["choice"],
            name=name[:180],
            scoring=scoring,
            threshold=told["threshold"],
            with_passages=told["passages"],
        )
        version = order_version(scoring.dataset, wanted, user=request.user)
        return redirect("version-detail", version.pk)
    context = {**header(scoring.dataset), "scoring": scoring, "form": form, **_kept(form, scoring)}
    context["versions"] = formatting.versions_of(scoring)
    status = 422 if form.errors else 200
    return render(request, "datasets/score_format.html", context, status=status)


@role_required(Role.CURATOR)
@require_GET
def score_kept(request: TeamRequest, scoring_id: UUID) -> HttpResponse:
    """Tell what the form as it stands would keep, drop and write."""
    scoring = find_scoring(request, scoring_id)
    form = FormatForm(_asked(request.GET, scoring))
    context = {"scoring": scoring, "form": form, **_kept(form, scoring)}
    return render(request, "datasets/_score_kept.html", context)


def _asked(query: QueryDict, scoring: Scoring) -> dict[str, Any]:
    """Return what an address names, and what usually stands there for the rest."""
    start = {name: field.initial for name, field in FormatForm.base_fields.items()}
    start["threshold"] = scoring.passing
    return {name: query.get(name, usual) for name, usual in start.items()}


def _kept(form: FormatForm, scoring: Scoring) -> dict[str, Any]:
    if not form.is_valid():
        return {"kept": None}
    told = form.cleaned_data
    prompt = PROMPTS[told["template"]]
    page = selectors.dropped_of(scoring, told["threshold"], 1)
    return {
        "kept": selectors.kept_of(scoring, told["threshold"], told["choice"]),
        "samples": formatting.samples_of(scoring, told, prompt),
        "prompt": prompt,
        "lengths": formatting.lengths(scoring, told, prompt),
        "page": page,
        "shown": selectors.shown(scoring, page),
        "warnings": warnings_of(told["system"]) if told["system"] else [],
        "here": formatting.address_of(told),
    }


@role_required(Role.CURATOR)
@require_safe
def score_download(request: TeamRequest, scoring_id: UUID, layout: str) -> HttpResponseBase:
    """Send the pairs that a threshold keeps, under the names of the earlier pipeline."""
    scoring = find_scoring(request, scoring_id)
    form = FormatForm(_asked(request.GET, scoring))
    if not form.is_valid():
        raise Http404
    told = form.cleaned_data
    name, kind, pieces = _file(scoring, layout, told)
    return stream(request, pieces, of=scoring, name=name, kind=kind)


def _file(scoring: Scoring, layout: str, told: dict[str, Any]) -> tuple[str, str, Iterator[str]]:
    threshold: Decimal = told["threshold"]
    prompt = PROMPTS[told["template"]]
    samples = formatting.kept_samples(scoring, threshold, told["choice"])
    if layout == "lines":
        return LINES_NAME, LINES, iter(training_lines(samples, prompt, told["system"]))
    if layout == "list":
        return LIST_NAME, JSON, iter(training_list(samples, prompt, told["system"]))
    if layout != "filtered":
        raise Http404
    head = {"filter_threshold": float(threshold), "source_file": scoring.dataset.name}
    pairs = selectors.scored_pairs(scoring, threshold=threshold, choice=told["choice"])
    return f"{scoring.dataset.name}{FILTERED_END}", JSON, filtered_text(pairs, metadata=head)
