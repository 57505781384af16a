"""`manage.py pipeline FILE...`: from files to a model that answers, in one go."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.chunks.settings import Settings
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.scores import Cuts
from datasets_app.forms.web import named_addresses
from datasets_app.services.web import check_allowed
from otto_web.loop.forms.pipelines import FROM_BASE
from otto_web.loop.management.loop import add_wishes, run_here
from otto_web.loop.management.settled import (
    DESTS,
    Settled,
    add_settings,
    config_of,
    settled,
)
from otto_web.loop.selectors.config_env import LOCAL, NOBODY, ReadConfig
from otto_web.loop.selectors.defaults import THIS_RUN
from otto_web.loop.selectors.pipelines import FROM_NOTHING
from otto_web.loop.services.pipelines import Documents, PipelineOrder
from otto_web.servers.borrow import servers_for_command
from training_app.lm.presets import DEFAULT_PRESET, DEFAULT_TUNING, PRESETS

USUAL = Documents()
OF_DOCUMENTS: dict[str, tuple[type, Any, str]] = {
    "--chunk-size": (int, None, f"characters of a chunk, at most; usually {USUAL.chunk_size}"),
    "--chunk-overlap": (int, None, "characters that the next chunk repeats; usually a fifth"),
    "--provider": (
        str,
        None,
        f"who words the questions: {NOBODY}, or a provider's name",
    ),
    "--model": (str, None, "as the provider calls it"),
    "--questions-per-chunk": (int, None, f"at most; usually {USUAL.questions}"),
    "--validation-threshold": (float, None, f"a pair passes from it on; usually {USUAL.passing}"),
    "--format-threshold": (float, None, f"it is learned from; usually {USUAL.threshold}"),
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
            help="name of the deployment; one that is there gets a number",
        )
        parser.add_argument(
            "--take-over", action="store_true", help="let the new model answer under that name"
        )
        parser.add_argument(
            "--documents", "--input-dir", type=Path, metavar="DIR", help="begin here"
        )
        parser.add_argument(
            "--quote",
            action="store_true",
            help="train nothing: answers quote the documents, with the page they stand on",
        )
        parser.add_argument(
            "--web", action="append", default=[], metavar="URL", help="begin with this page"
        )
        parser.add_argument("--follow", action="store_true", help="and with its site's, up to 100")
        for name, (kind, usual, about) in OF_DOCUMENTS.items():
            parser.add_argument(name, type=kind, default=usual, help=about)
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on with what failed or was left of this folder",
        )
        parser.add_argument(
            "--verbose", action="store_true", help="a line for each document, chunk and pair"
        )
        add_settings(parser)
        add_wishes(parser)
        parser.add_argument("--json", action="store_true", help="only the JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["take_over"] and not options["alias"]:
            raise CommandError("Say by --as which name the new model takes over.")
        files = _there([*options["files"], *options["data_file"]])
        target = options["onnx_output"]
        if target and target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise CommandError(f"{target} is there already. Name a new or an empty folder.")
        with servers_for_command("pipeline", tell=self.stderr.write) as servers:
            config = config_of(options["config"])
            rows = settled(options, config, options["config"])
            folders = _folders(config, options["config"])
            begin = folders.pop("folder", None)
            if not (files or options["documents"] or options["web"]):
                options["documents"] = begin
            if options["show_settings"]:
                self._show(rows, config)
                return
            for line in config.left:
                self.stderr.write(f"{line.given}: {line.why}")
            options |= {DESTS.get(row.name, row.name): row.value for row in rows}
            order = _order(files, options)
            said = {{"way": "base"}.get(row.name, row.name): row.said for row in rows}
            options["folders"] = folders
            order = replace(order, came_from=said)
            run_here(self, order, servers, quiet=options["json"], wished=options)

    def _show(self, rows: list[Settled], config: ReadConfig) -> None:
        for row in rows:
            self.stdout.write(row.line)
        for name, value in config.folders.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {value} ({THIS_RUN})")
        for line in config.left:
            self.stdout.write(f"not taken: {line.given} ({line.why})")


def _order(files: list[Path], options: dict[str, Any]) -> PipelineOrder:
    """Return the order, from options that are settled."""
    begins = options["documents"] or options["web"]
    if options["quote"] and (options["take_over"] or not begins):
        raise CommandError("--quote needs --documents or --web, and a name that is free.")
    way = options["model_name"]
    usual = DEFAULT_TUNING if way == FROM_BASE else DEFAULT_PRESET
    if way in (FROM_BASE, FROM_NOTHING):
        options["model_name"] = None
    is_tuned = options["model_name"] or (begins and way != FROM_NOTHING)
    return PipelineOrder(
        files=files,
        name=options["dataset"],
        preset=options["preset"] or (DEFAULT_TUNING if is_tuned else usual),
        alias=options["alias"],
        takes_over=options["take_over"],
        minutes=options["minutes"],
        documents=_documents(options),
    )


def _folders(config: ReadConfig, file: Path | None) -> dict[str, Path]:
    """Return the folders of a settings file; those that are not from the root begin beside it."""
    beside = file.resolve().parent if file else Path()
    return {name: beside / Path(value).expanduser() for name, value in config.folders.items()}


def _documents(options: dict[str, Any]) -> Documents | None:
    folder, pages = options["documents"], _pages(options)
    if folder is None and not pages:
        return None
    if folder is not None and pages:
        raise CommandError("Begin with --documents or with --web, not with both.")
    if folder is not None and not folder.is_dir():
        raise CommandError(f"There is no folder {folder}.")
    size, overlap = options["chunk_size"], options["chunk_overlap"]
    if overlap is None:
        overlap = min(USUAL.chunk_overlap, size // 5)
    try:
        Settings(size=size, overlap=overlap).check_order()
        Cuts.of(options["validation_threshold"], 0)
        Cuts.of(10, options["format_threshold"])
    except CorpusError as error:
        raise CommandError(str(error)) from error
    provider = options["provider"]
    return Documents(
        folder=str(folder.resolve()) if folder else "",
        addresses=pages,
        follows=options["follow"],
        chunk_size=size,
        chunk_overlap=overlap,
        provider="" if provider in LOCAL else provider,
        llm_model=options["model"] or "",
        questions=options["questions_per_chunk"],
        passing=options["validation_threshold"],
        threshold=options["format_threshold"],
        quotes=options["quote"],
    )


def _pages(options: dict[str, Any]) -> tuple[str, ...]:
    try:
        check_allowed(is_on=settings.OTTO_WEB_PAGES or not options["web"])
        return named_addresses("\n".join(options["web"]))
    except (CorpusError, ValidationError) as error:
        raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from error


def _there(files: list[Path]) -> list[Path]:
    for path in files:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
    return files
