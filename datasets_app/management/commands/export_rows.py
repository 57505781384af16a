"""`manage.py export_rows VERSION FILE`: the rows of a version as a file, in any of the layouts."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.layouts.registry import LAYOUTS
from datasets_app.selectors.downloads import rows_of_version
from datasets_app.selectors.names import version_named
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Write the rows of a frozen version to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="name or id")
        parser.add_argument("file", type=Path, help="what is written; it must not be there yet")
        parser.add_argument("--layout", choices=LAYOUTS, default="jsonl")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        with servers_for_command():
            try:
                version = version_named(options["version"])
                with path.open("xb") as file:
                    for piece in LAYOUTS[options["layout"]].file(rows_of_version(version)):
                        file.write(piece if isinstance(piece, bytes) else piece.encode())
            except CorpusError as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        rows = version.counts["rows"]
        answer = {"version": str(version.pk), "layout": options["layout"], "rows": rows}
        told = f"{path}: {rows} conversations of {version.name}."
        self.stdout.write(json.dumps({**answer, "file": str(path)}) if options["json"] else told)
