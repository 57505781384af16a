"""`manage.py check_quality DATASET`: the verdict for scripts, with an exit status."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus import quality
from datasets_app.corpus.conversation import CorpusError, from_json
from datasets_app.corpus.rules.finding import Finding, Severity
from datasets_app.jobs import freezing
from datasets_app.models import Conversation, Dataset
from datasets_app.selectors.names import dataset_named
from datasets_app.selectors.scores import score_of
from otto_web.servers.borrow import servers_for_command

READ_ROWS = 1_000


class Command(BaseCommand):
    help = "Say how good a dataset is; exits 1 when it is critical and nothing was filtered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="name or id")
        parser.add_argument("--filter", action="store_true", help="freeze the kept rows")
        parser.add_argument("--output", default="", help="name of the filtered version")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command():
            try:
                self._answer(dataset_named(options["dataset"]), options)
            except CorpusError as error:
                raise CommandError(str(error)) from error

    def _answer(self, dataset: Dataset, options: dict[str, Any]) -> None:
        score = score_of(dataset)
        if options["filter"]:
            name = options["output"] or f"{dataset.name}_filtered"
            version = freezing.freeze_version(dataset, name=name, user=None)
            kept = version.counts["rows"]
            note = {"original": score.valid + score.invalid, "filtered": kept, "version": name}
            note["removed"] = note["original"] - kept
        else:
            note = {}
        if options["json"]:
            report = quality.report(judged_rows(dataset))
            self.stdout.write(json.dumps({**report, "verdict": score.band, **note}))
        else:
            self._tell(dataset, score.percent, score.words, note)
        if score.band == quality.CRITICAL.name and not options["filter"]:
            sys.exit(1)

    def _tell(self, dataset: Dataset, percent: int, words: str, note: dict[str, Any]) -> None:
        self.stdout.write(f"{dataset.name}: quality score {percent} %. {words}")
        if note:
            self.stdout.write(
                f"Version “{note['version']}” holds {note['filtered']} of {note['original']} "
                f"conversations; {note['removed']} were left out. The dataset is untouched."
            )


def judged_rows(dataset: Dataset) -> Any:
    """Yield each conversation with its stored findings, in table order."""
    rows = dataset.conversations.order_by("position").prefetch_related("findings")
    for row in rows.iterator(chunk_size=READ_ROWS):
        yield from_json(row.turns), open_findings(row)


def open_findings(row: Conversation) -> list[Finding]:
    """Return the findings that still count: none where a person decided to keep the row."""
    if row.decision == "keep":
        return []
    return [
        Finding(
            turn=found.turn,
            rule=found.rule,
            version=found.rule_version,
            severity=cast("Severity", found.severity),
            value=found.value,
            threshold=found.threshold,
            spans=tuple((start, end) for start, end in found.spans),
            note=found.note,
        )
        for found in row.findings.all()
    ]
