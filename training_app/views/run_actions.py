"""What a person does to a run; every action is a POST that ends on the run's page."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest
from otto_web.lib.work.states import State
from training_app.lm.config import TrainingError
from training_app.models import CancelVerb, Run
from training_app.services.runs import (
    Order,
    cancel_run,
    order_again,
    order_gentler,
    order_rest,
    queue_run,
)


@role_required(Role.TRAINER)
@require_POST
def run_cancel(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Ask the run to end: with a model of what was learned, or with everything discarded."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    verb = request.POST.get("verb", "")
    if verb not in CancelVerb.values:
        messages.error(request, "Say whether to keep or to discard what was learned so far.")
        return redirect("run-detail", run.pk)
    state = cancel_run(run, verb=CancelVerb(verb), actor=request.user)
    run.refresh_from_db(fields=["cancel_verb"])
    messages.info(request, _cancel_words(state, run.cancel_verb))
    return redirect("run-detail", run.pk)


def _cancel_words(state: State, verb: str) -> str:
    if state == State.QUEUED:
        return "The best state so far becomes a model as soon as a worker is free."
    if state == State.RUNNING:
        if verb == CancelVerb.KEEP:
            return "The run ends at its next step; the best state so far becomes a model."
        return "The run ends at its next step and keeps nothing."
    if state == State.CANCELLED:
        return "The run is cancelled."
    return "The run had ended already; nothing was changed."


@role_required(Role.TRAINER)
@require_POST
def run_again(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Queue the same run once more, from the start."""
    return _queue_like(request, run_id, order_again, "The same settings.")


@role_required(Role.TRAINER)
@require_POST
def run_retry(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Queue a run that goes on from the last good state with a tenth of the learning rate."""
    return _queue_like(request, run_id, order_gentler, "The learning rate is a tenth now.")


@role_required(Role.TRAINER)
@require_POST
def run_continue(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Queue a run that goes on from the last checkpoint of this one."""
    return _queue_like(request, run_id, order_rest, "The same settings.")


def _queue_like(
    request: TeamRequest, run_id: UUID, order_of: Callable[..., Order], sentence: str
) -> HttpResponse:
    related = Run.objects.visible_to(request.user).select_related("version", "start_model")
    run = get_object_or_404(related, pk=run_id)
    try:
        order = order_of(run, idem_key=_idem_key(request))
        begin = order.start_checkpoint
        made = queue_run(order, created_by=request.user)
    except TrainingError as error:
        messages.error(request, str(error))
        return redirect("run-detail", run.pk)
    where = "begins anew" if begin is None else f"goes on from step {begin.step:,}"
    messages.success(request, f"Queued. {sentence} It {where}.")
    return redirect("run-detail", made.pk)


def _idem_key(request: TeamRequest) -> UUID | None:
    """Return the form's key, by which a second click finds the first run."""
    try:
        return UUID(request.POST.get("idem_key", ""))
    except ValueError:
        return None
