"""The rows of a dataset: the table, one conversation, decisions and undo."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, push_url, retarget

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.rows import TAG, DecisionForm, reviewed_rows, selected_rows
from datasets_app.jobs.replacing import begin
from datasets_app.models import Action, Conversation, Dataset, VersionRow
from datasets_app.selectors import builder, conversations
from datasets_app.selectors.checklist import checklist, fixes
from datasets_app.selectors.conditions import FIELDS
from datasets_app.selectors.datasets import header, left_out_of
from datasets_app.selectors.facets import panel
from datasets_app.selectors.row_filter import PAGE_SIZES, RowFilter
from datasets_app.selectors.row_order import MOST_SORTED, NEARNESS, ORDERS, UNINDEXED, Order
from datasets_app.selectors.saved_views import BUILT_IN, views_of
from datasets_app.selectors.scores import score_of
from datasets_app.selectors.table import sortable, table_page
from datasets_app.services import curation, replacing, tagging
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond

MOST_REVIEWED = 200
MOST_ADVICE = 3  # pieces of advice beside the table
FRAGMENTS = {"dataset-summary": "datasets/_dataset_summary.html"}


@role_required(Role.CURATOR)
@require_GET
def dataset_detail(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    return _table(request, find_dataset(request, dataset_id))


def _table(
    request: TeamRequest,
    dataset: Dataset,
    *,
    error: str = "",
    status: int = 200,
    exactly: int | None = None,
    rows: RowFilter | None = None,
) -> HttpResponse:
    rows, score = rows or RowFilter.from_query(request.GET), score_of(dataset)
    asked, rows = rows, sortable(dataset, rows)
    page = table_page(dataset, rows, exactly)
    context = {
        **header(dataset),
        "score": score,
        "fixes": fixes(dataset, score.advice[:MOST_ADVICE]),
        "filter": rows,
        "page": page,
        "unsorted": ORDERS[asked.sort].words if asked.sort != rows.sort else "",
        "most_sorted": MOST_SORTED,
        "exactly": exactly,
        "views": views_of(dataset, request.user),
        "built_in": BUILT_IN,
        "sorts": [
            (name, order.words)
            for name, order in _orders(rows).items()
            if page.can_sort or name not in UNINDEXED
        ],
        "sizes": PAGE_SIZES,
        "here": rows.here,
        "error": error,
    }
    if not request.htmx:
        context |= {**_ticks(dataset), "n_left_out": left_out_of(dataset).count()}
    answer = respond(
        request,
        page="datasets/dataset_detail.html",
        fragment=FRAGMENTS.get(request.htmx.target or "", "datasets/_dataset_table.html"),
        context=context,
        status=status,
    )
    if request.htmx:
        answer["HX-Trigger-After-Settle"] = "otto:counted"  # the checklist looks again
    return answer


def _ticks(dataset: Dataset) -> dict[str, Any]:
    ticks = checklist(dataset)
    return {"ticks": ticks, "done": sum(tick.is_done for tick in ticks)}


@role_required(Role.CURATOR)
@require_GET
def dataset_checklist(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show what the dataset should be before it is frozen, and whether it is."""
    dataset = find_dataset(request, dataset_id)
    return respond(
        request,
        page="datasets/dataset_checklist.html",
        fragment="datasets/_dataset_checklist.html",
        context={"dataset": dataset, **_ticks(dataset)},
    )


def _orders(rows: RowFilter) -> dict[str, Order]:
    return {**(NEARNESS if rows.like else {}), **ORDERS}


