"""`manage.py pipeline FILE...`: from files to a model that answers, in one go."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.chunks.settings import Settings
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.scores import Cuts
from otto_web.loop.management.loop import add_wishes, run_loop
from otto_web.loop.services.pipelines import Documents, PipelineOrder
from training_app.lm.presets import DEFAULT_PRESET, DEFAULT_TUNING, PRESETS

BUILT_IN = "built-in"
USUAL = Documents()
OF_DOCUMENTS: dict[str, tuple[type, Any, str]] = {
    "--chunk-size": (int, USUAL.chunk_size, "characters of a chunk, at most"),
    "--chunk-overlap": (int, USUAL.chunk_overlap, "characters that the next chunk repeats"),
    "--provider": (str, BUILT_IN, "who words the questions: built-in, or a provider's name"),
    "--questions-per-chunk": (int, USUAL.questions, "at most"),
    "--validation-threshold": (float, USUAL.passing, "from this score on a pair passes"),
    "--format-threshold": (float, USUAL.threshold, "from this score on a pair is learned from"),
}


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
        parser.add_argument(
            "--documents", "--input-dir", type=Path, metavar="DIR", help="begin here"
        )
        for name, (kind, usual, about) in OF_DOCUMENTS.items():
            parser.add_argument(name, type=kind, default=usual, help=about)
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on with what failed or was left of this folder",
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
            documents=_documents(options),
        )
        target = options["onnx_output"]
        if target and target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise CommandError(f"{target} is there already. Name a new or an empty folder.")
        run_loop(self, order, quiet=options["json"], wished=options)


def _preset(options: dict[str, Any]) -> str:
    return DEFAULT_TUNING if options["model_name"] or options["documents"] else DEFAULT_PRESET


def _documents(options: dict[str, Any]) -> Documents | None:
    folder = options["documents"]
    if folder is None:
        return None
    if not folder.is_dir():
        raise CommandError(f"There is no folder {folder}.")
    try:
        Settings(size=options["chunk_size"], overlap=options["chunk_overlap"]).check_order()
        Cuts.of(options["validation_threshold"], 0)
        Cuts.of(10, options["format_threshold"])
    except CorpusError as error:
        raise CommandError(str(error)) from error
    provider = options["provider"]
    return Documents(
        folder=str(folder.resolve()),
        chunk_size=options["chunk_size"],
        chunk_overlap=options["chunk_overlap"],
        provider="" if provider == BUILT_IN else provider,
        questions=options["questions_per_chunk"],
        passing=options["validation_threshold"],
        threshold=options["format_threshold"],
    )


def _there(files: list[Path]) -> list[Path]:
    for path in files:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
    return files
