"""`manage.py pipeline FILE...`: from files to a model that answers, in one go."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from otto_web.loop.management.loop import add_wishes, run_loop
from otto_web.loop.services.pipelines import PipelineOrder
from training_app.lm.presets import DEFAULT_PRESET, DEFAULT_TUNING, PRESETS


class Command(BaseCommand):
    help = (
        "Load, check, freeze, train, measure, check, deploy, ask, learn. Without files: the sample."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
        parser.add_argument("--data-file", type=Path, action="append", default=[], metavar="FILE")
        parser.add_argument("--dataset", default="", help="name of the new dataset")
        parser.add_argument(
            "--preset",
            choices=sorted(PRESETS),
            help=f"{DEFAULT_TUNING} where a model to go on from is named, else {DEFAULT_PRESET}",
        )
        parser.add_argument("--minutes", type=float, help="how long to train")
        parser.add_argument(
            "--as",
            dest="alias",
            default="",
            help="name of the deployment; one that is there gets a number",
        )
        parser.add_argument(
            "--take-over", action="store_true", help="let the new model answer under that name"
        )
        add_wishes(parser)
        parser.add_argument("--json", action="store_true", help="only the JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["take_over"] and not options["alias"]:
            raise CommandError("Say by --as which name the new model takes over.")
        order = PipelineOrder(
            files=_there([*options["files"], *options["data_file"]]),
            name=options["dataset"],
            preset=options["preset"] or _preset(options),
            alias=options["alias"],
            takes_over=options["take_over"],
            minutes=options["minutes"],
        )
        target = options["onnx_output"]
        if target and target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise CommandError(f"{target} is there already. Name a new or an empty folder.")
        run_loop(self, order, quiet=options["json"], wished=options)


def _preset(options: dict[str, Any]) -> str:
    return DEFAULT_TUNING if options["model_name"] else DEFAULT_PRESET


def _there(files: list[Path]) -> list[Path]:
    for path in files:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
    return files
