"""`manage.py evaluate MODEL`: validation figures of a finished model."""

from __future__ import annotations

import json
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Version
from datasets_app.selectors.names import version_named
from otto_web.servers.borrow import servers_for_command
from training_app.lm.config import TrainingError
from training_app.models import Evaluation, TrainedModel
from training_app.selectors.names import model_named


class Command(BaseCommand):
    help = "Evaluate a model on validation conversations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="id, name, or name and number")
        parser.add_argument("--version-of-data", default="", help="another version than its own")
        splits = ["validation", "test"]
        parser.add_argument("--split", choices=splits, default="validation")
        parser.add_argument("--side", choices=splits, dest="split", help=SUPPRESS)  # its old name
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command("evaluate", tell=self.stderr.write):
            try:
                evaluation = _evaluate(options)
            except (TrainingError, CorpusError) as error:
                raise CommandError(str(error)) from error
            if options["json"]:
                self.stdout.write(json.dumps(_facts(evaluation)))
            else:
                self.stdout.write(f"{evaluation.model}: {evaluation.details['verdict']}")


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
