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

from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.parsing.casting import OTHERS
from datasets_app.corpus.roles import canonical
from datasets_app.corpus.source import Mapping
from datasets_app.jobs.loading import import_here, load_path
from datasets_app.models import FileState, Upload
from datasets_app.selectors.uploads import upload_figures
from datasets_app.services import choices
from datasets_app.services.receiving import UploadError
from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Load files, archives or folders into a dataset; exits 1 when a file failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="files or folders")
        parser.add_argument("--dataset", default="", help="name or id; a new name makes a dataset")
        parser.add_argument("--again", action="store_true", help="load known files once more")
        parser.add_argument(
            "--assistant",
            action="append",
            default=[],
            metavar="NAME",
            help="who answers in files whose names do not tell it; all others ask",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        files = list(files_of(options["paths"]))
        started = time.monotonic()
        with servers_for_command("import_files", tell=self.stderr.write):
            told = [self._load(path, options) for path in files]
        answer = {
            "conversations": sum(file["conversations"] for file in told),
            "skipped": sum(file["skipped"] for file in told),
            "seconds": round(time.monotonic() - started, 2),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "files": told,
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        if any(file["state"] == State.FAILED for file in told):
            sys.exit(1)

    def _load(self, path: Path, options: dict[str, Any]) -> dict[str, Any]:
        try:
            upload = load_path(path, dataset=options["dataset"], by=None, is_again=options["again"])
            answer_for_speakers(upload, options["assistant"])
        except (UploadError, OSError) as error:
            raise CommandError(f"{path}: {error}") from error
        told = describe(path, upload)
        if not options["json"]:
            self.stdout.write(line_of(told))
        return told


def answer_for_speakers(upload: Upload, names: list[str]) -> None:
    """Say of all waiting files of an upload who answers in them, and read these."""
    waiting = list(upload.files.filter(verdict=FileState.WAITING, reason="needs_speakers"))
    if names and waiting:
        roles = {canonical(name): ASSISTANT for name in names} | {OTHERS: USER}
        choices.choose_speakers(waiting, Mapping(roles=roles), by=None)
        import_here(upload)


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
        "state": str(upload.state),
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
