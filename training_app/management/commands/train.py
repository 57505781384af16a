"""`manage.py train VERSION`: queue a run, and with --wait stay until it is over."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.selectors.names import version_named
from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command
from training_app.forms import model_config_of
from training_app.jobs.preparing import prepare_data
from training_app.jobs.recovery import recover
from training_app.jobs.supervise import supervise_run
from training_app.lm.config import LENGTH_UNITS, MOST_CONTEXT, RunSpec, TrainingError
from training_app.lm.presets import DEFAULT_PRESET, PRESETS
from training_app.models import Run, TrainedModel, paths
from training_app.selectors.local_models import PREFIX, how_to_add, local_names, local_shape
from training_app.selectors.names import model_named
from training_app.selectors.setting_words import SETTINGS
from training_app.services.preparations import order_preparation
from training_app.services.run_options import add_options, given_settings
from training_app.services.runs import Order, queue_run
from training_app.services.spec_lines import changed_spec

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Train a model on a frozen version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="name or id of a version")
        parser.add_argument(
            "--start",
            "--model-name",
            default="",
            metavar="MODEL",
            help="a model made here, or a local folder",
        )
        parser.add_argument("--preset", choices=sorted(PRESETS), default=DEFAULT_PRESET)
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="change a setting of the preset",
        )
        parser.add_argument(
            "--name", "--output-dir", default="", help="name of the run and of its model"
        )
        parser.add_argument(
            "--force", default="", metavar="REASON", help="why to train a poor version"
        )
        parser.add_argument(
            "--no-training", action="store_true", help="prepare tokens and text, and train nothing"
        )
        parser.add_argument("--wait", action="store_true", help="stay until the run is over")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command("train", tell=self.stderr.write) as servers:
            try:
                order = self._order(options)
                if options["no_training"]:
                    self._prepare(order, options)
                    return
                run = queue_run(order, created_by=None)
            except (TrainingError, CorpusError) as error:
                raise CommandError(f"{error}{_where(error)}") from error
            if options["wait"] or not servers.has_workers:
                self._stay(run, does_the_work=not servers.has_workers, quiet=options["json"])
            self._answer(Run.objects.select_related("model").get(pk=run.pk), options)

    def _stay(self, run: Run, *, does_the_work: bool, quiet: bool) -> None:
        told = -1
        while not run.is_over:
            if does_the_work:
                recover()
            if not (does_the_work and supervise_run()):
                time.sleep(LOOK_SECONDS)
            run.refresh_from_db()
            if not quiet and run.last_step != told:
                told = run.last_step
                self.stdout.write(f"{run.phase or run.state}: step {told} of {run.total_steps}")

    def _order(self, options: dict[str, Any]) -> Order:
        version = version_named(options["version"])
        preset, given = options["preset"], given_settings(options)
        for line in given.left:
            value = f" ({line.value})" if line.value else ""
            self.stderr.write(f"Not taken: {line.given}{value}: {line.why}.")
        spec = PRESETS[preset].spec(name=preset, version=str(version.pk), start_from=given.start)
        spec, start = _changed(spec, given.start, given.lines)
        name = given.name or f"{version.dataset.name[:150]} {preset}"
        return Order(name, spec, version, uuid4(), options["force"], start_model=start)

    def _prepare(self, order: Order, options: dict[str, Any]) -> None:
        made = order_preparation(order, by=None)
        prepare_data(made.pk)
        made.refresh_from_db()
        if made.state != State.SUCCEEDED:
            raise CommandError(made.message or made.state)
        facts = {"prepared": str(made.pk), "path": str(paths.absolute(made.path) / "prepared")}
        facts |= made.facts
        if options["json"]:
            self.stdout.write(json.dumps({**facts, "samples": []}))
            return
        for split in made.facts["splits"]:
            self.stdout.write(
                f"{split['name']}: {split['texts']:,} texts, {split['tokens']:,} tokens"
            )
        self.stdout.write(facts["path"])

    def _answer(self, run: Run, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(_facts(run)))
        else:
            self.stdout.write(f"{run.name}: {run.state}. {run.message}".strip())
        if run.is_over and not run.has_model:
            raise CommandError(run.message or run.state)


def _where(error: Exception) -> str:
    """Return the option that a refused setting stands behind."""
    field = getattr(error, "field", "")
    if field == "forced":
        return " Here: --force REASON."
    return f" Here: --{field.replace('_', '-')}." if field in {*LENGTH_UNITS, *SETTINGS} else ""


def _changed(spec: RunSpec, text: str, settings: list[str]) -> tuple[RunSpec, TrainedModel | None]:
    """Return the specification with these settings, and the model of ours that it begins with.

    `text` names that model or a local one, if it begins with any.
    """
    if not text:
        return changed_spec(spec, settings), None
    if text in local_names():
        shape = local_shape(text, context=MOST_CONTEXT)
        network = replace(shape, context=min(shape.context, spec.model.context))
        spec = replace(spec, model=network).started(f"{PREFIX}{text}")
        return changed_spec(spec, settings, most_context=shape.context), None
    try:
        start = model_named(text)
    except TrainingError as error:
        raise TrainingError(f"{error} {how_to_add(text)}") from error
    network = model_config_of(start, context=spec.model.context)
    spec = replace(spec, model=network).started(str(start.pk))
    return changed_spec(spec, settings, most_context=network.context), start


def _facts(run: Run) -> dict[str, Any]:
    model = getattr(run, "model", None)
    facts: dict[str, Any] = {
        "run": str(run.pk),
        "name": run.name,
        "state": run.state,
        "reason": run.reason,
        "message": run.message,
        "step": run.last_step,
        "model": None if model is None else str(model.pk),
    }
    evaluation = None if model is None else model.evaluations.of_validation().first()
    if evaluation is not None:
        facts |= {
            "answers": evaluation.answers.as_json(),
            "validation_loss": evaluation.loss,
            "perplexity": evaluation.perplexity,
            "bits_per_byte": evaluation.bits_per_byte,
        }
    return facts
