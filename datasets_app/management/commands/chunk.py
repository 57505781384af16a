"""`manage.py chunk DIR --output NAME`: cut the documents of a folder into chunks."""

from __future__ import annotations

import json
import resource
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.chunks.settings import (
    CHARACTERS,
    EARLIER_NAMES,
    OVERLAP,
    RECURSIVE,
    SIZE,
    STRATEGIES,
    Settings,
)
from datasets_app.corpus.conversation import CorpusError
from datasets_app.jobs.chunking import chunk_documents
from datasets_app.jobs.loading import load_path
from datasets_app.management.commands.import_files import files_of
from datasets_app.models import ChunkSet, Dataset, Document, Upload
from datasets_app.selectors.documents import chunk_files, files_of_uploads
from datasets_app.services.documents import order_chunks
from otto_web.servers.borrow import servers_for_command

LOOK_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Cut documents into chunks. What a set has in the same way is not cut again, so the same "
        "command goes on after a break. Exits 1 when a document failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", metavar="DIR", help="folders, archives or files")
        parser.add_argument("--input-dir", default="", help="the same as DIR")
        parser.add_argument("--output", default="", metavar="NAME", help="name of the chunks")
        parser.add_argument("--output-dir", default="", help="also write <stem>_chunks.json there")
        parser.add_argument("--dataset", default="", help="name or id; else that of the chunks")
        parser.add_argument("--chunk-size", type=int, default=SIZE)
        parser.add_argument("--chunk-overlap", type=int, default=OVERLAP)
        parser.add_argument("--strategy", choices=[*STRATEGIES, *EARLIER_NAMES], default=RECURSIVE)
        parser.add_argument("--resume", action="store_true", help="it always goes on; accepted")
        parser.add_argument("--verbose", action="store_true", help="a line for each document")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        named = [*options["paths"], *filter(None, [options["input_dir"]])]
        if not named:
            raise CommandError("Name a folder with documents.")
        files = list(files_of(named))
        if not files:
            raise CommandError("There is no file in it.")
        try:
            how = Settings(
                EARLIER_NAMES.get(options["strategy"], options["strategy"]),
                options["chunk_size"],
                CHARACTERS,
                options["chunk_overlap"],
            )
            how.check_order()
        except CorpusError as error:
            raise CommandError(str(error)) from error
        with servers_for_command("chunk", tell=self.stderr.write):
            try:
                told = self._chunk(files, how, options)
            except CorpusError as error:
                raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(told))
        if told["failed"]:
            sys.exit(1)

    def _chunk(self, files: list[Path], how: Settings, options: dict[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        name = options["output"] or Path(files[0]).resolve().parent.name
        into = options["dataset"] or name
        uploads, dataset = list[Upload](), None
        for path in files:
            upload = load_path(path, dataset=into, by=None)
            uploads.append(upload.duplicate_of or upload)
            dataset = dataset or upload.dataset or uploads[-1].dataset
        if dataset is None:
            dataset = Dataset.objects.create(name=into)
        order = order_chunks(dataset, name, how, files_of_uploads(uploads), by=None)
        earlier = set(order.documents.exclude(finished_at=None).values_list("pk", flat=True))
        self._wait(order)
        if options["output_dir"]:
            _write(order, Path(options["output_dir"]))
        documents = order.documents.without_text().order_by("number")
        lines = [_describe(one, is_earlier=one.pk in earlier) for one in documents]
        if not options["json"]:
            self._tell(order, lines, is_long=options["verbose"])
        return {
            "set": str(order.pk),
            "name": order.name,
            "dataset": dataset.name,
            "state": order.state,
            "documents": lines,
            "chunks": order.n_chunks,
            "failed": order.n_failed,
            "seconds": round(time.monotonic() - started, 2),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }

    def _wait(self, order: ChunkSet) -> None:
        """Cut here, or wait for the worker that was quicker."""
        while not order.is_over:
            chunk_documents(order.pk)
            order.refresh_from_db()
            if not order.is_over:
                time.sleep(LOOK_SECONDS)

    def _tell(self, order: ChunkSet, lines: list[dict[str, Any]], *, is_long: bool) -> None:
        for line in lines:
            if line["state"] == "failed":
                self.stdout.write(f"{line['document']}: {line['reason']}")
            elif is_long:
                done = ", already done" if line["already_done"] else f" in {line['seconds']:.1f} s"
                self.stdout.write(f"{line['document']}: {line['chunks']:,} chunks{done}")
        self.stdout.write(
            f"{order.name}: {order.n_chunks:,} chunks of {order.n_done:,} documents, "
            f"{order.n_failed:,} failed."
        )


def _describe(document: Document, *, is_earlier: bool) -> dict[str, Any]:
    return {
        "document": document.name,
        "state": document.state,
        "chunks": document.n_chunks,
        "characters": document.n_characters,
        "already_done": is_earlier or document.is_copied,
        "seconds": round(document.seconds or 0.0, 2),
        "reason": document.reason,
    }


def _write(order: ChunkSet, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in chunk_files(order):
        (folder / name).write_bytes(data)
