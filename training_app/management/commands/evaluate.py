"""`manage.py evaluate MODEL`: validation figures of a finished model."""

from __future__ import annotations

import json
import time
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Version
from datasets_app.selectors.names import version_named
from otto_web.servers.borrow import servers_for_command
from training_app.lm.config import TrainingError
from training_app.models import Evaluation, TrainedModel
from training_app.selectors.comparison import Comparison, comparison_of
from training_app.selectors.names import model_named
from training_app.services.answer_checks import order_check

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Evaluate a model on validation conversations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="id, name, or name and number")
        parser.add_argument("--version-of-data", default="", help="another version than its own")
        splits = ["validation", "test"]
        parser.add_argument("--split", choices=splits, default="validation")
        parser.add_argument("--side", choices=splits, dest="split", help=SUPPRESS)  # its old name
        parser.add_argument(
            "--compare",
            action="store_true",
            help="measure each way of answering that was not measured yet, and say how many are"
            " right: from scratch, the base and the fine-tuned model without and with knowledge,"
            " quoting",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command("evaluate", tell=self.stderr.write):
            if options["compare"]:
                self._compare(options)
                return
            try:
                evaluation = _evaluate(options)
            except (TrainingError, CorpusError) as error:
                raise CommandError(str(error)) from error
            if options["json"]:
                self.stdout.write(json.dumps(_facts(evaluation)))
            else:
                self.stdout.write(f"{evaluation.model}: {evaluation.details['verdict']}")

    def _compare(self, options: dict[str, Any]) -> None:
        try:
            comparison = _compared(options, tell=self.stderr.write)
        except (TrainingError, CorpusError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_ways(comparison)))
            return
        for line in comparison.lines:
            if line.found:
                told = f"{line.found.answers.headline()} {line.found.answers.off_topic_remark}"
            else:
                told = f"not measured: {line.trouble or line.way.missing}"
            self.stdout.write(f"{line.way.title}: {told.strip()}")
        if comparison.asked_otherwise:
            others = ", ".join(comparison.asked_otherwise)
            self.stdout.write(f"Not all were asked the same questions: {others}.")


def _compared(options: dict[str, Any], *, tell: Callable[[str], object]) -> Comparison:
    """Measure what was not measured, here or in a worker that is quicker."""
    from training_app.jobs.answer_checks import check_answers  # noqa: PLC0415 - torch, only here

    model = model_named(options["model"])
    version = _version(model, options["version_of_data"])
    comparison = comparison_of(model, version)
    if comparison is None:
        raise TrainingError(f"{version} kept back no questions for validation.")
    for line in comparison.unmeasured:
        tell(f"Measuring: {line.way.title} …")
        known = line.way.with_knowledge
        check = order_check(version, line.way.model, with_knowledge=known, by=None)
        while check.is_under_way:
            if not check_answers(check.pk):
                time.sleep(LOOK_SECONDS)
            check.refresh_from_db()
    again = comparison_of(model, version)
    assert again is not None  # noqa: S101 it was there before
    return again


def _ways(comparison: Comparison) -> dict[str, Any]:
    return {
        "model": str(comparison.model.pk),
        "name": str(comparison.model),
        "version": str(comparison.version.pk),
        "same_questions": not comparison.asked_otherwise,
        "ways": [
            {
                "way": line.way.slug,
                "title": line.way.title,
                "model": str(line.way.model.pk) if line.way.model else None,
                "answers": line.found.answers.as_json() if line.found else None,
                "at": line.found.at.isoformat() if line.found and line.found.at else None,
                "why_not": "" if line.found else line.trouble or line.way.missing,
            }
            for line in comparison.lines
        ],
    }


def _evaluate(options: dict[str, Any]) -> Evaluation:
    from training_app.jobs.evaluate import evaluate_model  # noqa: PLC0415 - torch, only here

    model = model_named(options["model"])
    version = _version(model, options["version_of_data"])
    return evaluate_model(model, version, split=options["split"])


def _version(model: TrainedModel, text: str) -> Version:
    if text:
        return version_named(text)
    if model.run is None:
        raise TrainingError("This model was not trained here: name a version to evaluate it on.")
    return model.run.version


def _facts(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "model": str(evaluation.model_id),
        "name": str(evaluation.model),
        "version": str(evaluation.version_id),
        "split": evaluation.split,
        "tokens": evaluation.tokens,
        "loss": evaluation.loss,
        "answer_loss": evaluation.answer_loss,
        "perplexity": evaluation.perplexity,
        "bits_per_byte": evaluation.bits_per_byte,
        "verdict": evaluation.details["verdict"],
        "answers": evaluation.answers.as_json(),
        "samples": [
            {
                "kind": row.kind,
                "prompt": row.prompt,
                "reply": row.reply,
                "reference": row.reference,
                "outcome": row.outcome,
                "why": row.why,
            }
            for row in evaluation.samples.order_by("prompt_no")
        ],
    }
