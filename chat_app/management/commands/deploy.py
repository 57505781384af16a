"""`manage.py deploy MODEL --as NAME`: compares the model with torch and lets it answer."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from chat_app.forms.deployments import ALIAS
from chat_app.jobs.serving_exports import build_serving_export
from chat_app.jobs.waiting import settle
from chat_app.models import Deployment
from chat_app.selectors.deployments import parity_check_of
from chat_app.services import deployments
from chat_app.serving.errors import ServingError
from otto_web.servers.borrow import servers_for_command
from training_app.lm.config import TrainingError
from training_app.selectors.names import model_named


class Command(BaseCommand):
    help = "Check a model against PyTorch and let it answer under a name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="id, “name number” or name (its newest)")
        parser.add_argument("--as", dest="alias", required=True, help="name in the chat")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command("deploy", tell=self.stderr.write) as borrowed:
            try:
                ALIAS(options["alias"])
                model = model_named(options["model"])
                deployments.deploy(model, options["alias"], by=None)
                export = deployments.order_export(model, by=None)
                settle(export, build_serving_export, has_workers=borrowed.has_workers)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            except (ServingError, TrainingError) as error:
                raise CommandError(str(error)) from error
            self._tell(Deployment.objects.get(pk=options["alias"]), as_json=options["json"])

    def _tell(self, deployment: Deployment, *, as_json: bool) -> None:
        parity_check = parity_check_of(deployment.model)
        assert parity_check is not None  # noqa: S101 - it was settled above
        figures = {
            "deployment": deployment.pk,
            "model": str(deployment.model),
            "model_id": str(deployment.model_id),
            "parity_max_error": parity_check.export.parity_max,
            "greedy_equal": parity_check.is_greedy_equal,
            "calibration": parity_check.export.calibration,
        }
        if as_json:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write(f"{deployment.model} answers as “{deployment.pk}”.")
            self.stdout.write(str(parity_check.export.figures.get("sentence", "")))
