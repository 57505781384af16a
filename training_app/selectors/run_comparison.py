"""Two to six runs side by side: curves, settings, data, answers, samples, and which is better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User

from datasets_app.models import Version
from datasets_app.selectors.versions import rows_of_split
from otto_web.lib.uuids import as_uuid
from training_app.lm.config import RunSpec
from training_app.lm.paired import Difference, compare_losses, words_for_answers, words_for_losses
from training_app.models import Evaluation, Run, RunSample, TrainedModel
from training_app.selectors.answers_apart import (
    Row,
    Tested,
    answers_apart,
    lettered,
    side_by_side,
    tested_models,
)
from training_app.selectors.points import Curves, thinned_curves
from training_app.selectors.setting_groups import Group, setting_groups

FEWEST, MOST = 2, 6
_SVG_POINTS = 300


@dataclass(frozen=True, slots=True)
class Side:
    """One of the runs, with the letter that it has on the page."""

    letter: str
    run: Run
    spec: RunSpec
    model: TrainedModel | None
    evaluation: Evaluation | None  # of its own version's validation split
    curves: Curves
    tested: Tested | None = None

    @property
    def validation(self) -> list[tuple[int, float]]:
        return self.curves.get("validation/bits_per_byte", [])

    @property
    def tokens_per_update(self) -> int:
        return self.spec.train.tokens_per_update(self.spec.model.context)

    @property
    def tokens(self) -> int:
        return self.run.last_step * self.tokens_per_update

    @property
    def elapsed(self) -> timedelta | None:
        began, ended = self.run.started_at, self.run.finished_at
        return ended - began if began and ended else None

    @property
    def train_rows(self) -> int:
        return rows_of_split(self.run.version, "train")

    @property
    def validation_rows(self) -> int:
        return rows_of_split(self.run.version, "validation")

    @property
    def leaked(self) -> float | None:
        """Return the percentage of validation text that training has word for word, if measured."""
        share = self.evaluation.details.get("leaked_share") if self.evaluation else None
        return None if share is None else 100 * float(share)

    @property
    def is_of_asked_version(self) -> bool:
        return self.tested is None or self.tested.version_id == self.run.version_id


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its value in each run."""

    name: str
    values: list[Any]

    @property
    def lettered(self) -> list[tuple[str, Any]]:
        return lettered(self.values)

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values)


@dataclass(frozen=True, slots=True)
class SamplePrompt:
    """A fixed prompt with what each run wrote last, None where it was not asked."""

    prompt: str
    reference: str
    replies: list[RunSample | None]

    @property
    def lettered(self) -> list[tuple[str, RunSample | None]]:
        return lettered(self.replies)


