"""`manage.py generate_qa --input-dir DIR --dataset NAME`: questions and answers of chunks."""

from __future__ import annotations

import json
import resource
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.chunks.layout import ENDING
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.pairs.recipes import DEFAULT_QUESTIONS, Recipe
from datasets_app.corpus.pairs.registry import PATTERNS
from datasets_app.corpus.providers.registry import BUILT_IN, KINDS
from datasets_app.jobs.generating import generate_pairs
from datasets_app.models import ChunkSet, Dataset, PairGeneration, Provider
from datasets_app.selectors.names import dataset_named
from datasets_app.selectors.pairs import coverage_of, orders_of, pair_files, yields_of
from datasets_app.services.datasets import create_dataset
from datasets_app.services.documents import bring_chunks
from datasets_app.services.generating import Options, order_pairs, retry_items
from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command

LOOK_SECONDS = 0.5
LOCAL = (BUILT_IN, "local")


class Command(BaseCommand):
    help = "Make questions and answers of chunks: by the built-in generator, or by a provider."

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--input-dir", type=Path, help=f"folder with files *{ENDING}")
        source.add_argument("--chunk-set", help="name or id of chunks of the dataset")
        parser.add_argument("--dataset", required=True, help="a new name makes one for --input-dir")
        parser.add_argument(
            "--output-dir", type=Path, help="where files *_qa.json are written, too"
        )
        parser.add_argument(
            "--provider",
            default=BUILT_IN,
            help=f"{BUILT_IN} or local (no model), a provider's name here, or its kind: "
            + ", ".join(KINDS),
        )
        parser.add_argument("--model", default="", help="as the provider calls it")
        parser.add_argument("--questions-per-chunk", type=int, default=DEFAULT_QUESTIONS)
        parser.add_argument("--temperature", type=float, default=0.7)
        parser.add_argument("--max-tokens", type=int, default=2000)
        parser.add_argument("--reasoning", action="store_true", help="let the model think first")
        parser.add_argument("--resume", action="store_true", help="go on with the newest order")
        parser.add_argument("--verbose", action="store_true", help="a line for each chunk")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        with servers_for_command("generate_qa", tell=self.stderr.write) as servers:
            try:
                order = self._order(options)
            except CorpusError as error:
                raise CommandError(str(error)) from error
            self._wait(order, is_verbose=options["verbose"], has_workers=servers.has_workers)
            if options["output_dir"]:
                options["output_dir"].mkdir(parents=True, exist_ok=True)
                for name, data in pair_files(order):
                    (options["output_dir"] / name).write_bytes(data)
            told = _told(order, time.monotonic() - started)
        self.stdout.write(json.dumps(told) if options["json"] else _line(told))
        if order.state == State.FAILED:
            raise CommandError(order.message)

    def _order(self, options: dict[str, Any]) -> PairGeneration:
        chunks = _chunks(options)
        if options["resume"]:
            found = orders_of(chunks.dataset).filter(chunk_set=chunks).first()
            if found is not None:
                retry_items(found, by=None)
                found.refresh_from_db()
                return found
        provider = _provider(options["provider"])
        count = options["questions_per_chunk"]
        wanted = Options(
            provider=provider,
            model=options["model"],
            recipes=(Recipe(questions=count),),
            patterns=tuple(PATTERNS),
            questions=count,
            temperature=options["temperature"],
            max_tokens=options["max_tokens"],
            reasoning=options["reasoning"],
        )
        return order_pairs(chunks, wanted, by=None)

    def _wait(self, order: PairGeneration, *, is_verbose: bool, has_workers: bool) -> None:
        """Wait until the order is over, or do it here where nobody else does."""
        seen: set[int] = set()
        while True:
            if not has_workers and not order.is_over:
                generate_pairs(order.pk)
            order.refresh_from_db()
            if is_verbose:
                self._tell(order, seen)
            if order.is_over:
                return
            pause = order.not_before.timestamp() - time.time() if order.not_before else 0.0
            time.sleep(max(0.0 if not has_workers else LOOK_SECONDS, min(pause, 5.0)))

    def _tell(self, order: PairGeneration, seen: set[int]) -> None:
        items = order.items.exclude(finished_at=None).exclude(pk__in=seen).order_by("finished_at")
        for item in items.select_related("chunk__document").defer("chunk__document__text"):
            seen.add(item.pk)
            words = item.error or f"{item.achieved} of {item.asked} pairs"
            self.stdout.write(f"{item.chunk.chunk_id}: {words}")


def _chunks(options: dict[str, Any]) -> ChunkSet:
    folder: Path | None = options["input_dir"]
    if folder is None:
        return _named(dataset_named(options["dataset"]), options["chunk_set"])
    if not folder.is_dir():
        raise CommandError(f"There is no folder {folder}.")
    files = [(path.name, path.read_bytes()) for path in sorted(folder.glob(f"*{ENDING}"))]
    if not files:
        raise CommandError(f"There is no file *{ENDING} in {folder}.")
    try:
        dataset = dataset_named(options["dataset"])
    except CorpusError:
        dataset = create_dataset(options["dataset"], by=None)
    name = str(folder.resolve())[-200:]
    there: ChunkSet | None = dataset.chunk_sets.filter(name=name).first()
    return there or bring_chunks(dataset, name, files, by=None)


def _named(dataset: Dataset, name: str) -> ChunkSet:
    found: ChunkSet | None = dataset.chunk_sets.filter(name=name).first()
    if found is None:
        try:
            found = dataset.chunk_sets.filter(pk=name).first()
        except (ValidationError, ValueError):
            found = None
    if found is None:
        names = ", ".join(dataset.chunk_sets.values_list("name", flat=True)[:20])
        raise CommandError(f"“{dataset}” has no chunks “{name}”. There are: {names or 'none'}.")
    return found


def _provider(name: str) -> Provider | None:
    """Return the provider of a name, or the first of a kind; None is the built-in generator."""
    if name in LOCAL:
        return None
    there = Provider.objects.filter(is_on=True)
    found: Provider | None = there.filter(name=name).first()
    found = found or there.filter(kind=name).order_by("name").first()
    if found is None:
        raise CommandError(
            f"There is no provider “{name}”. An admin adds it on the page Providers."
        )
    return found


def _told(order: PairGeneration, seconds: float) -> dict[str, Any]:
    covered = coverage_of(order.chunk_set)
    achieved = order.items.values_list("achieved", "asked")
    return {
        "order": str(order.pk),
        "state": order.state,
        "message": order.message,
        "chunks": covered.chunks,
        "chunks_with_pair": covered.with_pair,
        "asked": sum(asked for _, asked in achieved),
        "achieved": sum(made for made, _ in achieved),
        "new": order.n_new,
        "patterns": {one.label: one.count for one in yields_of(order) if one.count},
        "seconds": round(seconds, 2),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _line(told: dict[str, Any]) -> str:
    return (
        f"{told['achieved']:,} pairs of {told['asked']:,} asked for, {told['new']:,} new; "
        f"{told['chunks_with_pair']:,} of {told['chunks']:,} chunks have one ({told['seconds']} s)."
    )
