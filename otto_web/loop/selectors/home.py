"""The home page: the loop with its counts, what needs somebody, and the next sensible step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from chat_app.models import Chat, Deployment, DeploymentEvent, LogEntry, Rating
from chat_app.selectors.log_filter import VALUES, LogFilter
from datasets_app.models import Dataset, FileState, Knowledge, SourceFile, Status, Upload, Version
from datasets_app.selectors.opinions import waiting_for
from datasets_app.selectors.scores import status_counts
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.states import OPEN, UNDER_WAY, State
from otto_web.loop.models import Pipeline
from otto_web.loop.selectors.next_model import Proposal, proposal
from otto_web.loop.selectors.pipelines import SampleWays, sample_ways
from training_app.lm.answer_test import AnswerFigures
from training_app.models import Evaluation, ModelState, Run

RECENT = 8


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the five stages: its figure in words, its state, and when something last happened."""

    icon: str
    title: str
    figure: int
    unit: str
    note: str
    state: str
    at: datetime | None
    url: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Todo:
    """Something that waits for a person."""

    sentence: str
    url: str


@dataclass(frozen=True, slots=True)
class Step:
    """The next sensible step, and where there is one a shorter way to a chat."""

    sentence: str
    label: str
    url: str
    shortcut: str = ""  # its address


@dataclass(frozen=True, slots=True)
class Answering:
    """A deployment with how its model did in the answer test."""

    deployment: Deployment
    tested: AnswerFigures


@dataclass(frozen=True, slots=True)
class Home:
    """Everything that the page shows."""

    stages: list[Stage]
    todos: list[Todo]
    step: Step | None
    deployments: list[Answering]
    pipeline: Pipeline | None
    proposal: Proposal | None
    ways: SampleWays | None  # with the sample, where nothing is here yet

    @property
    def is_empty(self) -> bool:
        return self.ways is not None


@dataclass(frozen=True, slots=True)
class MemberHome:
    """What somebody finds who only chats: who answers, what is new, their own chats."""

    deployments: list[Deployment]
    chats: list[Chat]
    news: list[DeploymentEvent]


def member_home(user: User) -> MemberHome:
    """Return the home of a member; three queries."""
    answering = Deployment.objects.visible_to(user).answering()
    own = Chat.objects.visible_to(user).select_related("deployment")
    switched = DeploymentEvent.objects.filter(deployment__in=answering).select_related("model")
    return MemberHome(
        deployments=list(answering.select_related("model").order_by("alias")),
        chats=list(own.order_by("-updated_at")[:RECENT]),
        news=list(switched.order_by("-at", "-pk")[:RECENT]),
    )


def home(user: User) -> Home:
    """Return the loop as this person may see it; a dozen small counts."""
    stages = [_upload(user), _curate(user), _train(user), _evaluate(user), _chat(user)]
    deployments = Deployment.objects.visible_to(user).filter(is_active=True)
    started = Pipeline.objects.visible_to(user).order_by("-queued_at")
    found = _answering(deployments)
    is_trainer = has_role(user, Role.TRAINER)
    return Home(
        stages=stages,
        todos=_todos(user),
        step=_step(user, stages),
        deployments=found,
        pipeline=started.first(),
        proposal=proposal(found[0].deployment) if found and is_trainer else None,
        ways=None if any(stage.figure for stage in stages) else sample_ways(user),
    )


def _answering(deployments: QuerySet[Deployment]) -> list[Answering]:
    """Return the newest five, each with how its model did in the answer test."""
    newest = Evaluation.objects.of_validation().filter(model=OuterRef("model"))
    chosen = deployments.select_related("model").order_by("-switched_at")
    found = chosen.annotate(answers=Subquery(newest.values("details__answers")[:1]))
    return [Answering(one, AnswerFigures.from_json(one.answers)) for one in found[:5]]


def _upload(user: User) -> Stage:
    found = Upload.objects.shown().aggregate(
        n=Count("pk", filter=Q(state=State.SUCCEEDED)),
        busy=Count("pk", filter=Q(state__in=OPEN)),
        failed=Count("pk", filter=Q(state=State.FAILED)),
        at=Max("finished_at"),
    )
    state = State.RUNNING if found["busy"] else State.SUCCEEDED if found["n"] else "none"
    note = f"{found['failed']} could not be read" if found["failed"] else ""
    look = ("upload", "Upload", "upload-list")
    return _stage(user, Role.CURATOR, look, found, state, ("upload", note))


def _curate(user: User) -> Stage:
    kept = aside = 0
    for dataset in Dataset.objects.filter(deleted_at=None):
        counts = status_counts(dataset)
        kept += counts[Status.KEPT]
        aside += sum(counts.values()) - counts[Status.KEPT]
    uploaded = Upload.objects.shown().aggregate(at=Max("finished_at"))
    found = {"n": kept, "at": uploaded["at"]}
    note = f"{aside:,} set aside" if aside else ""
    look = ("table", "Curate", "dataset-list")
    state = State.SUCCEEDED if kept else "none"
    return _stage(user, Role.CURATOR, look, found, state, ("conversation kept", note))


