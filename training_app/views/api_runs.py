"""OTTO's own API of runs: ordered, looked at, stopped, as on their pages."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID, uuid4

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from datasets_app.models import Version
from datasets_app.selectors.versions import trainable_versions
from otto_web.lib.access import Role
from otto_web.lib.api.bodies import Listed, Paged, listed
from otto_web.lib.api.endpoints import Call, May, endpoint, resource
from otto_web.lib.api.errors import ApiError
from otto_web.lib.tokens import Scope
from otto_web.lib.work.states import State
from training_app.lm.config import DataConfig, ModelConfig, RunSpec, TrainConfig, TrainingError
from training_app.lm.sizes import network_of
from training_app.models import CancelVerb, Evaluation, EvaluationOrder, Run
from training_app.selectors.log_tail import last_lines
from training_app.selectors.runs import sorted_runs
from training_app.services.evaluations import order_evaluation
from training_app.services.runs import Order, cancel_run, queue_run
from training_app.views.api_bodies import (
    CancelRun,
    EvaluateRun,
    EvaluationBody,
    EvaluationQueued,
    LogAsked,
    RunBody,
    RunCancelled,
    RunDetail,
    RunQueued,
    RunsAsked,
    TrainRun,
)

LOOK = May(Scope.READ, Role.TRAINER)
TRAIN = May(Scope.TRAIN, Role.TRAINER)

VOCABULARY = 8192  # entries wished for; small data support fewer


# Ordering ----------------------------------------------------------------------------------------
@endpoint(
    "POST",
    "Train a model",
    may=TRAIN,
    status=202,
    refusals=(TrainingError,),
)
def run_train(call: Call, body: TrainRun) -> RunQueued:
    """Check the order and queue it; a run that cannot end well is refused before it is queued."""
    version = trainable_versions(call.user).filter(pk=body.version_id).first()
    if version is None:
        sentence = "There is no frozen version with this id; the list of versions has them."
        raise ApiError(400, sentence, field="version_id")
    order = Order(
        name=body.name.strip() or f"{version.dataset.name[:150]} {body.model_size}",
        spec=_spec(body, version),
        version=version,
        idem_key=body.idempotency_key or uuid4(),
        forced_reason=body.forced_reason.strip(),
    )
    run = queue_run(order, created_by=call.user)
    return RunQueued(run.pk, run.pk, State(run.state))


def _spec(body: TrainRun, version: Version) -> RunSpec:
    """Return the run that a body describes. Raises ConfigError."""
    network = network_of(
        body.model_size, body.model_family, context=body.max_seq_len, vocab_size=VOCABULARY
    ).as_json()
    training: dict[str, Any] = {
        "epochs": body.num_epochs,
        "micro_batch": body.batch_size,
        "learning_rate": body.learning_rate,
        "seed": body.seed,
    }
    data: dict[str, Any] = {"version": str(version.pk)}
    if body.tokenizer_id is not None:
        data["made_tokenizer"] = str(body.tokenizer_id)
    for name, value in body.settings.items():
        _part_with(name, network, training, data)[name] = value
    if any(training.get(unit) is not None for unit in ("steps", "minutes")):
        del training["epochs"]  # said otherwise
    return RunSpec(
        ModelConfig.from_json(network), TrainConfig.from_json(training), DataConfig.from_json(data)
    )


def _part_with(
    name: str, network: dict[str, Any], training: dict[str, Any], data: dict[str, Any]
) -> dict[str, Any]:
    """Return the part of a specification that a setting belongs to. Raises ApiError."""
    parts = ((ModelConfig, network), (TrainConfig, training), (DataConfig, data))
    for kind, values in parts:
        if name != "version" and name in {one.name for one in fields(kind)}:
            return values
    raise ApiError(400, f"There is no setting “{name[:60]}”.", field=f"settings.{name[:60]}")


# Looking -----------------------------------------------------------------------------------------
@endpoint("GET", "The runs, those under way first", may=LOOK)
def runs_list(call: Call, query: RunsAsked) -> Listed[RunBody]:
    rows = Run.objects.visible_to(call.user)
    if query.status is not None:
        rows = rows.filter(state=query.status)
    if query.version_id is not None:
        rows = rows.filter(version=query.version_id)
    ordered = sorted_runs(rows, query.sort)
    return listed(ordered.select_related("lease", "model"), query, RunBody.of)


@endpoint("GET", "A run: its state, its heartbeat", may=LOOK)
def run_get(call: Call, run_id: UUID) -> RunDetail:
    run = _run(call, run_id)
    about = RunBody.of(run)
    return RunDetail(
        **{name: getattr(about, name) for name in about.__struct_fields__}, settings=run.spec
    )


@endpoint("POST", "Stop a run", may=TRAIN, status=202)
def run_cancel(call: Call, run_id: UUID, body: CancelRun) -> RunCancelled:
    """Ask a run to end; it does at its next step. One that is over stays as it is."""
    verb = CancelVerb.KEEP if body.keep else CancelVerb.DISCARD
    state = cancel_run(_run(call, run_id), verb=verb, actor=call.user)
    return RunCancelled("cancellation-requested", state)


@endpoint(
    "GET",
    "The last lines of a run's log",
    may=LOOK,
    media="text/plain",
)
def run_logs(call: Call, run_id: UUID, query: LogAsked) -> HttpResponse:
    """Send lines of JSON, the newest last."""
    lines = last_lines(_run(call, run_id).pk, query.tail)
    return HttpResponse(
        b"".join(line + b"\n" for line in lines), content_type="text/plain; charset=utf-8"
    )


# Evaluations -------------------------------------------------------------------------------------
@endpoint("GET", "The newest evaluation of a run's model", may=LOOK)
def run_eval(call: Call, run_id: UUID) -> EvaluationBody:
    newest = _evaluations(call, run_id).first()
    if newest is None:
        raise ApiError(404, "The model of this run was not measured yet.")
    return EvaluationBody.of(newest)


@endpoint("GET", "All evaluations of a run's model", may=LOOK)
def run_evals(call: Call, run_id: UUID, query: Paged) -> Listed[EvaluationBody]:
    return listed(_evaluations(call, run_id), query, EvaluationBody.of)


@endpoint("POST", "Measure a run's model", may=TRAIN, status=202, refusals=(TrainingError,))
def run_evaluate(call: Call, run_id: UUID, body: EvaluateRun) -> EvaluationQueued:
    """Order it; a worker measures, and the newest evaluation is then this one."""
    run = _run(call, run_id)
    if not run.has_model:
        raise ApiError(409, "This run has left no model that could be measured.")
    key = body.path_override or run.version_id
    version = trainable_versions(call.user).filter(pk=key).first()
    if version is None:
        sentence = "There is no frozen version with this id; the list of versions has them."
        raise ApiError(400, sentence, field="path_override")
    order = order_evaluation(run.model, version, split=body.split, by=call.user)
    return EvaluationQueued.of(order)


@endpoint("GET", "An evaluation that was ordered", may=LOOK)
def evaluation_order(call: Call, run_id: UUID, job_id: UUID) -> EvaluationQueued:
    rows = EvaluationOrder.objects.visible_to(call.user).select_related("model")
    return EvaluationQueued.of(get_object_or_404(rows, pk=job_id, model__run=run_id))


def _evaluations(call: Call, run_id: UUID) -> QuerySet[Evaluation]:
    rows = Evaluation.objects.filter(model__run=_run(call, run_id))
    return rows.select_related("model").order_by("-at")


def _run(call: Call, run_id: UUID) -> Run:
    rows = Run.objects.visible_to(call.user).select_related("lease", "model")
    return get_object_or_404(rows, pk=run_id)


runs = resource(runs_list)
train = resource(run_train)
run = resource(run_get)
cancel = resource(run_cancel)
logs = resource(run_logs)
newest_eval = resource(run_eval)
evals = resource(run_evals)
evaluate = resource(run_evaluate)
ordered_evaluation = resource(evaluation_order)
