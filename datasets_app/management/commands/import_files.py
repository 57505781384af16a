"""`manage.py import_files PATH... --dataset NAME`: load files or folders into a dataset."""

from __future__ import annotations

import json
import resource
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import ASSISTANT, USER, CorpusError
from datasets_app.corpus.detection import known
from datasets_app.corpus.detection.guessing import canonical as canonical_encoding
from datasets_app.corpus.parsing.casting import OTHERS
from datasets_app.corpus.roles import canonical
from datasets_app.corpus.source import Mapping
from datasets_app.jobs.answering import Answers, answer
from datasets_app.jobs.loading import load_path
from datasets_app.models import FileState, Upload
from datasets_app.selectors.mappings import mapping_named
from datasets_app.selectors.uploads import upload_figures
from datasets_app.services.receiving import UploadError
from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command

COLUMNS = {
    "question": "the column or key of the question, where its name does not tell it",
    "answer": "that of the answer",
    "text": "that of plain text",
    "delimiter": "the sign between the cells of a table",
}


class Command(BaseCommand):
    help = (
        "Load files, archives or folders into a dataset; exits 1 when a file failed, when nothing "
        "was loaded, or when a question that nobody answered keeps a whole upload waiting."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="files or folders")
        parser.add_argument("--dataset", default="", help="name or id; a new name makes a dataset")
        parser.add_argument("--again", action="store_true", help="load known files once more")
        parser.add_argument("--encoding", default="", help="of the files that are not Unicode")
        for name, words in COLUMNS.items():
            parser.add_argument(f"--{name}", default="", metavar="NAME", help=words)
        parser.add_argument(
            "--mapping",
            default="",
            metavar="NAME|FILE",
            help="all of that and more: a file of one JSON object, or what was kept under a name",
        )
        parser.add_argument(
            "--assistant",
            action="append",
            default=[],
            metavar="NAME",
            help="who answers in files whose names do not tell it; all others ask",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            told = self._load_all(options)
        except CommandError as error:
            if not options["json"]:
                raise
            told = {"error": str(error), "conversations": 0, "files": []}
        if options["json"]:
            self.stdout.write(json.dumps(told))
        states = {file["state"] for file in told["files"]}
        loaded = any(
            file["conversations"] or file["known"] or file["reason"] == "already_uploaded"
            for file in told["files"]
        )
        if not loaded or states & {State.FAILED, FileState.WAITING}:
            sys.exit(1)

    def _load_all(self, options: dict[str, Any]) -> dict[str, Any]:
        files = list(files_of(options["paths"]))
        stored = stored_mapping(options["mapping"])
        answers_of(options, stored or {})  # what is wrong is said before any server starts
        started = time.monotonic()
        with servers_for_command("import_files", tell=self.stderr.write):
            if stored is None:
                stored = kept_mapping(options["mapping"])
            answers = answers_of(options, stored)
            told = [self._load(path, options, answers) for path in files]
        return {
            "conversations": sum(file["conversations"] for file in told),
            "skipped": sum(file["skipped"] for file in told),
            "seconds": round(time.monotonic() - started, 2),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "files": told,
        }

    def _load(self, path: Path, options: dict[str, Any], answers: Answers) -> dict[str, Any]:
        try:
            upload = load_path(path, dataset=options["dataset"], by=None, is_again=options["again"])
            answer(upload, answers)
        except (UploadError, OSError) as error:
            raise CommandError(f"{path}: {error}") from error
        told = describe(path, upload)
        if not options["json"]:
            self.stdout.write(line_of(told))
        return told


def stored_mapping(named: str) -> dict[str, Any] | None:
    """Return the mapping in a file of that name; None where there is no such file."""
    if not named:
        return {}
    if not Path(named).exists() and Path(named).suffix != ".json":
        return None
    try:
        stored = json.loads(Path(named).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"What the columns are cannot be used: {error}") from error
    if not isinstance(stored, dict):
        raise CommandError("What the columns are cannot be used: it is no JSON object.")
    return stored


def kept_mapping(name: str) -> dict[str, Any]:
    """Return the mapping that is kept under a name."""
    kept = mapping_named(name)
    if kept is None:
        raise CommandError(f"There is no file {name}, and no mapping is kept under that name.")
    return dict(kept.mapping)


def answers_of(options: dict[str, Any], stored: dict[str, Any]) -> Answers:
    """Return what the options say about files that ask."""
    encoding = canonical_encoding(options["encoding"])
    if options["encoding"] and encoding not in known.names():
        raise CommandError(f"There is no encoding {options['encoding']}.")
    said = {name: options[name] for name in COLUMNS if options[name]}
    names = options["assistant"]
    roles = {canonical(name): ASSISTANT for name in names} | {OTHERS: USER} if names else None
    try:
        mapping = Mapping.from_json({**stored, **said}) if stored or said else None
        speakers = Mapping(roles=roles) if roles else None
    except (CorpusError, TypeError, ValueError) as error:
        raise CommandError(f"What the columns are cannot be used: {error}") from error
    if mapping and mapping.roles and not speakers:
        speakers = Mapping(roles=mapping.roles)
    return Answers(encoding, mapping if mapping and mapping.has_columns else None, speakers)


def files_of(paths: list[str]) -> Iterator[Path]:
    """Yield the files named, and those inside the folders named; links are not followed."""
    for path in map(Path, paths):
        if path.is_dir():
            inside = (file for file in path.rglob("*") if not file.is_symlink())
            yield from sorted(file for file in inside if file.is_file())
        elif path.is_file():
            yield path
        else:
            raise CommandError(f"There is no file or folder {path}.")


def describe(path: Path, upload: Upload) -> dict[str, Any]:
    """Return what became of a file."""
    figures = upload_figures(upload)
    dataset = upload.dataset
    return {
        "path": str(path),
        "upload": str(upload.pk),
        "state": str(FileState.WAITING if is_unanswered(figures) else upload.state),
        "reason": upload.reason,
        "message": upload.sentence,
        "dataset": dataset.name if dataset else "",
        "dataset_id": str(dataset.pk) if dataset else "",
        "conversations": figures["records"],
        "known": figures["known"],
        "issues": figures["issues"],
        "waiting": figures["waiting"],
        "failed": figures["failed"],
        "skipped": figures["skipped"],
        "skipped_kinds": figures["skipped_kinds"],
    }


def is_unanswered(figures: dict[str, Any]) -> bool:
    """Say whether nothing was loaded because somebody must answer a question first."""
    return bool(figures["waiting"]) and not figures["records"] and not figures["known"]


def line_of(told: dict[str, Any]) -> str:
    """Return one line for people."""
    if told["reason"]:
        return f"{told['path']}: {told['message']}"
    more = [
        f"{told[name]:,} {words}"
        for name, words in (
            ("known", "already in the dataset"),
            ("issues", "places to look at"),
            ("waiting", "files wait for a choice on their page"),
            ("failed", "files failed"),
            ("skipped", "files skipped"),
        )
        if told[name]
    ]
    if told["skipped_kinds"]:
        more[-1] += f" ({told['skipped_kinds']})"
    into = f" into {told['dataset']}" if told["dataset"] else ""
    return f"{told['path']}: {told['conversations']:,} conversations{into}" + "".join(
        f", {part}" for part in more
    )
