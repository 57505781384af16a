"""The queue of repeats: look for them, decide about them, undo it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Cluster, Dataset
from datasets_app.selectors import repeats as selectors
from datasets_app.selectors.datasets import header
from datasets_app.services import curation
from datasets_app.services import repeats as services
from datasets_app.services.repeats import Verdict
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.work.states import State

FRAGMENTS = {"repeat-search": "datasets/_repeat_search.html"}


@role_required(Role.CURATOR)
@require_GET
def repeat_list(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    return _queue(request, find_dataset(request, dataset_id))


def _queue(
    request: TeamRequest, dataset: Dataset, *, error: str = "", status: int = 200
) -> HttpResponse:
    search = selectors.search_of(dataset)
    after = _number(request.GET.get("after", ""))
    context = {
        **header(dataset),
        "search": search,
        "unread": selectors.unread(dataset, search)
        if search and search.state == State.SUCCEEDED
        else 0,
        "queue": selectors.queue_page(dataset, search, request.GET.get("kind", ""), after),
        "error": error,
    }
    answer = respond(
        request,
        page="datasets/repeat_list.html",
        fragment=FRAGMENTS.get(request.htmx.target or "", "datasets/_repeat_queue.html"),
        context=context,
        status=status,
    )
    if request.htmx.target in FRAGMENTS and not (search and search.is_under_way):
        answer["HX-Trigger-After-Settle"] = "otto:repeats-found"  # the list looks again
    return answer


def _number(told: str) -> int:
    return int(told) if told.isascii() and told.isdigit() and len(told) < 19 else 0


@role_required(Role.CURATOR)
@require_POST
def repeats_find(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Have repeats looked for, or stop that."""
    dataset = find_dataset(request, dataset_id)
    if request.POST.get("do") == "stop":
        if not services.stop_search(dataset, by=request.user):
            messages.info(request, "The search was over already.")
    else:
        services.order_search(dataset, by=request.user)
    return redirect("repeat-list", dataset.pk)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def repeat_decide(request: TeamRequest, dataset_id: UUID, cluster_id: int) -> HttpResponse:
    """Decide about a cluster; who comes by GET sees the queue."""
    dataset = find_dataset(request, dataset_id)
    if request.method == "GET":
        return redirect("repeat-list", dataset.pk)
    try:
        services.decide_cluster(dataset, cluster_id, _verdict(request), by=request.user)
    except CorpusError as error:
        return _card(request, dataset, cluster_id, error=str(error), status=422)
    return _card(request, dataset, cluster_id)


def _verdict(request: HttpRequest) -> Verdict:
    """Return what the form says; what makes no sense is left out, and then refused."""
    pairs = [told.partition(":") for told in request.POST.getlist("row")]
    seen = {_number(row): _number(revision) for row, _, revision in pairs}
    kept = [_number(row) for row in request.POST.getlist("keep")]
    asked = request.POST.get("do", "")
    answer = request.POST.get("answer", "").replace("\r\n", "\n").replace("\0", "")
    return Verdict(
        seen=seen,
        kept=None if asked == "all" else kept,
        answer=answer if asked == "merge" else None,
    )


@role_required(Role.CURATOR)
@require_POST
def repeat_undo(request: TeamRequest, dataset_id: UUID, cluster_id: int) -> HttpResponse:
    """Undo the decision about a cluster, whoever made it."""
    dataset = find_dataset(request, dataset_id)
    action = get_object_or_404(dataset.actions.all(), clusters__pk=cluster_id)
    try:
        curation.undo(action, by=request.user)
    except CorpusError as error:
        return _card(request, dataset, cluster_id, error=str(error), status=422)
    return _card(request, dataset, cluster_id)


@role_required(Role.CURATOR)
@require_POST
def repeat_copies(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Exclude all copies but the best of each."""
    dataset = find_dataset(request, dataset_id)
    previewed = _number(request.POST.get("previewed", ""))
    try:
        action = services.exclude_copies(dataset, previewed=previewed, by=request.user)
    except CorpusError as error:
        return _queue(request, dataset, error=str(error), status=422)
    messages.success(request, f"{action.title}. Undo it in the history.")
    return redirect("repeat-list", dataset.pk)


def _card(
    request: TeamRequest, dataset: Dataset, cluster_id: int, *, error: str = "", status: int = 200
) -> HttpResponse:
    """Show the cluster as it is now: to decide about, or decided."""
    found = Cluster.objects.filter(dataset=dataset, pk=cluster_id)
    cluster = found.select_related("action__actor", "action__undone_by").first()
    if not request.htmx:
        if error:
            messages.error(request, error)
        return redirect("repeat-list", dataset.pk)
    cards = selectors.cards_of([cluster]) if cluster else ()
    return respond(
        request,
        page="datasets/repeat_list.html",
        fragment="datasets/_repeat_card.html",
        context={"dataset": dataset, "card": cards[0] if cards else None, "error": error},
        status=status,
    )
