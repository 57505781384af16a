"""`manage.py deploy [MODEL] --as NAME`: lets a model answer, or what a version knows, or both."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from chat_app.forms.deployments import ALIAS
from chat_app.jobs.serving_exports import build_serving_export
from chat_app.jobs.waiting import settle
from chat_app.models import Deployment, Mode
from chat_app.selectors.deployments import ParityCheck
from chat_app.services import deployments, knowing
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import CorpusError
from datasets_app.jobs.knowledge import build_knowledge
from datasets_app.models import Knowledge
from datasets_app.selectors.names import version_named
from datasets_app.services.knowledge import order_knowledge
from otto_web.servers.borrow import servers_for_command
from training_app.lm.config import TrainingError
from training_app.selectors.names import model_named


class Command(BaseCommand):
    help = (
        "Let a model answer under a name, once it is checked against PyTorch; or the known "
        "answers of a version, quoted without any model; or the model from those answers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "model", nargs="?", default="", help="id, “name number” or name (its newest)"
        )
        parser.add_argument("--as", dest="alias", required=True, help="name in the chat")
        parser.add_argument(
            "--knowledge",
            metavar="VERSION",
            default="",
            help="frozen version, by name or id, whose known answers it answers from",
        )
        parser.add_argument(
            "--quote",
            action="store_true",
            help="quote the known answers word for word; needs no model",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        quotes, wanted = options["quote"], options["knowledge"]
        if quotes and not wanted:
            raise CommandError("Say with --knowledge which version’s answers are quoted.")
        if quotes == bool(options["model"]):
            raise CommandError("Name a model that writes, or say --quote: one of the two.")
        with servers_for_command("deploy", tell=self.stderr.write) as borrowed:
            try:
                ALIAS(options["alias"])
                has_workers = borrowed.has_workers
                known = known_answers(wanted, has_workers=has_workers) if wanted else None
                if not quotes:
                    model = model_named(options["model"])
                    deployments.deploy(model, options["alias"], by=None)
                    export = deployments.order_export(model, by=None)
                    settle(export, build_serving_export, has_workers=has_workers)
                if known is not None:
                    _answer_from(known, options["alias"], Mode.QUOTE if quotes else Mode.WRITE)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            except (CorpusError, ServingError, TrainingError) as error:
                raise CommandError(str(error)) from error
            self._tell(Deployment.objects.get(pk=options["alias"]), as_json=options["json"])

    def _tell(self, deployment: Deployment, *, as_json: bool) -> None:
        figures: dict[str, Any] = {"deployment": deployment.pk, "mode": deployment.mode}
        figures["knowledge"] = deployment.knowledge and str(deployment.knowledge.version)
        said = f"“{deployment.pk}” {deployment.how}."
        if not deployment.is_quoting:
            assert deployment.export is not None  # noqa: S101 - it was settled above
            parity_check = ParityCheck(deployment.export)
            figures |= {
                "model": str(deployment.model),
                "model_id": str(deployment.model_id),
                "parity_max_error": parity_check.export.parity_max,
                "greedy_equal": parity_check.is_greedy_equal,
                "precision": parity_check.export.precision,
                "calibration": parity_check.export.calibration,
            }
            said = (
                f"{deployment.model} answers as “{deployment.pk}” and {deployment.how}.\n"
                f"{parity_check.export.figures.get('sentence', '')} {parity_check.gate}"
            )
        self.stdout.write(json.dumps(figures) if as_json else said)


def known_answers(version: str, *, has_workers: bool) -> Knowledge:
    """Return what a version knows, once it is built; its work is done here where nobody else would.

    Raises CorpusError where there is no such version, ServingError where it cannot be built.
    """
    found = version_named(version)
    known = Knowledge.objects.filter(version=found).first()
    if known is None or not known.path:
        known = order_knowledge(found, by=None)
        settle(known, build_knowledge, has_workers=has_workers)
    return known


def _answer_from(known: Knowledge, alias: str, mode: Mode) -> None:
    """Let a name answer from known answers; a fresh one where there is none yet."""
    deployment = Deployment.objects.filter(pk=alias).first()
    if deployment is None:
        knowing.deploy_quotes(known, alias, by=None)
    else:
        knowing.set_knowledge(deployment, known, mode, by=None)
