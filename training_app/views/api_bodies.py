"""What the API says of runs, models and evaluations, and what it takes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from django.utils import timezone

from otto_web.lib.api.bodies import Input, Paged, Query
from otto_web.lib.work.states import State
from training_app.lm.config import MOST_CONTEXT
from training_app.models import Evaluation, EvaluationOrder, Run, TrainedModel

Tail = Annotated[int, msgspec.Meta(ge=0, le=10_000, description="how many of the last lines")]


class TrainRun(Input, frozen=True):
    """A run from scratch. `settings` takes any other setting of a run by its name."""

    version_id: Annotated[UUID, msgspec.Meta(description="the frozen version that it learns from")]
    model_family: Literal["gpt2", "llama"] = "gpt2"
    model_size: Literal["tiny", "small", "medium", "large"] = "small"
    max_seq_len: Annotated[int, msgspec.Meta(ge=16, le=MOST_CONTEXT)] = 512
    num_epochs: Annotated[float, msgspec.Meta(ge=0.001, le=10_000)] = 1
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 4
    learning_rate: Annotated[float, msgspec.Meta(ge=1e-7, le=1)] = 5e-4
    tokenizer_id: Annotated[
        UUID | None, msgspec.Meta(description="one that was made before; else one is made for it")
    ] = None
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 1
    forced_reason: Annotated[
        str, msgspec.Meta(max_length=500, description="why a version of poor quality is trained")
    ] = ""
    idempotency_key: Annotated[
        UUID | None, msgspec.Meta(description="the same key gives the same run")
    ] = None
    settings: Annotated[
        dict[str, bool | int | float | str],
        msgspec.Meta(description="any other setting by its name, such as dropout or schedule"),
    ] = msgspec.field(default_factory=dict)


class RunQueued(msgspec.Struct):
    """A run that was ordered; the run is its own job."""

    run_id: UUID
    job_id: UUID
    status: State


class RunsAsked(Paged, frozen=True):
    """Which runs are listed, those under way first."""

    status: State | None = None
    version_id: UUID | None = None
    sort: Literal["", "name", "oldest", "answers", "bits"] = ""


class RunBody(msgspec.Struct):
    """A run, and how far it is."""

    run_id: UUID
    name: str
    status: State
    phase: str
    message: str
    reason: str
    step: int
    total_steps: int
    version_id: UUID
    model_id: UUID | None
    last_heartbeat_ts: datetime | None
    heartbeat_age_seconds: float | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Run) -> RunBody:
        """Return what is said of a run; its lease and its model are read with it."""
        lease = getattr(row, "lease", None)
        model = getattr(row, "model", None)
        age = None if lease is None else (timezone.now() - lease.beat_at).total_seconds()
        return cls(
            row.pk,
            row.name,
            State(row.state),
            row.phase,
            row.message,
            row.reason,
            row.last_step,
            row.total_steps,
            row.version_id,
            model.pk if model is not None and model.is_ready else None,
            None if lease is None else lease.beat_at,
            None if age is None else round(max(0.0, age), 1),
            row.created_at,
            row.finished_at,
        )


class RunDetail(RunBody):
    """A run with the settings that it was told."""

    settings: dict[str, Any]


class CancelRun(Input, frozen=True):
    """What becomes of what was learned so far."""

    keep: Annotated[bool, msgspec.Meta(description="make a model of the best state so far")] = False


class RunCancelled(msgspec.Struct):
    """A run was asked to end; `run_status` is the state it is in now."""

    status: str
    run_status: State


class LogAsked(Query, frozen=True):
    """How much of the log is wanted."""

    tail: Tail = 200


class LogFollowed(Query, frozen=True):
    """How much of the log is wanted, and whether new lines are waited for."""

    tail: Tail = 200
    follow: bool = True


class EvaluateRun(Input, frozen=True):
    """Which split of which version a run's model is measured on."""

    split: Literal["validation", "test"] = "validation"
    path_override: Annotated[
        UUID | None, msgspec.Meta(description="another frozen version than the run's own")
    ] = None


class EvaluationQueued(msgspec.Struct):
    """An evaluation that was ordered, and how far it is."""

    job_id: UUID
    run_id: UUID | None
    version_id: UUID
    split: str
    status: State
    message: str

    @classmethod
    def of(cls, row: EvaluationOrder) -> EvaluationQueued:
        return cls(
            row.pk, row.model.run_id, row.version_id, row.split, State(row.state), row.message
        )


class EvaluationBody(msgspec.Struct):
    """How good a model is on one split of a version."""

    run_id: UUID | None
    model_id: UUID
    version_id: UUID
    split: str
    status: State
    loss: float
    perplexity: float
    bits_per_byte: float
    tokens: int
    answers: Annotated[dict[str, Any], msgspec.Meta(description="of its answer test")]
    artifact_path: str
    at: datetime

    @classmethod
    def of(cls, row: Evaluation) -> EvaluationBody:
        return cls(
            row.model.run_id,
            row.model_id,
            row.version_id,
            row.split,
            State.SUCCEEDED,
            row.loss,
            row.perplexity,
            row.bits_per_byte,
            row.tokens,
            {name: row.details.get("answers", {}).get(name) for name in ("right", "total")},
            row.model.path,
            row.at,
        )


class ModelsAsked(Paged, frozen=True):
    """Which models are listed, newest first."""

    name: Annotated[str, msgspec.Meta(max_length=200, description="a part of the name")] = ""


class ModelBody(msgspec.Struct):
    """A model that a run left or a person brought."""

    id: UUID
    name: str
    number: int
    run_id: UUID | None
    family: str
    parameters: int
    context: int
    is_chat: bool
    artifact_path: str
    created_at: datetime

    @classmethod
    def of(cls, row: TrainedModel) -> ModelBody:
        return cls(
            row.pk,
            row.name,
            row.number,
            row.run_id,
            row.family,
            row.params,
            row.context,
            row.is_chat,
            row.path,
            row.created_at,
        )


class FileAsked(Query, frozen=True):
    """Which file of an artifact is sent."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class FileBody(msgspec.Struct):
    """A file of an artifact."""

    path: str
    size: int
    sha256: str


class ArtifactBody(msgspec.Struct):
    """A folder that never changes, file by file."""

    kind: str
    item_id: UUID
    artifact_path: str
    files: list[FileBody]
