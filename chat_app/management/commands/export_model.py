"""`manage.py export_model MODEL --format FORMAT --to DIR`: a checked file for other tools."""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError

from chat_app.jobs.serving_exports import build_serving_export
from chat_app.jobs.waiting import settle
from chat_app.services.deployments import order_export as order_serving
from chat_app.serving.errors import ServingError
from chat_app.serving.graph_files import GRAPH_FILES, SERVING, Precision
from otto_web.servers.borrow import servers_for_command
from training_app.jobs.exports import build_export
from training_app.lm.config import TrainingError
from training_app.lm.exports.registry import FORMATS
from training_app.models import TrainedModel
from training_app.models.paths import absolute
from training_app.selectors.names import model_named
from training_app.services.exports import order_export

PAPERS = (
    *("otto.json", "config.json", "generation_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
)


class Command(BaseCommand):
    help = "Write a model to a folder, after its numbers agreed with PyTorch's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="id, “name number” or name (its newest)")
        parser.add_argument("--format", choices=(SERVING, *FORMATS), required=True)
        parser.add_argument("--opset", type=int, help="of an ONNX graph for other tools")
        parser.add_argument("--to", required=True, type=Path, help="a folder that is not there yet")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["to"].resolve()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise CommandError(f"{target} is there already. Name a new or an empty folder.")
        with servers_for_command("export_model", tell=self.stderr.write) as borrowed:
            try:
                model = model_named(options["model"])
                write = _writer(options["format"], options["opset"])
                figures = write(model, target, has_workers=borrowed.has_workers)
            except (ServingError, TrainingError) as error:
                raise CommandError(str(error)) from error
        if options["json"]:
            told = {"model": str(model), "format": options["format"], "to": str(target), **figures}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(f"{model} is in {target}.")


def _write_serving(model: TrainedModel, target: Path, *, has_workers: bool) -> dict[str, Any]:
    """Copy the serving graph with the tokenizer and configuration that it needs."""
    export = order_serving(model, by=None)
    settle(export, build_serving_export, has_workers=has_workers)
    folder = absolute(model.path)
    names = [GRAPH_FILES[cast("Precision", export.precision)], *PAPERS]
    for name in names:
        if (folder / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, target / name)
    told = {"parity_max_error": export.parity_max, "sha256": export.sha256}
    return {**told, "precision": export.precision}


def _write_built(
    model: TrainedModel, target: Path, *, name: str, opset: int | None, has_workers: bool
) -> dict[str, Any]:
    """Copy a format that a job builds and checks."""
    export = order_export(model, name, by=None, opset=opset)
    settle(export, build_export, has_workers=has_workers)
    shutil.copytree(absolute(export.path), target, dirs_exist_ok=True)
    return {"parity_max_error": export.parity_max, "sha256": export.sha256}


def _write_folder(model: TrainedModel, target: Path, *, has_workers: bool) -> dict[str, Any]:
    """Copy the model's folder, without what only this installation's engine reads."""
    without = shutil.ignore_patterns(SERVING)
    shutil.copytree(absolute(model.path), target, dirs_exist_ok=True, ignore=without)
    return {}


def _writer(name: str, opset: int | None) -> Callable[..., dict[str, Any]]:
    if name == SERVING:
        return _write_serving
    if FORMATS[name].is_built:
        return partial(_write_built, name=name, opset=opset)
    return _write_folder
