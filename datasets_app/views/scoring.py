"""Scores of a dataset's pairs: ordered, watched, judged themselves, taken along."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.report import FILE_END, read_report, report_text
from datasets_app.forms.scoring import CutsForm, LabelForm, ReportForm, ScoringForm
from datasets_app.models import Dataset, Scoring
from datasets_app.selectors import calibrating
from datasets_app.selectors import scorings as selectors
from datasets_app.selectors.datasets import header
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import scoring as services
from datasets_app.services.reports import bring_report
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest, respond


def find_scoring(request: TeamRequest, scoring_id: UUID) -> Scoring:
    """Return a scoring of a dataset that is there, or answer 404."""
    visible = Scoring.objects.visible_to(request.user).filter(dataset__deleted_at=None)
    found: Scoring = get_object_or_404(visible.select_related("dataset"), pk=scoring_id)
    return found


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def score_list(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show a dataset's scorings, and order another one."""
    dataset = find_dataset(request, dataset_id)
    rows = RowFilter.from_query(request.GET)
    if request.method == "GET":
        return _list(request, dataset, rows)
    if request.FILES:
        return _bring(request, dataset, rows)
    form = ScoringForm(request.POST, providers=selectors.judges())
    if form.is_valid():
        order = form.order(rows.query() if rows.narrows else "")
        try:
            scoring = services.order_scoring(dataset, order, by=request.user)
        except CorpusError as error:
            form.add_error(None, str(error))
        else:
            return redirect("score-detail", scoring.pk)
    return _list(request, dataset, rows, form=form)


def _bring(request: TeamRequest, dataset: Dataset, rows: RowFilter) -> HttpResponse:
    form = ReportForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            report = read_report(json.load(form.cleaned_data["report"]))
            scoring = bring_report(dataset, report, by=request.user)
        except (ValueError, RecursionError):
            form.add_error("report", "This file is no JSON. Bring the report as it was written.")
        except CorpusError as error:
            form.add_error("report", str(error))
        else:
            messages.success(request, calibrating.brought_words(report))
            return redirect("score-detail", scoring.pk)
    return _list(request, dataset, rows, report_form=form)


def _list(
    request: TeamRequest,
    dataset: Dataset,
    rows: RowFilter,
    *,
    form: ScoringForm | None = None,
    report_form: ReportForm | None = None,
) -> HttpResponse:
    given = form or report_form
    context = {
        **header(dataset),
        "filter": rows,
        "form": form or ScoringForm(providers=selectors.judges()),
        "report_form": report_form or ReportForm(),
        "scorings": selectors.scorings_of(dataset),
    }
    return respond(
        request,
        page="datasets/score_list.html",
        fragment="datasets/_score_list.html",
        context=context,
        status=422 if given is not None and given.errors else 200,
    )


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def score_detail(request: TeamRequest, scoring_id: UUID) -> HttpResponse:
    """Show how pairs scored; move the cuts, stop, go on, draw pairs to label, exclude."""
    scoring = find_scoring(request, scoring_id)
    if request.method == "GET":
        return _page(request, scoring)
    deed = request.POST.get("do", "")
    form = CutsForm(request.POST) if deed == "cuts" else None
    try:
        if form is not None and form.is_valid():
            services.set_cuts(scoring, form.cleaned_data["cuts"], by=request.user)
        elif form is None:
            _do(request, scoring, deed)
    except CorpusError as error:
        messages.error(request, str(error))
    if form is not None and form.errors:
        return _page(request, scoring, form=form)
    if deed == "draw":
        return redirect("score-calibrate", scoring.pk)
    return redirect("score-detail", scoring.pk)


def _do(request: TeamRequest, scoring: Scoring, deed: str) -> None:
    if deed == "stop":
        services.stop_scoring(scoring, by=request.user)
    elif deed in {"go-on", "again"} and not scoring.is_under_way:
        services.go_on(scoring, by=request.user, again=deed == "again")
    elif deed == "draw":
        services.draw_labels(scoring, by=request.user)
    elif deed == "exclude":
        action = services.exclude_failed(scoring, by=request.user)
        done = action.done if action else 0
        messages.success(request, f"{done:,} pairs that fail are excluded. It can be undone.")


def _page(request: TeamRequest, scoring: Scoring, *, form: CutsForm | None = None) -> HttpResponse:
    look = selectors.Look.of(request.GET)
    page = selectors.scores_of(scoring, look)
    start = {"passing": scoring.passing, "failing": scoring.failing}
    context: dict[str, Any] = {
        **header(scoring.dataset),
        "scoring": scoring,
        "form": form or CutsForm(initial=start),
        "overview": selectors.overview_of(scoring),
        "issues": selectors.issue_counts(scoring),
        "page": page,
        "shown": selectors.shown(scoring, page),
        "look": look,
        "kinds": selectors.SHOWN,
        "warnings": calibrating.warnings_of(scoring),
        "why_not": services.may_exclude(scoring),
    }
    return respond(
        request,
        page="datasets/score_detail.html",
        fragment="datasets/_scoring.html",
        context=context,
        status=422 if form is not None else 200,
    )


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def score_calibrate(request: TeamRequest, scoring_id: UUID) -> HttpResponse:
    """Show the next pair to label, without its score; and what came of the labels."""
    scoring = find_scoring(request, scoring_id)
    error = ""
    if request.method == "POST":
        form = LabelForm(request.POST)
        if form.is_valid():
            told = form.cleaned_data
            try:
                services.label_pair(scoring, told["place"], told["label"], by=request.user)
                scoring = find_scoring(request, scoring_id)
            except CorpusError as refused:
                error = str(refused)
        else:
            error = "Give the pair a number from 0 to 10."
        if not error and not request.htmx:
            return redirect("score-calibrate", scoring.pk)
    context = {
        **header(scoring.dataset),
        "scoring": scoring,
        "progress": calibrating.progress_of(scoring),
        "row": calibrating.next_label(scoring),
        "result": calibrating.result_of(scoring),
        "error": error,
        "why_not": services.may_exclude(scoring),
    }
    return respond(
        request,
        page="datasets/score_calibrate.html",
        fragment="datasets/_calibration.html",
        context=context,
        status=422 if error else 200,
    )


@role_required(Role.CURATOR)
@require_safe
def score_report(request: TeamRequest, scoring_id: UUID) -> HttpResponseBase:
    """Send the validation report as the earlier pipeline wrote it."""
    scoring = find_scoring(request, scoring_id)
    heading = selectors.heading_of(scoring)
    pieces = report_text(heading, lambda: selectors.scored_pairs(scoring))
    name = f"{scoring.dataset.name}{FILE_END}"
    return stream(request, pieces, of=scoring, name=name, kind="application/json")