@dataclass(frozen=True, slots=True)
class Versus:
    """A run against the first one: how many answers more, and what that means."""

    first: Side
    side: Side
    answers: Difference | None
    sentence: str
    texts: str  # the same of the validation texts; empty where they are not the same texts


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Everything of the page; `versus` has each run but the first."""

    sides: list[Side]
    version: Version
    settings: list[tuple[str, list[Setting]]]
    rows: list[Row]
    versus: list[Versus]
    samples: list[SamplePrompt]
    cautions: list[str]

    @property
    def differing(self) -> list[tuple[str, list[Setting]]]:
        """Return the settings that are not the same in all, in their groups."""
        found = [(title, [one for one in group if one.differs]) for title, group in self.settings]
        return [(title, group) for title, group in found if group]

    @property
    def apart(self) -> list[Row]:
        return [row for row in self.rows if row.differs]

    @property
    def alike(self) -> list[Row]:
        return [row for row in self.rows if not row.differs]

    @property
    def bounds(self) -> tuple[float, float] | None:
        values = [value for side in self.sides for _, value in side.validation]
        return (min(values), max(values)) if values else None

    @property
    def measure(self) -> str:
        """Return which curve compares: the loss, or with several tokenizers bits per byte."""
        tokenizers = {side.model.tokenizer_id for side in self.sides if side.model}
        return "loss" if len(tokenizers) == 1 and all(s.model for s in self.sides) else "bits"


def chosen_runs(user: User, asked: Iterable[str]) -> list[Run]:
    """Return the runs that were named and are there, in the order of their names, each once."""
    keys = [key for key in dict.fromkeys(map(as_uuid, asked)) if key is not None]
    related = ("version__dataset", "model", "created_by")
    found = Run.objects.visible_to(user).select_related(*related).in_bulk(keys[: 10 * MOST])
    return [found[key] for key in keys if key in found]


def compare_runs(runs: Sequence[Run]) -> RunComparison:
    """Return the comparison of two to six runs, in a fixed number of queries."""
    sides = _sides(runs)
    version = runs[0].version
    tests = [side.tested for side in sides]
    return RunComparison(
        sides,
        version,
        _settings(runs),
        side_by_side(tests),
        [_versus(sides[0], side) for side in sides[1:]],
        _samples(runs),
        list(_cautions(sides)),
    )


def _sides(runs: Sequence[Run]) -> list[Side]:
    names = ("validation/loss", "validation/bits_per_byte")
    curves = thinned_curves([run.pk for run in runs], most=_SVG_POINTS, names=names)
    models = [model for run in runs if (model := getattr(run, "model", None)) is not None]
    for model in models:
        model.run = next(run for run in runs if run.pk == model.run_id)
    tested = dict(zip(models, tested_models(models, runs[0].version), strict=True))
    newest: dict[Any, Evaluation] = {}
    for one in Evaluation.objects.of_validation().filter(model__in=models):
        if one.version_id == next(m.run.version_id for m in models if m.pk == one.model_id):
            newest.setdefault(one.model_id, one)
    found = []
    for letter, run in lettered(runs):
        model = getattr(run, "model", None)
        evaluation = newest.get(model.pk) if model else None
        spec = RunSpec.from_json(run.spec)
        curve = curves.get(run.pk, {})
        found.append(Side(letter, run, spec, model, evaluation, curve, tested.get(model)))
    return found


def _settings(runs: Sequence[Run]) -> list[tuple[str, list[Setting]]]:
    """Return all settings in their groups; what a run lacks is None."""
    groups: list[list[Group]] = [setting_groups(run) for run in runs]
    found = []
    for place, (title, _) in enumerate(groups[0]):
        values = [dict(one[place][1]) for one in groups]
        names = dict.fromkeys(name for one in values for name in one)
        found.append((title, [Setting(name, [v.get(name) for v in values]) for name in names]))
    return found


def _samples(runs: Sequence[Run]) -> list[SamplePrompt]:
    """Return the prompts that at least two runs wrote to, with the last reply of each."""
    rows = RunSample.objects.filter(run__in=runs).order_by("run", "prompt_no", "-step")
    last: dict[tuple[Any, str], RunSample] = {}
    for row in rows.distinct("run", "prompt_no"):
        last.setdefault((row.run_id, row.prompt), row)
    prompts = dict.fromkeys(prompt for _, prompt in last)
    found = []
    for prompt in prompts:
        replies = [last.get((run.pk, prompt)) for run in runs]
        there = [reply for reply in replies if reply is not None]
        if len(there) > 1:
            found.append(SamplePrompt(prompt, there[0].reference, replies))
    return found


def versus(first: Run, second: Run) -> Versus:
    """Return the second run against the first."""
    one, other = _sides([first, second])
    return _versus(one, other)


def _versus(first: Side, side: Side) -> Versus:
    found = answers_apart(first.tested, side.tested)
    words = words_for_answers(found, first.letter, side.letter)
    if not words:
        words = (
            f"{first.letter} and {side.letter} were not asked the same questions, so nobody can say"
            " which answers better. Measure both on one version."
        )
    apart = texts_apart(first.evaluation, side.evaluation)
    return Versus(first, side, found, words, words_for_losses(apart, first.letter, side.letter))


def texts_apart(first: Evaluation | None, second: Evaluation | None) -> Difference | None:
    """Return how many bits per byte the second takes more on the same whole validation texts.

    Texts are the same where version, number and size are.
    """
    if first is None or second is None or first.version_id != second.version_id:
        return None
    ours, theirs = _texts(first), _texts(second)
    shared = [key for key in ours if key in theirs]
    return compare_losses(
        [(ours[key], key[1]) for key in shared], [(theirs[key], key[1]) for key in shared]
    )


def _texts(evaluation: Evaluation) -> dict[tuple[int, int], float]:
    """Return nats by number and bytes of each text; what has no bytes says nothing."""
    rows = evaluation.details.get("texts", ())
    return {(number, size): nats for number, nats, size in rows if size}


def _cautions(sides: Sequence[Side]) -> Iterable[str]:
    """Yield what cannot be compared, and why."""
    for side in sides:
        if side.model is None:
            yield (
                f"{side.letter} has made no model ({side.run.state}): only its curves and settings"
                " can be compared."
            )
    versions = {side.run.version_id for side in sides}
    if len(versions) > 1:
        yield (
            "These runs learned from different versions, so their losses are of different texts:"
            " curves and bits per byte cannot be compared. Answers can, where the questions are the"
            " same."
        )
    tested = [side for side in sides if side.tested is not None]
    if len({frozenset(side.tested.replies) for side in tested if side.tested}) > 1:
        asked = ", ".join(
            f"{side.letter} {side.tested.figures.total}" for side in tested if side.tested
        )
        yield (
            f"They were not asked the same questions ({asked}): only what both of a pair were asked"
            " counts in a comparison."
        )
    tokenizers = {side.model.tokenizer_id for side in sides if side.model}
    if len(tokenizers) > 1:
        yield (
            "They have different tokenizers: a loss per token says nothing between them. Compare"
            " bits per byte."
        )
    knowing = [side.letter for side in sides if side.spec.data.sources]
    if knowing and len(knowing) < len(sides):
        yield (
            f"{' and '.join(knowing)} answered with known answers at hand, the others from memory:"
            " that is most of the difference that you see."
        )
