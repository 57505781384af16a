"""`manage.py judge --input DATASET`: its pairs are scored here, and the report is written."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from datasets_app.corpus.conversation import CorpusError, from_json
from datasets_app.corpus.judging.report import filtered_text, read_report, report_text
from datasets_app.corpus.judging.scores import Cuts
from datasets_app.jobs.scoring import score_pairs
from datasets_app.models import Dataset, Judge, Scoring
from datasets_app.selectors import scorings as selectors
from datasets_app.selectors.names import dataset_named
from datasets_app.services.datasets import create_dataset
from datasets_app.services.reports import bring_pairs
from datasets_app.services.scoring import ScoringOrder, new_scoring
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Score pairs of a question and an answer by the text that they came from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--input", required=True, help="a dataset, or a file of pairs (JSON)")
        parser.add_argument("--output", default="", help="file for the validation report")
        parser.add_argument("--filtered-output", default="", help="file for the pairs that pass")
        parser.add_argument("--provider", default="", help="else the built-in judge")
        parser.add_argument("--model", default="", help="of the provider")
        parser.add_argument("--threshold", type=float, default=8.0, help="passes from")
        parser.add_argument(
            "--filter-threshold", type=float, help="of the filtered pairs; else that of passing"
        )
        parser.add_argument("--resume", action="store_true", help="go on with the last scoring")
        parser.add_argument("--verbose", action="store_true", help="every pair with its scores")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command():
            try:
                dataset = _dataset(options["input"])
                scoring = self._scored(dataset, options)
            except CorpusError as error:
                raise CommandError(str(error)) from error
            self._write(scoring, options)
            self._tell(scoring, options)

    def _scored(self, dataset: Dataset, options: dict[str, Any]) -> Scoring:
        """Score what is left, pair by pair; with --verbose each is written as it is judged."""
        scoring, told = _ordered(dataset, options), 0
        while True:
            if options["verbose"]:
                told = self._tell_each(scoring, told)
            if scoring.is_over:
                break
            score_pairs(scoring.pk, goes_on=not options["verbose"])
            scoring.refresh_from_db()
            if not scoring.is_over:
                time.sleep(LOOK_SECONDS)
        if scoring.state != State.SUCCEEDED:
            raise CorpusError(scoring.message or "The scoring was stopped. Go on with --resume.")
        return scoring

    def _tell_each(self, scoring: Scoring, told: int) -> int:
        """Write a line for each score behind the last one that was told; return its number."""
        cuts = selectors.cuts_of(scoring)
        fresh = scoring.scores.filter(pk__gt=told).select_related("conversation").order_by("pk")
        for one in fresh.iterator():
            verdict = "unscored" if one.overall is None else cuts.verdict(one.overall)
            issues = f" ({'; '.join(one.issues)})" if one.issues else ""
            question = from_json(one.conversation.turns).turns[0].text[:100]
            self.stdout.write(f"  {one.overall or '-'} {verdict}: {question}{issues}")
            told = one.pk
        return told

    def _write(self, scoring: Scoring, options: dict[str, Any]) -> None:
        if options["output"]:
            heading = selectors.heading_of(scoring)
            pieces = report_text(heading, lambda: selectors.scored_pairs(scoring))
            Path(options["output"]).write_text("".join(pieces), "utf-8")
        if options["filtered_output"]:
            asked = options["filter_threshold"]
            least = Decimal(str(options["threshold"] if asked is None else asked))
            pairs = selectors.scored_pairs(scoring, threshold=least)
            head = {"filter_threshold": float(least), "source_file": scoring.dataset.name}
            text = "".join(filtered_text(pairs, metadata=head))
            Path(options["filtered_output"]).write_text(text, "utf-8")

    def _tell(self, scoring: Scoring, options: dict[str, Any]) -> None:
        overview = selectors.overview_of(scoring)
        if options["json"]:
            counts = {name: count for name, count, _ in overview.summary.shares}
            answer = {"scoring": str(scoring.pk), "dataset": str(scoring.dataset_id), **counts}
            answer["unscored"] = overview.summary.unscored
            self.stdout.write(json.dumps(answer))
            return
        for name, count, share in overview.summary.shares:
            self.stdout.write(f"{name}: {count:,} ({share:.1f}%)")
        self.stdout.write(f"unscored: {overview.summary.unscored:,}")
        for bucket in overview.buckets:
            self.stdout.write(bucket.line)


def _dataset(named: str) -> Dataset:
    """Return the dataset of this name, or that of a file of pairs, which is read into it."""
    path = Path(named)
    if path.suffix.lower() != ".json":
        return dataset_named(named)
    try:
        report = read_report(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{named} cannot be read: {error}") from error
    there = Dataset.objects.filter(name=path.stem, deleted_at=None).first()
    dataset: Dataset = there or create_dataset(path.stem, by=None)
    bring_pairs(dataset, report.pairs)
    return dataset


def _ordered(dataset: Dataset, options: dict[str, Any]) -> Scoring:
    cuts = Cuts.of(options["threshold"], min(7.0, options["threshold"]))
    kind = Judge.PROVIDER if options["provider"] else Judge.OFFLINE
    scoring = dataset.scorings.filter(judge=kind).order_by("-created_at").first()
    if scoring is None or not options["resume"]:
        with transaction.atomic():
            order = ScoringOrder("", kind, options["provider"], options["model"], cuts)
            scoring = new_scoring(dataset, order, by=None)
    elif scoring.is_over and scoring.state != State.SUCCEEDED:
        order_anew(Scoring.objects.filter(pk=scoring.pk), refused_in_row=0)
    found: Scoring = scoring
    return found
