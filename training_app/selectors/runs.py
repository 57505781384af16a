"""What the list of runs shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import F, FloatField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Greatest
from django.http import QueryDict

from datasets_app.models import Version
from otto_web.lib.curves import smoothed
from otto_web.lib.uuids import as_uuid
from otto_web.lib.work.states import State
from training_app.lm.config import RunSpec
from training_app.lm.presets import DEFAULT_PRESET, PRESETS
from training_app.models import RUN_STATES, Evaluation, Run, RunQuerySet
from training_app.models.reasons import Reason
from training_app.selectors.points import thinned_curves
from training_app.selectors.queue import SPEED, Waiting, waiting_runs
from training_app.selectors.speed import seconds_left

RUNS_PER_PAGE = 30
SMALL_CURVE_POINTS = 60
MOST_CHOICES = 100  # versions that can be chosen
MOST_SELECTED = 60  # runs that an address keeps as selected
LOSS, VALIDATION_LOSS = "train/loss", "validation/loss"
SORTS = {
    "": "going first, then newest",
    "answers": "most answers right",
    "bits": "fewest bits per byte",
    "name": "name",
    "oldest": "oldest",
}
_NEWEST = 20  # points of the speed


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are shown, in which order, and which are selected; all of it is in the address."""

    state: str = ""
    version: str = ""
    person: str = ""
    sort: str = ""
    page: str = "1"
    selected: tuple[UUID, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Return what an address asks for; what it asks in vain is left out."""
        keys = (as_uuid(text) for text in query.getlist("run")[:MOST_SELECTED])
        state, sort = query.get("state", ""), query.get("sort", "")
        return cls(
            state=state if state in RUN_STATES else "",
            version=str(as_uuid(query.get("version")) or ""),
            person=query.get("person", "").replace("\x00", ""),
            sort=sort if sort in SORTS else "",
            page=query.get("page", "1"),
            selected=tuple(dict.fromkeys(key for key in keys if key is not None)),
        )

    @property
    def narrows(self) -> bool:
        return bool(self.state or self.version or self.person)

    @property
    def query(self) -> str:
        """Return the address's query, the selection left out: the page's boxes give that."""
        return self.link(page=self.page)

    def of_state(self, state: str) -> str:
        """Return the query of the same list in another state; the selection goes along."""
        return replace(self, state=state).link(*self.selected)

    def of_page(self, page: int) -> str:
        """Return the query of another page of the same list; the selection goes along."""
        return self.link(*self.selected, page=str(page))

    def link(self, *selected: UUID, page: str = "1") -> str:
        """Return the query of a page of the list with these runs selected."""
        parts: list[tuple[str, Any]] = [
            (name, getattr(self, name)) for name in ("state", "version", "person", "sort")
        ]
        parts += [("page", page if page != "1" else ""), *(("run", key) for key in selected)]
        return urlencode([(name, value) for name, value in parts if value])


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the list: its row, its small curve, how far it is, and how good it became."""

    run: Run
    loss: list[tuple[int, float]]
    validation: list[tuple[int, float]]
    speeds: list[float]
    evaluation: Evaluation | None = None
    waits: Waiting | None = None
    is_selected: bool = False

    @property
    def seconds_left(self) -> float | None:
        return seconds_left(self.run, RunSpec.from_json(self.run.spec), self.speeds)

    @property
    def share(self) -> float:
        total = self.run.total_steps
        return min(1.0, self.run.last_step / total) if total else 0.0

    @property
    def reason(self) -> str:
        """Return why the run ended, in short; nothing while it goes or when it ended well."""
        reason = self.run.reason
        return Reason(reason).short if self.run.is_over and reason in Reason.values else ""

    @property
    def bounds(self) -> tuple[float, float] | None:
        values = [value for _, value in [*self.loss, *self.validation]]
        return (min(values), max(values)) if values else None


@dataclass(frozen=True, slots=True)
class RunList:
    """One page of the list, and what it can be narrowed to."""

    page: Page[Run]
    lines: list[RunLine]
    filter: RunFilter
    has_going: bool
    versions: list[Version] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    @property
    def first_seconds(self) -> float:
        """Return how long the default preset trains."""
        return 60 * (PRESETS[DEFAULT_PRESET].train.minutes or 0.0)

    @property
    def states(self) -> list[tuple[State, str]]:
        """Return each state with the query of its list."""
        return [(state, self.filter.of_state(state.value)) for state in RUN_STATES]

    @property
    def any_state(self) -> str:
        return self.filter.of_state("")

    @property
    def newer(self) -> str:
        return self.filter.of_page(self.page.previous_page_number())

    @property
    def older(self) -> str:
        return self.filter.of_page(self.page.next_page_number())

    @property
    def sorts(self) -> Iterable[tuple[str, str]]:
        return SORTS.items()

    @property
    def selected_elsewhere(self) -> list[UUID]:
        """Return what is selected and stands on another page of the list."""
        shown = {line.run.pk for line in self.lines}
        return [key for key in self.filter.selected if key not in shown]


def run_list(user: User, asked: RunFilter) -> RunList:
    """Return a page of runs with their small curves, in a fixed number of queries."""
    runs = sorted_runs(_narrowed(Run.objects.visible_to(user), asked), asked.sort)
    related = runs.select_related("version__dataset", "created_by", "model")
    found = Paginator(related, RUNS_PER_PAGE).get_page(asked.page)
    rows = list(found.object_list)
    curves = thinned_curves(
        [run.pk for run in rows], most=SMALL_CURVE_POINTS, names=[LOSS, VALIDATION_LOSS, SPEED]
    )
    evaluations = newest_evaluations(rows)
    queue = waiting_runs() if any(run.state == State.QUEUED for run in rows) else {}
    lines = [
        RunLine(
            run,
            smoothed(curves.get(run.pk, {}).get(LOSS, [])),
            curves.get(run.pk, {}).get(VALIDATION_LOSS, []),
            [value for _, value in curves.get(run.pk, {}).get(SPEED, [])[-_NEWEST:]],
            evaluations.get(run.pk),
            queue.get(run.pk),
            run.pk in asked.selected,
        )
        for run in rows
    ]
    is_going = any(not run.is_over for run in rows)
    return RunList(found, lines, asked, is_going, _versions(), _people())


def newest_evaluations(runs: Iterable[Run]) -> Mapping[UUID, Evaluation]:
    """Return by run how its model did on the validation split of the version that it learned."""
    rows = Evaluation.objects.of_validation().filter(
        model__run__in=list(runs), version=F("model__run__version")
    )
    found: dict[UUID, Evaluation] = {}
    for run_id, one in ((row.model.run_id, row) for row in rows.select_related("model")):
        if run_id is not None:
            found.setdefault(run_id, one)
    return found


def _narrowed(runs: RunQuerySet, asked: RunFilter) -> RunQuerySet:
    if asked.state:
        runs = runs.filter(state=asked.state)
    if asked.version:
        runs = runs.filter(version__pk=UUID(asked.version))
    if asked.person:
        runs = runs.filter(created_by__username=asked.person)
    return runs


def sorted_runs(runs: RunQuerySet, sort: str) -> QuerySet[Run]:
    """Return runs in one of the orders of `SORTS`."""
    if sort in {"answers", "bits"}:
        newest = Evaluation.objects.of_validation().filter(
            model__run=OuterRef("pk"), version=OuterRef("version")
        )
        counts = KeyTransform("answers", "details")
        right, total = (
            Cast(KeyTextTransform(name, counts), FloatField()) for name in ("right", "total")
        )
        share = newest.annotate(share=right / Greatest(total, 1.0)).values("share")[:1]
        worth = share if sort == "answers" else newest.values("bits_per_byte")[:1]
        runs = runs.annotate(worth=Subquery(worth))
        by = F("worth")
        best = by.desc(nulls_last=True) if sort == "answers" else by.asc(nulls_last=True)
        return runs.order_by(best, "-created_at")
    if sort:
        return runs.order_by(*(("name", "-created_at") if sort == "name" else ("created_at",)))
    return runs.newest_first()


def _versions() -> list[Version]:
    used = Version.objects.filter(pk__in=Run.objects.values("version"))
    return list(used.select_related("dataset").order_by("-created_at")[:MOST_CHOICES])


def _people() -> list[str]:
    names = User.objects.filter(pk__in=Run.objects.values("created_by"))
    return list(names.order_by("username").values_list("username", flat=True))
