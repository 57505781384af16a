"""`manage.py combine --input-dir DIR --output FILE`: files of pairs become one."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.combining import combined
from datasets_app.corpus.judging.report import filtered_text


class Command(BaseCommand):
    help = "Put files of pairs together, each pair once, with the file that it came from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--input-dir", required=True, help="folder with JSON or JSONL files")
        parser.add_argument("--output", required=True, help="file to write")
        parser.add_argument("--verbose", action="store_true", help="counts of each file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = combined(Path(options["input_dir"]))
        except CorpusError as error:
            raise CommandError(str(error)) from error
        sources = {
            one.name: {"pairs": one.pairs, "repeated": one.repeated} for one in found.sources
        }
        head = {"sources": sources, "repeated": found.repeated, "total": len(found.pairs)}
        text = "".join(filtered_text(found.pairs, metadata=head))
        Path(options["output"]).write_text(text, "utf-8")
        self.stdout.write(
            f"{len(found.pairs):,} pairs of {len(found.sources):,} files; {found.repeated:,} said "
            f"twice. Written to {options['output']}."
        )
        for one in found.sources if options["verbose"] else ():
            self.stdout.write(f"  {one.name}: {one.pairs:,} pairs, {one.repeated:,} repeated")
            for problem in one.problems[:5]:
                self.stdout.write(f"    {problem}")