@role_required(Role.CURATOR)
@require_GET
def dataset_facets(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show how the rows under the filter are made up; each value narrows it or widens it."""
    dataset = find_dataset(request, dataset_id)
    rows = RowFilter.from_query(request.GET)
    context = {**header(dataset), "filter": rows, "panel": panel(dataset, rows)}
    return respond(
        request,
        page="datasets/dataset_facets.html",
        fragment="datasets/_dataset_facets.html",
        context=context,
    )


@role_required(Role.CURATOR)
@require_GET
def dataset_filter(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Put conditions together line by line; the table then shows the rows that meet them."""
    dataset = find_dataset(request, dataset_id)
    rows, do = RowFilter.from_query(request.GET), request.GET.get("do", "")
    lines = builder.lines_of(builder.read_groups(rows.where))
    if "built" in request.GET:
        lines = builder.sent_lines(request.GET)
    if do == "add":
        lines = builder.with_another(lines)
    elif do.startswith("drop:"):
        lines = builder.without(lines, do.removeprefix("drop:"))
    elif do == "show":
        lines = builder.checked(lines)
        if not any(line.error for line in lines):
            where = builder.written_groups(builder.groups_of(lines))
            return _shown(request, dataset, rows.query(where=where))
    return respond(
        request,
        page="datasets/dataset_filter.html",
        fragment="datasets/_dataset_filter.html",
        context={
            "dataset": dataset,
            "filter": rows,
            "lines": lines,
            "fields": FIELDS,
            "joins": builder.JOINS,
            "offered": builder.offered(dataset, lines),
            "hidden": parse_qsl(rows.query(where="")),
            "added": do == "add",
        },
        status=422 if do == "show" else 200,
    )


def _shown(request: TeamRequest, dataset: Dataset, query: str) -> HttpResponse:
    """Show the table under a filter, in place of the one that the form stands in."""
    address = f"{reverse('dataset-detail', args=[dataset.pk])}?{query}"
    if not request.htmx:
        return redirect(address)
    request.GET = QueryDict(query)
    shown = push_url(retarget(_table(request, dataset), "#dataset-table"), address)
    shown["HX-Reswap"] = "outerHTML show:top"
    return shown


@role_required(Role.CURATOR)
@require_GET
def conversation_detail(request: TeamRequest, dataset_id: UUID, number: int) -> HttpResponse:
    """Show a row; who comes from a mixed version, which names rows of others, is led to those."""
    dataset = find_dataset(request, dataset_id)
    row = (
        dataset.conversations.select_related(
            "source_file__upload", "source_file__parent", "decided_by"
        )
        .filter(pk=number)
        .first()
    )
    if row is None:
        mixed = VersionRow.objects.filter(version__dataset=dataset, conversation=number)
        if not mixed.exists():
            raise Http404
        home = Conversation.objects.get(pk=number).dataset_id
        return redirect("conversation-detail", home, number)
    context = conversations.conversation_page(dataset, row, RowFilter.from_query(request.GET))
    return respond(
        request,
        page="datasets/conversation_detail.html",
        fragment="datasets/_conversation.html",
        context=context,
    )


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def decide(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Accept or exclude selected rows or all that match; with nothing selected nothing happens.

    Who comes by GET reloaded the answer, or signed in again on the way here: the table is shown.
    """
    dataset = find_dataset(request, dataset_id)
    if request.method == "GET":
        return redirect(_address(dataset, request))
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _table(request, dataset, error="Choose “Accept”, “Exclude” or “Tag”.", status=422)
    if form.is_unseen:
        return _count_first(request, dataset, form.cleaned_data["decision"])
    try:
        action = _carry_out(request, dataset, form)
    except CorpusError as error:
        return _table(request, dataset, error=str(error), status=422)
    messages.success(request, f"{action.title}.", extra_tags=f"undo:{action.pk}")
    if "back" in request.POST:  # the deed had a filter of its own
        request.GET = QueryDict(request.POST["back"])
    if request.htmx:
        return _table(request, dataset)
    return redirect(_address(dataset, request))


def _count_first(request: TeamRequest, dataset: Dataset, decision: str) -> HttpResponse:
    """Show how many rows an action is about of which the table only knew about how many."""
    count = RowFilter.from_query(request.GET).rows(dataset).count()
    asked = f"Exactly {count:,} rows match. Nothing was changed yet: press the button again to "
    asked += {"keep": "accept", "untag": "take the tag off"}.get(decision, decision) + " them all."
    return _table(request, dataset, error=asked, status=422, exactly=count)


def _carry_out(request: TeamRequest, dataset: Dataset, form: DecisionForm) -> Action:
    """Do what was asked; a CorpusError says why nothing was done."""
    action = _done(request, dataset, form)
    if action is None:
        raise CorpusError(
            "No conversation is selected, so nothing was changed. Select some rows first."
        )
    return action


def _done(request: TeamRequest, dataset: Dataset, form: DecisionForm) -> Action | None:
    ids = selected_rows(request.POST.getlist("row"))
    is_selection = form.cleaned_data["scope"] == "selected"
    rows = RowFilter.from_query(request.GET)
    previewed = form.cleaned_data["previewed"] or 0
    if form.is_tag:
        tag, has = form.cleaned_data["tag"], form.cleaned_data["decision"] == TAG
        if is_selection:
            return tagging.tag_rows(dataset, ids, tag, has=has, by=request.user)
        return tagging.tag_matching(
            dataset, rows, tag, has=has, previewed=previewed, by=request.user
        )
    if is_selection:
        return curation.decide_rows(dataset, ids, form.decided(), by=request.user)
    return curation.decide_matching(
        dataset, rows, form.decided(), previewed=previewed, by=request.user
    )


@role_required(Role.CURATOR)
@require_POST
def review(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Take the decisions of a review by key, in their order; say which actions they became."""
    dataset = find_dataset(request, dataset_id)
    decisions = reviewed_rows(request.POST.getlist("row"))
    if not 0 < len(decisions) <= MOST_REVIEWED:
        sentence = f"Send between 1 and {MOST_REVIEWED} decisions, each like keep:1234567."
        return JsonResponse({"error": sentence}, status=422)
    made = curation.decide_in_turn(dataset, decisions, by=request.user)
    return JsonResponse({"actions": [(row, action.pk) for row, action in made]})


def _address(dataset: Dataset, request: HttpRequest) -> str:
    query = RowFilter.from_query(request.GET)
    return f"{reverse('dataset-detail', args=[dataset.pk])}?{query.here}"


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def undo(request: TeamRequest, dataset_id: UUID, action_id: int) -> HttpResponse:
    """Undo an action; who comes by GET sees the table."""
    dataset = find_dataset(request, dataset_id)
    if request.method == "GET":
        return redirect(_address(dataset, request))
    action = get_object_or_404(dataset.actions.all(), pk=action_id)
    try:
        order = replacing.order_undo(action, by=request.user)
        if order is not None:
            begin(order, rows=action.done)
            where = reverse("replacement-detail", args=[dataset.pk, order.pk])
            return HttpResponseClientRedirect(where) if request.htmx else redirect(where)
        undone = curation.undo(action, by=request.user)
    except CorpusError as error:
        return _table(request, dataset, error=str(error), status=422)
    left = f" {undone.skipped} were changed since and stay as they are." if undone.skipped else ""
    what = "1 conversation is" if undone.restored == 1 else f"{undone.restored} conversations are"
    messages.success(request, f"Undone: {what} as before.{left}")
    if not request.htmx:
        return redirect(_address(dataset, request))
    return _back_to(request, dataset, selected_rows(request.POST.getlist("at"))[:1])


def _back_to(request: TeamRequest, dataset: Dataset, at: list[int]) -> HttpResponse:
    """Answer with the table, a page earlier where this row stands before the one that is shown."""
    shown = RowFilter.from_query(request.GET)
    rows = shown.back_to(dataset, *at) if at else shown
    answer = _table(request, dataset, rows=rows)
    where = f"{reverse('dataset-detail', args=[dataset.pk])}?{rows.here}"
    return answer if rows == shown else push_url(answer, where)
