"""The tested answers of several models side by side: what each was asked, where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from datasets_app.models import Version
from training_app.lm.answer_test import AnswerFigures
from training_app.lm.paired import Difference, compare_answers
from training_app.models import AnswerCheck, EvalSample, Evaluation, TrainedModel
from training_app.selectors.replies import Look, look_of, outcome_of

Question = tuple[str, str]  # its kind and its words
LETTERS = "ABCDEF"  # what is compared is called by these
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said to a question, and what that is worth."""

    text: str
    reference: str
    outcome: str
    kind: str

    @property
    def is_right(self) -> bool:
        """Return whether it is as it should be: off topic, that it does not know."""
        return self.outcome == ("abstains" if self.kind == "off_topic" else "right")

    @property
    def look(self) -> Look:
        return look_of(self.kind, self.outcome)


@dataclass(frozen=True, slots=True)
class Tested:
    """The newest and longest answer test of a model on one version."""

    figures: AnswerFigures
    version_id: UUID
    replies: dict[Question, Reply]


@dataclass(frozen=True, slots=True)
class Row:
    """A question with the reply of each model, None where it was not asked."""

    kind: str
    prompt: str
    reference: str
    replies: list[Reply | None]

    @property
    def lettered(self) -> list[tuple[str, Reply | None]]:
        return lettered(self.replies)

    @property
    def differs(self) -> bool:
        return len({one.is_right for one in self.replies if one is not None}) > 1


def lettered(values: Iterable[T]) -> list[tuple[str, T]]:
    """Return each value with the letter of whom it belongs to."""
    return list(zip(LETTERS, values, strict=False))


def tested_models(models: Sequence[TrainedModel], version: Version) -> list[Tested | None]:
    """Return each model's answer test on `version`, else its newest one on another version."""
    found: dict[UUID, list[Tested]] = {model.pk: [] for model in models}
    for model_id, tested in _tests(models):
        found[model_id].append(tested)
    return [
        max(found[model.pk], key=lambda one: _worth(one, version), default=None) for model in models
    ]


def _worth(tested: Tested, version: Version) -> tuple[bool, int]:
    return tested.version_id == version.pk, tested.figures.total


def _tests(models: Sequence[TrainedModel]) -> Iterator[tuple[UUID, Tested]]:
    evaluations = Evaluation.objects.of_validation().filter(model__in=models)
    for one in evaluations.prefetch_related("samples"):
        if one.answers.total:
            replies = dict(_of_sample(sample) for sample in one.samples.all())
            yield one.model_id, Tested(one.answers, one.version_id, replies)
    taught = {model.pk: _is_taught(model) for model in models}
    checks = AnswerCheck.objects.filter(model__in=models).exclude(figures={})
    for check in checks:
        if check.model_id is not None and check.with_knowledge == taught[check.model_id]:
            replies = dict(_of_check(reply) for reply in check.replies)
            yield check.model_id, Tested(check.answers, check.version_id, replies)


def _is_taught(model: TrainedModel) -> bool:
    """Return whether it learned to answer from known answers, and so is asked with them."""
    return bool(model.run and model.run.spec.get("data", {}).get("sources"))


def _of_sample(sample: EvalSample) -> tuple[Question, Reply]:
    key = (sample.kind, sample.prompt)
    return key, Reply(sample.reply, sample.reference, outcome_of(sample), sample.kind)


def _of_check(reply: dict[str, Any]) -> tuple[Question, Reply]:
    kind, prompt = str(reply["kind"]), str(reply["prompt"])
    return (kind, prompt), Reply(
        str(reply["reply"]), str(reply["reference"]), str(reply["outcome"]), kind
    )


def side_by_side(tests: Sequence[Tested | None]) -> list[Row]:
    """Return every question that at least two were asked; where they differ, first."""
    asked: dict[Question, None] = {}
    for tested in tests:
        asked |= dict.fromkeys(tested.replies if tested else ())
    rows = [_row(question, tests) for question in asked]
    shared = [row for row in rows if sum(reply is not None for reply in row.replies) > 1]
    return sorted(shared, key=lambda row: not row.differs)


def _row(question: Question, tests: Sequence[Tested | None]) -> Row:
    kind, prompt = question
    replies = [tested.replies.get(question) if tested else None for tested in tests]
    reference = next(reply.reference for reply in replies if reply is not None)
    return Row(kind, prompt, reference, replies)


def answers_apart(first: Tested | None, second: Tested | None) -> Difference | None:
    """Return how many more the second has right of the questions that both were asked.

    Questions about other things are left out, as in every other count of right answers.
    """
    if first is None or second is None:
        return None
    shared = list(_shared(first, second))
    return compare_answers(
        [first.replies[question].is_right for question in shared],
        [second.replies[question].is_right for question in shared],
    )


def _shared(first: Tested, second: Tested) -> Iterable[Question]:
    asked = (question for question in first.replies if question in second.replies)
    return (question for question in asked if question[0] != "off_topic")
