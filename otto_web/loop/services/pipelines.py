"""The whole loop with one click: a row whose steps a worker does one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from datasets_app.corpus.chunks.settings import OVERLAP, SIZE
from datasets_app.models import Dataset
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import State
from otto_web.loop.models import STEP_WORDS, Pipeline, PipelineStep
from training_app.lm.presets import DEFAULT_TUNING


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the steps shall do otherwise than by themselves; each means what its own step means."""

    base: str = ""  # id of the model to go on from; empty: the base model that is here
    model_name: str = ""  # of the run and its model; empty: called like the data
    epochs: float | None = None  # passes over the training split
    batch_size: int | None = None
    learning_rate: float | None = None
    device: str = "auto"
    optimizer: str = ""  # this and the next five: empty or None is what the preset says
    schedule: str = ""
    max_grad_norm: float | None = None
    precision: str = ""
    checkpoint_every: int | None = None  # updates
    keep_last: int | None = None  # checkpoints
    system_prompt: str = ""  # of each conversation that it learns from
    max_length: int | None = None  # tokens that the model looks back over
    onnx: bool = False  # write it for other tools too
    opset: int | None = None  # of that file
    verify: bool = True  # a file for other tools that differs from PyTorch fails the pipeline
    max_tokens: int | None = None  # of a reply
    verbose: bool = False  # each document, chunk and pair is listed
    force: str = ""  # why to train on data of a critical quality


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents to begin with, and what becomes of them on the way to pairs."""

    uploads: Sequence[str] = ()  # ids
    folder: str = ""  # of this machine, where there are no uploads
    addresses: Sequence[str] = ()  # of pages from the web, which become an upload
    follows: bool = False  # also the pages of the same sites behind them
    chunk_size: int = SIZE  # characters
    chunk_overlap: int = OVERLAP
    provider: str = ""  # by name; empty: the built-in generator
    llm_model: str = ""  # as the provider calls it; empty: the one that its page names
    questions: int = 3  # of each chunk
    passing: float = 8.0  # from this score on a pair passes
    threshold: float = 7.0  # from this score on it is learned from
    quotes: bool = False  # answers are what the documents say, word for word; nothing is trained


@dataclass(frozen=True, slots=True)
class PipelineOrder:
    """What a pipeline starts with: a dataset, files of this machine, or else the sample."""

    dataset: Dataset | None = None
    files: Sequence[Path] = ()
    name: str = ""
    preset: str = DEFAULT_TUNING  # from nothing where no base model comes
    alias: str = ""  # empty: called like the data
    takes_over: bool = False  # the alias from a model that answers there
    minutes: float | None = None
    steps: int | None = None
    wishes: Wishes = field(default_factory=Wishes)
    documents: Documents | None = None
    came_from: Mapping[str, str] = field(default_factory=dict)  # by option, who said it
    key: UUID = field(default_factory=uuid4)  # the same one of one person is the same pipeline


def left_of(order: PipelineOrder, user: User) -> Pipeline | None:
    """Return the newest pipeline of the same documents, files or dataset that is not done."""
    rows = Pipeline.objects.visible_to(user)
    rows = rows.exclude(state__in=(State.SUCCEEDED, State.CANCELLED))
    if (told := order.documents) is None:
        files = [str(path.resolve()) for path in order.files]
        rows = rows.filter(options__files=files).exclude(options__has_key="folder")
        if order.dataset is not None:
            rows = rows.filter(dataset=order.dataset)
        elif not files:  # the sample: only once it is loaded does the row say so
            rows = rows.filter(Q(dataset=None) | Q(options__is_sample=True))
    elif told.folder:
        rows = rows.filter(options__folder=told.folder)
    else:
        same = {"options__addresses": list(told.addresses)} if told.addresses else {}
        same = same or {"options__uploads": list(told.uploads)}
        rows = rows.filter(options__folder="", **same)
    found: Pipeline | None = rows.order_by("-queued_at").first()
    return found


def start_pipeline(order: PipelineOrder, *, by: User) -> Pipeline:
    """Write the pipeline with its steps; the row is the order. A second click finds the first."""
    try:
        return _start(order, by=by)
    except IntegrityError:  # the same form, sent twice at the same moment
        found: Pipeline = Pipeline.objects.get(pk=order.key, created_by=by)
        return found


@transaction.atomic(durable=True)
def _start(order: PipelineOrder, *, by: User) -> Pipeline:
    known = Pipeline.objects.filter(pk=order.key, created_by=by).first()
    if known is not None:
        found: Pipeline = known
        return found
    options = {
        "files": [str(path.resolve()) for path in order.files],
        "name": order.name,
        "preset": order.preset,
        "alias": order.alias,
        "takes_over": order.takes_over,
        "minutes": order.minutes,
        "steps": order.steps,
        "came_from": dict(order.came_from),
        **asdict(order.wishes),
        **(asdict(order.documents) if order.documents else {}),
    }
    pipeline = Pipeline(pk=order.key, created_by=by, dataset=order.dataset, options=options)
    pipeline.save(force_insert=True)
    steps = enumerate(_steps_of(order), start=1)
    PipelineStep.objects.bulk_create(
        PipelineStep(pipeline=pipeline, number=number, name=name) for number, name in steps
    )
    audit.record(by, "start pipeline", pipeline, after=options)
    hint(Pipeline.job, pipeline.pk)
    return pipeline


DOCUMENT_STEPS = {"documents", "chunk", "generate", "judge", "choose"}
MODEL_STEPS = {"base", "train", "evaluate", "export", "onnx"}


def _steps_of(order: PipelineOrder) -> list[str]:
    without = set() if order.wishes.onnx else {"onnx"}
    without |= {"load"} if order.documents else DOCUMENT_STEPS
    without |= MODEL_STEPS if order.documents and order.documents.quotes else set()
    if order.documents is None or not order.documents.addresses:
        without.add("web")
    return [name for name in STEP_WORDS if name not in without]


@transaction.atomic(durable=True)
def retry_pipeline(pipeline: Pipeline, *, by: User) -> None:
    """Continue a failed pipeline at the step that failed."""
    found = Pipeline.objects.select_for_update(of=("self",)).select_related("run")
    pipeline = found.get(pk=pipeline.pk)
    if pipeline.state != State.FAILED:
        return
    options = {**pipeline.options, "tries": pipeline.options.get("tries", 0) + 1}
    run = pipeline.run
    kept = run if run is None or not run.is_over or run.has_model else None
    order_anew(Pipeline.objects.filter(pk=pipeline.pk), options=options, run=kept)
    failed = pipeline.steps.filter(state=State.FAILED)
    failed.update(state=State.QUEUED, note="", started_at=None, finished_at=None)
    audit.record(by, "continue pipeline", pipeline)
    hint(Pipeline.job, pipeline.pk)
