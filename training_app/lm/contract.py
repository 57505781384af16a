"""What a run is given and what it tells: the types between the pure trainer and its job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from datasets_app.corpus.conversation import Conversation
from datasets_app.knowledge.known import KnowledgeKey, KnownAnswers
from training_app.lm.answer_test import Answered, AnswerFigures, AnswerTest
from training_app.lm.config import RunSpec

T = TypeVar("T")
Point = tuple[str, int, float]  # name, step, value
Sample = tuple[int, str, str, str]  # prompt number, prompt, reply, reference
Row = tuple[int, Conversation]  # a conversation with the number of its row
StopReason = Literal["cancel", "keep", "drain", "timeout"]  # keep: end, and make a model of it
ShouldStop = Callable[[], StopReason | None]

PHASES = ("tokenizer", "packing", "compiling", "training", "evaluating", "saving")


def spec_sha256(spec: RunSpec) -> str:
    """Return the hash of the canonical specification: of a run's row and of its model alike."""
    text = json.dumps(spec.as_json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Both splits of a frozen version; each split may be iterated again and again."""

    train: Iterable[Conversation]
    validation: Iterable[Conversation]
    fingerprint: str  # the version's hash: prepared files are reused for the same one only
    rows: Mapping[str, Iterable[Row]] = field(default_factory=dict)  # of each split, with numbers
    knowledge: Path | None = None  # folder of what is known, for a run that learns with it


class StoppedError(Exception):
    """The run was told to stop while its data were being read; nothing is half done."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason: StopReason = reason


@dataclass(frozen=True, slots=True)
class _Stoppable(Generic[T]):
    """A split that asks at each of its items whether to stop."""

    split: Iterable[T]
    should_stop: ShouldStop

    def __iter__(self) -> Iterator[T]:
        for item in self.split:
            if (reason := self.should_stop()) is not None:
                raise StoppedError(reason)
            yield item


def stoppable(data: TokenSource, should_stop: ShouldStop) -> TokenSource:
    """Return the same data; reading them raises StoppedError once a stop is asked for."""
    train, validation = (_Stoppable(split, should_stop) for split in (data.train, data.validation))
    rows = {name: _Stoppable(split, should_stop) for name, split in data.rows.items()}
    return replace(data, train=train, validation=validation, rows=rows)


class RunEvents(Protocol):
    """What happens during a run, told as it happens; the job writes rows of it."""

    def phase(self, name: str) -> None:
        """Say that one of PHASES begins."""

    def note(self, sentence: str) -> None:
        """Say something that a person should read on the run's page."""

    def decided(self, values: Mapping[str, Any]) -> None:
        """Hand over what is decided once; later attempts give it back in `Start.decided`."""

    def points(self, points: Sequence[Point]) -> None:
        """Hand over a batch of points; after a resume the same (name, step) may come again."""

    def samples(self, step: int, samples: Sequence[Sample]) -> None:
        """Hand over the replies to the fixed validation prompts; step 0 is before training."""

    def checkpoint(
        self,
        step: int,
        write: Callable[[Path], None],
        validation_loss: float | None,
        *,
        is_best: bool,
    ) -> None:
        """Make a checkpoint durable: `write` fills an empty folder that the receiver names."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a tested model answers from, as a deployment of it would."""

    key: KnowledgeKey
    most: int  # known answers in a prompt
    abstention: str  # said where nothing is near
    answers: KnownAnswers = field(default_factory=KnownAnswers, compare=False)

    def __post_init__(self) -> None:
        """Open it now: hours of training later it may have been built anew elsewhere."""
        self.answers.hold(self.key)


@dataclass(frozen=True, slots=True)
class Start:
    """What an attempt begins with; all empty for the first attempt of a run from scratch."""

    base: Path | None = None  # folder of the model that is continued
    tokenizer: Path | None = None  # tokenizer.json that was made before
    checkpoints: Sequence[Path] = ()  # finished checkpoint folders, newest first, best included
    must_resume: bool = False  # the run goes on from another one: without a checkpoint it fails
    decided: Mapping[str, Any] = field(default_factory=dict)
    cache: Path | None = None  # keeps what was found out about this machine
    manifest: Mapping[str, Any] = field(default_factory=dict)  # goes into otto.json as it is
    grounds: Grounds | None = None  # what the tested answers are made from
    answer_test: AnswerTest = field(
        default_factory=AnswerTest
    )  # what the model is asked at the end


@dataclass(frozen=True, slots=True)
class TrainedResult:
    """How an attempt ended; `folder` is None when it was stopped without a model."""

    outcome: Literal["succeeded"] | StopReason
    step: int
    folder: Path | None = None
    best_step: int = 0
    evaluation: Mapping[str, Any] = field(default_factory=dict)  # Figures.as_json()
    verdict: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)  # what otto.json holds
    samples: Sequence[Sample] = ()  # replies of the very weights in `folder`
    answers: AnswerFigures = field(default_factory=AnswerFigures)
    answered: Sequence[Answered] = ()
    texts: Sequence[tuple[int, float, int]] = ()  # number in the validation split, nats, bytes
