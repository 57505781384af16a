"""`manage.py format_pairs --input FILE --output FILE`: scored pairs as a training file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, CorpusError, Turn
from datasets_app.corpus.judging.report import ScoredPair, read_report
from datasets_app.corpus.layouts.prompts import LINES_NAME, PROMPTS, Sample, training_lines


class Command(BaseCommand):
    help = "Write the pairs of a validation report, from a score on, as a training file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--input", required=True, help="validation report or filtered pairs")
        parser.add_argument("--output", default=LINES_NAME, help="file to write")
        parser.add_argument("--template", choices=sorted(PROMPTS), default="alpaca")
        parser.add_argument("--threshold", type=float, default=8.0, help="0 keeps all")
        parser.add_argument("--system", default="", help="system prompt")
        parser.add_argument("--verbose", action="store_true", help="list what is dropped")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = read_report(json.loads(Path(options["input"]).read_text("utf-8")))
        except (OSError, ValueError, CorpusError) as error:
            raise CommandError(f"{options['input']}: {error}") from error
        threshold = Decimal(str(options["threshold"]))
        kept = [one for one in report.pairs if _reaches(one, threshold)]
        lines = training_lines(map(_sample, kept), PROMPTS[options["template"]], options["system"])
        Path(options["output"]).write_text("".join(lines), "utf-8")
        self.stdout.write(
            f"{len(kept):,} of {len(report.pairs):,} kept. Written to {options['output']}."
        )
        for one in report.pairs if options["verbose"] else ():
            if not _reaches(one, threshold):
                score = one.scores.overall if one.scores else "unscored"
                self.stdout.write(f"  dropped {score}: {one.question[:100]}")


def _reaches(pair: ScoredPair, threshold: Decimal) -> bool:
    return not threshold or (pair.scores is not None and pair.scores.overall >= threshold)


def _sample(pair: ScoredPair) -> Sample:
    talk = Conversation((Turn(USER, pair.question), Turn(ASSISTANT, pair.answer)))
    return Sample(talk, pair.source_file, float(pair.scores.overall) if pair.scores else None)
