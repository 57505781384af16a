"""`manage.py add_base [NAME|PATH...]`: fetches or takes in base models and makes them ready."""

from __future__ import annotations

import json
import tempfile
import time
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Purpose, Upload
from datasets_app.services.receiving import NewUpload, UploadError, receive_path
from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command
from training_app.jobs.bases import prepare_base
from training_app.lm.bases.known import known_bases
from training_app.models import Base
from training_app.services.bases import order_known, order_upload

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Fetch or take in base models; without a word, fetch all that OTTO knows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(known_bases())
        parser.add_argument(
            "words",
            nargs="*",
            metavar="NAME|PATH",
            help=f"one of {names}, or a GGUF file, a wheel, a zip or a Hugging Face folder",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        words = options["words"] or list(known_bases())
        if unknown := [one for one in words if not (one in known_bases() or Path(one).exists())]:
            raise CommandError(
                f"“{unknown[0]}” is no file here, and no base that OTTO knows;"
                f" it knows {', '.join(known_bases())}."
            )
        with servers_for_command("add_base", tell=self.stderr.write) as servers:
            here = not servers.has_workers
            try:
                ordered = [_ordered(word, does_the_work=here) for word in words]
            except UploadError as error:
                raise CommandError(str(error)) from error
            for base in ordered:
                self._stay(base, does_the_work=here, quiet=options["json"])
        self._answer(ordered, as_json=options["json"])

    def _stay(self, base: Base, *, does_the_work: bool, quiet: bool) -> None:
        told = ""
        while not base.is_over:
            if not (does_the_work and prepare_base(base.pk)):
                time.sleep(LOOK_SECONDS)
            base.refresh_from_db()
            line = f"{base.title}: {base.phase or base.state}"
            if not quiet and line != told:
                told = line
                self.stdout.write(line)

    def _answer(self, bases: list[Base], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"bases": [_facts(base) for base in bases]}))
        else:
            for base in bases:
                self.stdout.write(f"{base.title}: {base.state}. {base.message}".strip())
        if failed := [base for base in bases if base.state != State.SUCCEEDED]:
            raise CommandError(failed[0].message or failed[0].state)


def _ordered(word: str, *, does_the_work: bool) -> Base:
    known = known_bases().get(word)
    if known is not None:
        return order_known(known, by=None)
    with _one_file(Path(word).resolve()) as path:
        new = NewUpload(name=path.name, size=path.stat().st_size, purpose=Purpose.MODEL)
        upload = receive_path(path, new, by=None)
    while not upload.is_over:
        if not (does_the_work and import_upload(upload.pk)):
            time.sleep(LOOK_SECONDS)
        upload = Upload.objects.get(pk=upload.pk)
    return order_upload(upload)


@contextmanager
def _one_file(path: Path) -> Iterator[Path]:
    """Yield a file as it is, a folder as a zip of all but its hidden files; none gets smaller."""
    if path.is_file():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / f"{path.name}.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            for file in sorted(path.rglob("*")):
                is_hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
                if file.is_file() and not is_hidden:
                    archive.write(file, file.relative_to(path))
        yield packed


def _facts(base: Base) -> dict[str, Any]:
    return {
        "name": base.name,
        "state": base.state,
        "message": base.message,
        "kind": base.kind,
        "model": None if base.model_id is None else str(base.model_id),
        "encoder": None if base.encoder_id is None else str(base.encoder_id),
    }
