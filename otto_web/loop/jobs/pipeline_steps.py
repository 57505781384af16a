"""The steps of the one-click loop: from files to an answer, and back into a dataset."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from chat_app.jobs.serving_exports import build_serving_export
from chat_app.models import Generation, LogEntry
from chat_app.selectors.names import free_alias
from chat_app.services import chats, deployments
from chat_app.services.knowing import deploy_quotes
from chat_app.serving.errors import ServingError
from datasets_app.corpus import quality
from datasets_app.corpus.conversation import USER, CorpusError
from datasets_app.jobs.freezing import freeze as freeze_ordered
from datasets_app.jobs.knowledge import build_knowledge
from datasets_app.jobs.loading import import_here, load_path
from datasets_app.models import Encoder, Knowledge, Upload
from datasets_app.sample import conversations as sample
from datasets_app.sample.questions import validation_questions
from datasets_app.selectors.scores import score_of
from datasets_app.selectors.versions import iter_conversations
from datasets_app.services.datasets import free_name
from datasets_app.services.knowledge import order_knowledge
from datasets_app.services.receiving import NewUpload, receive_whole
from datasets_app.services.versions import VersionOrder, new_version
from otto_web.lib.work.claims import renew
from otto_web.lib.work.states import State
from otto_web.loop.jobs import document_steps, web_steps
from otto_web.loop.jobs.ordered_run import queue_ordered, start_model
from otto_web.loop.jobs.stepping import Wait, in_turn, key_of, needed
from otto_web.loop.models import Pipeline
from otto_web.loop.selectors.pipelines import FROM_NOTHING, SCRATCH_STEPS
from training_app.jobs.exports import build_export as build_portable
from training_app.lm.config import TrainingError
from training_app.lm.presets import PRESETS
from training_app.models import TrainedModel
from training_app.models.base import Base, BaseKind
from training_app.selectors.trained_models import questions_answered_right
from training_app.services.exports import order_export as order_portable

SAMPLE_NAME = "Sample shop"
ANSWER_SECONDS = 90.0
REPLY_TOKENS = 120  # of the one question that is asked
LOOK_SECONDS = 0.2
UNANSWERED = (State.FAILED, State.INTERRUPTED, State.CANCELLED)


def base(pipeline: Pipeline) -> str:
    """Choose what the model begins with; where no base comes, it is trained from nothing."""
    options = pipeline.options
    if not PRESETS[options["preset"]].is_started:
        return str(options.get("why_scratch", "None: this model is trained from nothing."))
    found = start_model(pipeline)
    if found is not None:
        return f"It begins with {found}."
    coming = Base.objects.may_answer_soon().order_by("created_at").first()
    if coming is not None:
        raise Wait(_on_its_way(coming))
    why = (
        "No base model is here, so this model is trained from nothing: it learns your style, and"
        " facts only by heart. The page of base models says how to bring one."
    )
    lost = Base.objects.filter(state=State.FAILED).exclude(kind=BaseKind.ENCODER).first()
    if lost is not None:
        why = f"{why} {lost.message}"
    instead: dict[str, Any] = {"preset": FROM_NOTHING, "why_scratch": why}
    if not options["minutes"]:
        instead["steps"] = options["steps"] or SCRATCH_STEPS
    renew(pipeline, options={**options, **instead})
    return why


def how_far(pipeline: Pipeline) -> str:
    """Return in words how far what the pipeline waits for is; empty where nothing is under way."""
    run = pipeline.run
    if run is None:
        coming = Base.objects.on_the_way().order_by("created_at").first()
        return _on_its_way(coming) if coming else ""
    known = run.total_steps
    return f"{run.phase}, step {run.last_step:,} of {known:,}" if known else ""


def _on_its_way(coming: Base) -> str:
    if not coming.bytes_total:
        return f"{coming} is on its way"
    megabytes = (coming.bytes_done / 1e6, coming.bytes_total / 1e6)
    return "{} is on its way: {:,.0f} of {:,.0f} MB".format(coming, *megabytes)


def load(pipeline: Pipeline) -> str:
    """Bring in the conversations: the sample, files, or a dataset that is there."""
    if pipeline.dataset is None:
        files = [Path(name) for name in pipeline.options["files"]]
        upload = _load_files(pipeline, files) if files else _load_sample(pipeline)
        if upload.dataset is None:
            raise CorpusError(upload.sentence or "Nothing in these files could be loaded.")
        renew(pipeline, dataset=upload.dataset)
    dataset = needed(pipeline.dataset)
    return f"{dataset.conversations.count():,} conversations in “{dataset}”"


def _load_sample(pipeline: Pipeline) -> Upload:
    body = sample.as_zip_bytes()
    name = free_name(SAMPLE_NAME)
    # invented people: everybody may read these questions
    renew(pipeline, options={**pipeline.options, "is_sample": True})
    key = key_of(pipeline, "file 0")
    new = NewUpload("sample-shop.zip", len(body), dataset=name, is_again=True, idem_key=key)
    return import_here(receive_whole(new, body, by=pipeline.created_by), wait=in_turn())


def _load_files(pipeline: Pipeline, files: list[Path]) -> Upload:
    name = pipeline.options["name"] or free_name(files[0].stem)
    by, wait = pipeline.created_by, in_turn()
    for number, path in enumerate(files):
        key = key_of(pipeline, f"file {number}")
        upload = load_path(path, dataset=name, by=by, is_again=True, idem_key=key, wait=wait)
        name = str(upload.dataset.pk) if upload.dataset else name
    return upload


def check(pipeline: Pipeline) -> str:
    """Stop at a critical quality score: a model would learn the faults."""
    score = score_of(needed(pipeline.dataset))
    reason = pipeline.options.get("force", "")
    if score.band == quality.CRITICAL.name and not reason:
        raise CorpusError(f"{score.words} Its quality score is {score.percent} %.")
    if score.band == quality.CRITICAL.name:
        return f"quality score {score.percent} %, which is critical; trained anyway: {reason}"
    return f"quality score {score.percent} %, {score.invalid:,} set aside by rules"


def freeze(pipeline: Pipeline) -> str:
    """Freeze the kept rows."""
    if pipeline.version is None:
        _order_version(pipeline)
    version = needed(pipeline.version)
    freeze_ordered(version.pk)
    version.refresh_from_db()
    if version.state == State.FAILED:
        renew(pipeline, version=None)  # the next try orders another
        raise CorpusError(version.message)
    if version.state != State.SUCCEEDED:
        raise Wait("another worker freezes the version")
    splits = version.counts["splits"]
    return f"{version}: {splits['train']:,} to learn from, {splits['validation']:,} to measure"


@transaction.atomic(durable=True)
def _order_version(pipeline: Pipeline) -> None:
    """Order the version and name it in one step: after a crash it is found, and not made twice."""
    dataset, user = needed(pipeline.dataset), pipeline.created_by
    wanted = VersionOrder()
    if (scoring := document_steps.scoring_of(pipeline)) is not None:
        threshold = document_steps.threshold_of(pipeline)
        # the pairs to learn how to answer, the passages to find what no pair asks for
        wanted = VersionOrder(scoring=scoring, threshold=threshold, with_passages=True)
    version = new_version(dataset, wanted, user=user)
    renew(pipeline, version=version)


def know(pipeline: Pipeline) -> str:
    """Build what the version knows: a model that learns with it, and a chat, find answers there."""
    version = needed(pipeline.version)
    if PRESETS[pipeline.options["preset"]].is_started and Encoder.objects.current() is None:
        coming = Base.objects.on_the_way().filter(kind=BaseKind.ENCODER).first()
        if coming is not None:  # a model that learns to answer from what is found needs the best
            raise Wait(_on_its_way(coming))
    if not Knowledge.objects.filter(version=version).exists():  # frozen before there was any
        order_knowledge(version, by=pipeline.created_by)
    build_knowledge(version.pk)
    found = Knowledge.objects.get(version=version)
    if not found.path:
        if found.state == State.FAILED:
            return f"Nothing can be looked up: {found.message}"
        raise Wait(f"{found.done:,} of {found.total:,} conversations are read")
    way = "by meaning and by words" if found.encoder_id else "by words only"
    return f"{found.facts['pieces']:,} answers can be found {way}"


def train(pipeline: Pipeline) -> str:
    """Queue the run, and wait until the train worker has done it."""
    if pipeline.run is None:
        key = UUID(key_of(pipeline, "run"))
        renew(pipeline, run=queue_ordered(pipeline, needed(pipeline.version), key))
    run = needed(pipeline.run)
    run.refresh_from_db()
    if not run.is_over:
        place = f", step {run.last_step:,} of {run.total_steps:,}" if run.last_step else ""
        raise Wait(f"{run.phase or run.state}{place}")
    if not run.has_model:  # one that was stopped and kept has one too
        raise TrainingError(run.message or f"The run is {run.state}.")
    return f"{run.last_step:,} steps"


def evaluate(pipeline: Pipeline) -> str:
    """Tell how good the model is on what it has not seen."""
    found = _model(pipeline).evaluations.of_validation().first()
    if found is None:
        raise TrainingError("The run left no evaluation.")
    figures = f"{found.bits_per_byte:.2f} bits per byte"
    return f"{found.headline} {figures}" if found.headline else found.other_words or figures


def export(pipeline: Pipeline) -> str:
    """Build the serving file and check it."""
    order = deployments.order_export(_model(pipeline), by=pipeline.created_by)
    build_serving_export(order.pk)
    order.refresh_from_db()
    if order.state == State.FAILED:
        raise ServingError(order.message)
    if order.state != State.SUCCEEDED:
        raise Wait("another worker checks the serving file")
    return str(order.figures["sentence"])


def onnx(pipeline: Pipeline) -> str:
    """Write the model for other tools, and say how it compares with PyTorch."""
    options, by = pipeline.options, pipeline.created_by
    order = order_portable(_model(pipeline), "onnx", by=by, opset=options.get("opset"))
    build_portable(order.pk)
    order.refresh_from_db()
    if order.state == State.FAILED:
        if options.get("verify", True):
            raise ServingError(order.message)
        return f"Not offered, and the rest goes on without it: {order.message}"
    if order.state != State.SUCCEEDED:
        raise Wait("another worker writes the ONNX file")
    equal = order.figures["greedy_tokens"]
    return (
        f"opset {order.opset}; verified against PyTorch: the largest difference is"
        f" {order.parity_max:.1e} of the largest logit, {equal:,} greedy tokens are equal"
    )


def deploy(pipeline: Pipeline) -> str:
    """Let the team chat with the model, under a name of its own unless told to take one over.

    Where nothing was to be trained, what is known answers by itself.
    """
    quotes = pipeline.options.get("quotes", False)
    if pipeline.deployment is None:
        (_deploy_quotes if quotes else _deploy)(pipeline)
    if quotes:
        return f"“{pipeline.deployment}” quotes what {pipeline.version} knows"
    return f"“{pipeline.deployment}” answers with {_model(pipeline)}"


@transaction.atomic(durable=True)
def _deploy_quotes(pipeline: Pipeline) -> None:
    """Deploy and name the deployment in one step: after a crash it is found, and not made twice."""
    known = Knowledge.objects.get(version=pipeline.version)
    alias = free_alias(pipeline.options["alias"] or needed(pipeline.dataset).name)
    renew(pipeline, deployment=deploy_quotes(known, alias, by=pipeline.created_by))


@transaction.atomic(durable=True)
def _deploy(pipeline: Pipeline) -> None:
    """Deploy and name the deployment in one step: after a crash it is found, and not made twice."""
    model, options, by = _model(pipeline), pipeline.options, pipeline.created_by
    wanted, takes_over = options["alias"], options.get("takes_over", False)
    alias = wanted if takes_over else free_alias(wanted or needed(pipeline.dataset).name)
    deployment = deployments.deploy(model, alias, by=by, takes_over=takes_over)
    renew(pipeline, deployment=deployment)
    if most := options.get("max_tokens"):
        deployments.set_usual(deployment, {"new_tokens": most}, by=by)
    if options.get("is_sample") and not deployment.starters:
        deployments.release_starters(deployment, questions_answered_right(model), by=by)


def chat(pipeline: Pipeline) -> str:
    """Ask one question that the model has never seen, and wait for the answer."""
    if pipeline.chat is None:
        deployment, owner = needed(pipeline.deployment), pipeline.created_by
        renew(pipeline, chat=chats.open_chat(deployment, owner=needed(owner)))
    question = _unseen_question(pipeline)
    most = pipeline.options.get("max_tokens") or REPLY_TOKENS
    params = chats.AnswerParams(temperature=0.0, new_tokens=most)
    ended_badly = Generation.objects.filter(answer__chat=pipeline.chat, state__in=UNANSWERED)
    key = uuid5(pipeline.pk, f"question {ended_badly.count()}")  # the same question after a crash
    asked = chats.ask(needed(pipeline.chat), question, params, idem=key)
    generation = _ended(asked.generation)
    if generation.state != State.SUCCEEDED:
        raise ServingError(generation.message or "The answer was not finished.")
    asked.answer.refresh_from_db()
    return f"“{question}” — “{asked.answer.text}”"


def _unseen_question(pipeline: Pipeline) -> str:
    """Return a question that was kept back from training.

    What the model answers from holds the rows that were kept back too, so of the sample one is
    asked whose words stand nowhere in it.
    """
    if pipeline.options.get("is_sample"):
        return validation_questions()[0].question
    for conversation in iter_conversations(needed(pipeline.version).pk, "validation"):
        first = conversation.turns[0]
        if first.role == USER and first.text.strip():
            return first.text[: chats.LONGEST_MESSAGE]
    return validation_questions()[0].question


def _ended(generation: Generation) -> Generation:
    until = time.monotonic() + ANSWER_SECONDS
    while generation.is_under_way:
        if time.monotonic() > until:
            raise ServingError("No engine answered. Look at the status page, then continue.")
        time.sleep(LOOK_SECONDS)
        generation.refresh_from_db()
    return generation


def learn(pipeline: Pipeline) -> str:
    """Tell where the exchange waits: nothing goes back into the data before somebody rates it."""
    if LogEntry.objects.filter(message__chat=pipeline.chat).exists():
        return "The exchange waits in the log. Rated good, it can be added to the next version."
    return "This deployment does not log, so the exchange stays in the chat and teaches nothing."


def _model(pipeline: Pipeline) -> TrainedModel:
    run = needed(pipeline.run)
    return needed(TrainedModel.objects.ready().filter(run=run).first())


STEPS: dict[str, Callable[[Pipeline], str]] = {
    "base": base,
    "load": load,
    "web": web_steps.fetch,
    "documents": document_steps.documents,
    "chunk": document_steps.chunk,
    "generate": document_steps.generate,
    "judge": document_steps.judge,
    "choose": document_steps.choose,
    "check": check,
    "freeze": freeze,
    "know": know,
    "train": train,
    "evaluate": evaluate,
    "export": export,
    "onnx": onnx,
    "deploy": deploy,
    "chat": chat,
    "learn": learn,
}
