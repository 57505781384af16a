"""Second opinions: asked for, given row by row without seeing the first, compared, settled."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.opinions import OpinionForm
from datasets_app.forms.rows import selected_rows
from datasets_app.models import Dataset, Decision, Opinion
from datasets_app.selectors import opinions as selectors
from datasets_app.selectors.datasets import header
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import curation
from datasets_app.services import opinions as services
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond

UNDO, CLOSE = "undo", "close"


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def opinion_list(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show a dataset's second opinions, and ask for one about decided rows of the filter."""
    dataset = find_dataset(request, dataset_id)
    rows = RowFilter.from_query(request.GET)
    form = OpinionForm(request.POST if request.method == "POST" else None, asks=request.user)
    if form.is_valid():
        try:
            opinion = services.ask_opinion(dataset, form.sample(rows), by=request.user)
        except CorpusError as error:
            form.add_error(None, str(error))
        else:
            return redirect("opinion-detail", opinion.pk)
    context = {
        **header(dataset),
        "form": form,
        "filter": rows,
        "opinions": selectors.opinions_of(dataset),
    }
    status = 422 if form.errors else 200
    return render(request, "datasets/opinion_list.html", context, status=status)


def _find(request: TeamRequest, opinion_id: int) -> Opinion:
    visible = Opinion.objects.visible_to(request.user).filter(dataset__deleted_at=None)
    people = visible.select_related("dataset", "asked_by", "judge")
    found: Opinion = get_object_or_404(people, pk=opinion_id)
    return found


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def opinion_detail(request: TeamRequest, opinion_id: int) -> HttpResponse:
    """Show who is asked the next row, others how far it is, and everybody what came of it."""
    opinion = _find(request, opinion_id)
    if request.method == "GET":
        return _page(request, opinion)
    do = request.POST.get("do", "")
    try:
        if do == CLOSE:
            services.close_opinion(opinion, by=request.user)
        elif not selectors.may_judge(opinion, request.user):
            return _page(request, opinion, error="You are not asked, or it is over.", status=422)
        elif do == UNDO:
            services.take_back(opinion, by=request.user)
        elif do in Decision.values:
            services.judge_row(opinion, _place(request), Decision(do), by=request.user)
    except CorpusError as error:
        return _page(request, _find(request, opinion_id), error=str(error), status=422)
    if request.htmx:
        return _page(request, _find(request, opinion_id))
    return redirect("opinion-detail", opinion.pk)


def _place(request: TeamRequest) -> int:
    found = selected_rows([request.POST.get("place", "")])
    return min(found[0], 2**31 - 1) if found else 0


@role_required(Role.CURATOR)
@require_POST
def opinion_settle(request: TeamRequest, opinion_id: int) -> HttpResponse:
    """Decide about a row where the two differ, or undo that."""
    opinion = _find(request, opinion_id)
    do = request.POST.get("do", "")
    try:
        if do in Decision.values:
            services.settle_row(opinion, _place(request), Decision(do), by=request.user)
        elif do == UNDO:
            row = get_object_or_404(opinion.rows.exclude(action=None), place=_place(request))
            action = get_object_or_404(opinion.dataset.actions, pk=row.action_id)
            curation.undo(action, by=request.user)
    except CorpusError as error:
        return _page(request, opinion, error=str(error), status=422)
    if request.htmx:
        return _page(request, opinion)
    return redirect("opinion-detail", opinion.pk)


def _page(
    request: TeamRequest, opinion: Opinion, *, error: str = "", status: int = 200
) -> HttpResponse:
    dataset: Dataset = opinion.dataset
    judges = selectors.may_judge(opinion, request.user)
    row = services.next_row(opinion, by=request.user) if judges else None
    rows = selectors.filter_of(opinion)
    context = {
        "dataset": dataset,
        "opinion": opinion,
        "progress": selectors.progress_of(opinion),
        "row": row,
        "turns": selectors.blind_turns(row) if row else [],
        "judges": judges,
        "result": selectors.result_of(opinion) if opinion.closed_at else None,
        "narrows": rows.narrows,
        "drawn_query": rows.query(),
        "error": error,
    }
    if error and not request.htmx:
        messages.error(request, error)
    return respond(
        request,
        page="datasets/opinion_detail.html",
        fragment="datasets/_opinion.html",
        context=context,
        status=status,
    )