def _train(user: User) -> Stage:
    found = Run.objects.aggregate(
        n=Count("pk", filter=Q(model__state=ModelState.READY)),
        busy=Count("pk", filter=Q(state__in=UNDER_WAY)),
        going=Count("pk", filter=Q(state=State.RUNNING)),
        at=Max("finished_at"),
    )
    last = Run.objects.select_related("model").order_by("-created_at").first()
    state = "none" if last is None else State.SUCCEEDED if last.has_model else last.state
    note = last.message if last and last.state == State.FAILED else ""
    if found["busy"]:
        waiting = found["busy"] - found["going"]
        counts = ((found["going"], "under way"), (waiting, "waiting"))
        note = ", ".join(f"{number} {words}" for number, words in counts if number)
        state = State.RUNNING if found["going"] else State.QUEUED
    look = ("curve", "Train", "run-list")
    return _stage(user, Role.TRAINER, look, found, state, ("model trained", note))


def _evaluate(user: User) -> Stage:
    found = Evaluation.objects.aggregate(n=Count("pk"), at=Max("at"))
    last = Evaluation.objects.of_validation().first()
    note = f"last: {last.bits_per_byte:.2f} bits per byte" if last else ""
    if last and last.answers.total:
        note = f"last: {last.answers.right:,} of {last.answers.total:,} answers right"
    state = State.SUCCEEDED if found["n"] else "none"
    look = ("pulse", "Evaluate", "model-list")
    return _stage(user, Role.TRAINER, look, found, state, ("measurement", note))


def _chat(user: User) -> Stage:
    found = LogEntry.objects.aggregate(n=Count("pk"), at=Max("at"))
    good, bad = Count("pk", filter=Q(value=1)), Count("pk", filter=Q(value=-1))
    here = Rating.objects.filter(message__generation__brought_in_at=None)  # not what files say
    ratings = here.aggregate(up=good, down=bad)
    own = Chat.objects.visible_to(user).count()
    note = f"{ratings['up']} good, {ratings['down']} not · {own} of your own chats"
    state = State.SUCCEEDED if Deployment.objects.filter(is_active=True).exists() else "none"
    look = ("chat", "Chat", "chat-list")
    return _stage(user, Role.MEMBER, look, found, state, ("answer logged", note))


def _stage(
    user: User,
    least: Role,
    look: tuple[str, str, str],
    found: dict[str, object],
    state: str,
    words: tuple[str, str],
) -> Stage:
    icon, title, url = look
    unit, note = words
    is_open = has_role(user, least)
    if found["n"] != 1:
        noun, space, rest = unit.partition(" ")
        unit = f"{noun}s{space}{rest}"
    return Stage(
        icon=icon,
        title=title,
        figure=int(str(found["n"])),
        unit=unit,
        note=note if is_open else "",
        state=state,
        at=found["at"] if isinstance(found["at"], datetime) else None,
        url=reverse(url),
        is_open=is_open,
    )


def _name(person: User | None) -> str:
    return (person.get_full_name() or person.username) if person else "Somebody"


def _todos(user: User) -> list[Todo]:
    todos = []
    if has_role(user, Role.CURATOR):
        waiting = SourceFile.objects.filter(verdict=FileState.WAITING)
        rated = LogEntry.objects.visible_to(user).with_rating()
        good = rated.unused().filter(rated=VALUES["up"])  # others are never added
        columns = ("file waits", "files wait", "for an answer of yours")
        answers = ("good answer is", "good answers are", "in no dataset yet")
        unused = f"{reverse('log-list')}?{LogFilter(rating='up', is_unused=True).query()}"
        for rows, words, url in (
            (waiting, columns, reverse("upload-list")),
            (good, answers, unused),
        ):
            if count := rows.count():
                one, many, rest = words
                sentence = f"{count:,} {one if count == 1 else many} {rest}"
                todos.append(Todo(sentence, url))
        todos += [
            Todo(
                f"{_name(one.asked_by)} asks for your second opinion in “{one.dataset.name}”",
                reverse("opinion-detail", args=[one.pk]),
            )
            for one in waiting_for(user).select_related("asked_by", "dataset").order_by("pk")[:5]
        ]
        there = Dataset.objects.filter(deleted_at=None)
        if review := sum(status_counts(dataset)[Status.REVIEW] for dataset in there):
            what = "conversation" if review == 1 else "conversations"
            todos.append(Todo(f"{review:,} {what} to review", reverse("dataset-list")))
    if has_role(user, Role.TRAINER):
        todos += [
            Todo(f"“{run.name}” failed: {run.message}", reverse("run-detail", args=[run.pk]))
            for run in Run.objects.filter(state=State.FAILED).order_by("-finished_at")[:2]
        ]
    return todos


def _step(user: User, stages: list[Stage]) -> Step | None:
    """Return the first step of the loop that is still missing and that the person may do."""
    upload, curate, train, _, chat = stages
    version = Version.objects.filter(state=State.SUCCEEDED).order_by("-created_at").first()
    shortcut = ""
    built = Knowledge.objects.exclude(path="")
    if version and chat.state == "none" and built.filter(pk=version.pk).exists():
        shortcut = f"{reverse('deployment-new')}?knowledge={version.pk}"
    frozen = "A version is frozen."
    is_training = not train.figure and train.state in {State.RUNNING, State.QUEUED}
    ladder = (
        (not curate.figure, upload, "There is no data yet.", "Upload your files", upload.url),
        (not version, curate, "Look through your conversations.", "Curate", curate.url),
        (is_training, train, "A model is being trained.", "See how far it is", train.url),
        (not train.figure, train, frozen, "Train a model", reverse("run-new")),
        (chat.state == "none", train, "A model is ready.", "Deploy it", reverse("deployment-new")),
        (True, chat, "A model answers.", "Chat with it", chat.url),
    )
    for is_missing, stage, sentence, label, url in ladder:
        if is_missing:
            if not stage.is_open:
                return None
            return Step(sentence, label, url, shortcut if sentence == frozen else "")
    return None
