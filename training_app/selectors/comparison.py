"""One table for a model: which way of answering a version's questions gets how many right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from datasets_app.models import Knowledge, Version
from datasets_app.selectors.versions import rows_of_split
from otto_web.lib.work.states import State
from training_app.lm.answer_test import AnswerFigures, asked_hash
from training_app.models import AnswerCheck, EvalSample, Evaluation, TrainedModel

NO_KNOWLEDGE = "what this version knows is not built yet"
NO_MODEL = {
    "scratch": "no model was trained on it from scratch",
    "base": "no base model is here",
    "tuned": "no base was fine-tuned on it",
}
Key = tuple[UUID | None, bool]


@dataclass(frozen=True, slots=True)
class Way:
    """A way of answering: by which model, and whether from what the version knows."""

    name: str
    title: str
    model: TrainedModel | None = None
    with_knowledge: bool = False
    missing: str = ""  # why it cannot be measured

    @property
    def slug(self) -> str:
        """Return its name for addresses and JSON."""
        return f"{self.name}_with_knowledge" if self.model and self.with_knowledge else self.name

    @property
    def key(self) -> Key:
        return (self.model.pk if self.model else None, self.with_knowledge)


@dataclass(frozen=True, slots=True)
class Found:
    """What a way was measured at, when, and a hash of what it was asked."""

    answers: AnswerFigures
    at: datetime | None
    questions: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table; `check` is the order to measure it, if there ever was one."""

    way: Way
    found: Found | None
    check: AnswerCheck | None

    @property
    def is_under_way(self) -> bool:
        return self.check is not None and self.check.is_under_way

    @property
    def trouble(self) -> str:
        """Return why the last order came to nothing."""
        is_failed = self.check is not None and self.check.state == State.FAILED
        return self.check.message if self.check is not None and is_failed else ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The table of a model on a version."""

    model: TrainedModel
    version: Version
    lines: list[Line]

    @property
    def is_moving(self) -> bool:
        return any(line.is_under_way for line in self.lines)

    @property
    def unmeasured(self) -> list[Line]:
        """Return the lines that can be measured and were not."""
        return [
            line
            for line in self.lines
            if not line.found and not line.way.missing and not line.is_under_way
        ]

    @property
    def asked_otherwise(self) -> list[str]:
        """Return the ways that were asked other questions than most."""
        asked = [(line.way.title, line.found.questions) for line in self.lines if line.found]
        if not asked:
            return []
        usual = Counter(questions for _, questions in asked).most_common(1)[0][0]
        return [title for title, questions in asked if questions != usual]

    @property
    def best(self) -> int:
        """Return how many the best way answered right."""
        return max((line.found.answers.right for line in self.lines if line.found), default=0)


def comparison_of(model: TrainedModel, version: Version | None = None) -> Comparison | None:
    """Return the table of a model, on its own version unless another one is named.

    None where there is no such version, or it kept back no questions.
    """
    version = version or _own_version(model)
    if version is None or not model.is_chat or not rows_of_split(version, "validation"):
        return None
    ways = _ways(model, version)
    checks = {
        (check.model_id, check.with_knowledge): check
        for check in AnswerCheck.objects.filter(version=version, model=None)
        | AnswerCheck.objects.filter(version=version, model__in=[way.key[0] for way in ways])
    }
    measured = _measured(ways, version)
    return Comparison(model, version, [_line(way, measured, checks.get(way.key)) for way in ways])


def _own_version(model: TrainedModel) -> Version | None:
    """Return the version that it was trained on, or the newest one that was measured or frozen."""
    if model.run is not None:
        return model.run.version
    there = Version.objects.filter(state=State.SUCCEEDED, dataset__deleted_at=None)
    return there.select_related("dataset").order_by("-created_at").first()


def _ways(model: TrainedModel, version: Version) -> list[Way]:
    scratch, tuned = _trained(model, version)
    base = _base_of(tuned or model)
    is_known = Knowledge.objects.filter(version=version).exclude(path="").exists()

    def way(name: str, title: str, by: TrainedModel | None, *, known: bool = False) -> Way:
        missing = NO_MODEL[name] if by is None else NO_KNOWLEDGE if known and not is_known else ""
        return Way(name, title, by, known, missing)

    unknown = "" if is_known else NO_KNOWLEDGE
    quoting = Way("quoting", "Quoting, no model", with_knowledge=True, missing=unknown)
    return [
        way("scratch", "From scratch", scratch),
        way("base", "Base as it is", base),
        way("base", "Base with knowledge", base, known=True),
        way("tuned", "Fine-tuned", tuned),
        way("tuned", "Fine-tuned with knowledge", tuned, known=True),
        quoting,
    ]


def _trained(
    model: TrainedModel, version: Version
) -> tuple[TrainedModel | None, TrainedModel | None]:
    """Return the models of a version that began with nothing and with another: this, or newest."""
    there = TrainedModel.objects.ready().filter(Q(run__version=version) | Q(pk=model.pk))
    chatting = there.filter(is_chat=True, run__isnull=False).select_related("run")
    found: dict[bool, TrainedModel] = {}
    for one in sorted(chatting.order_by("-created_at"), key=lambda one: one.pk != model.pk):
        found.setdefault(one.run is not None and one.run.start_model_id is None, one)
    return found.get(True), found.get(False)


def _base_of(model: TrainedModel) -> TrainedModel | None:
    """Return what nobody trained here and the model comes from, else the newest such model."""
    one: TrainedModel | None = model
    while one is not None and one.run_id is not None:
        one = one.parent
    if one is not None and one.state == "ready":
        return one
    bases = TrainedModel.objects.ready().filter(run=None, is_chat=True)
    return bases.order_by("-created_at").first()


def _line(way: Way, measured: dict[Key, list[Found]], check: AnswerCheck | None) -> Line:
    found = list(measured.get(way.key, ())) if way.model else []
    if check is not None and check.figures:
        found.append(Found(check.answers, check.measured_at, check.questions))
    best = max(found, key=_worth, default=None) if not way.missing else None
    return Line(way, best, check)


def _worth(found: Found) -> tuple[int, float]:
    """Return what is shown before what: more questions, then the newer one."""
    return found.answers.total, found.at.timestamp() if found.at else 0.0


def _measured(ways: Iterable[Way], version: Version) -> dict[Key, list[Found]]:
    """Return the evaluations of the models: with knowledge where their run taught it."""
    models = {way.model.pk: way.model for way in ways if way.model}
    evaluations = Evaluation.objects.of_validation().filter(model__in=models, version=version)
    rows = EvalSample.objects.filter(evaluation__in=evaluations).exclude(outcome="")
    asked: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for number, kind, prompt in rows.values_list("evaluation_id", "kind", "prompt"):
        asked[number].append((kind, prompt))
    found: defaultdict[Key, list[Found]] = defaultdict(list)
    for one in evaluations:
        model = models[one.model_id]
        data = model.run.spec.get("data", {}) if model.run else {}
        if one.answers.total:
            told = Found(one.answers, one.at, asked_hash(asked[one.pk]))
            found[model.pk, bool(data.get("sources"))].append(told)
    return found
