"""`manage.py process DIR --output NAME`: make conversations of the texts in a folder."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.readers.job import LONGEST
from datasets_app.corpus.readers.prompted import PHRASINGS, TOO_LITTLE, Passages
from datasets_app.jobs.loading import import_here, load_path
from datasets_app.management.commands.import_files import files_of
from datasets_app.models import Conversation, Issue, Upload
from datasets_app.selectors.passages import passage_files
from datasets_app.services.choices import choose_passages
from otto_web.servers.borrow import servers_for_command

SHORTEST = 50


class Command(BaseCommand):
    help = (
        "Load texts, pages and documents of a folder, and make questions with answers of their "
        "passages. Exits 1 where no conversation came of them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("input_directory", metavar="DIR", help="a folder, an archive or a file")
        parser.add_argument("--output", default="", metavar="NAME", help="name of the dataset")
        parser.add_argument(
            "--prompt-template",
            action="append",
            default=[],
            metavar="TEXT",
            help="a phrasing with {topic}, {title}, {heading}, {filename}, {source}, "
            "{content_type} or {category}; several may be given",
        )
        parser.add_argument("--no-randomize", action="store_true", help="always the first phrasing")
        parser.add_argument("--seed", type=int, default=1, help="which phrasings chance chooses")
        parser.add_argument("--source", default="", help="what {source} stands for")
        parser.add_argument("--category", default="", help="what {category} stands for")
        parser.add_argument("--min-doc-length", type=int, default=SHORTEST, metavar="N")
        parser.add_argument("--max-doc-length", type=int, default=LONGEST, metavar="N")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        prompts = tuple(options["prompt_template"]) or PHRASINGS
        try:
            passages = Passages(
                prompts[:1] if options["no_randomize"] else prompts,
                options["seed"],
                trims=True,
                shortest=options["min_doc_length"],
                longest=options["max_doc_length"],
                source=options["source"],
                category=options["category"],
            )
        except CorpusError as error:
            raise CommandError(str(error)) from error
        folder = Path(options["input_directory"])
        files = list(files_of([str(folder)]))
        if not files:
            raise CommandError("There is no file in it.")
        name = options["output"] or folder.resolve().stem
        with servers_for_command("process", tell=self.stderr.write):
            try:
                uploads = [load_path(path, dataset=name, by=None, is_again=True) for path in files]
            except (CorpusError, OSError) as error:
                raise CommandError(str(error)) from error
            told = _told([_made(upload, passages) for upload in uploads], name)
        self.stdout.write(json.dumps(told) if options["json"] else _in_words(told))
        if not told["conversations"]:
            sys.exit(1)


def _made(upload: Upload, passages: Passages) -> Upload:
    files = list(passage_files(upload).select_related("upload"))
    if files and choose_passages(files, passages, by=None):
        import_here(upload)
    return upload


def _told(uploads: list[Upload], name: str) -> dict[str, Any]:
    rows = Conversation.objects.filter(source_file__upload__in=uploads)
    short = Issue.objects.filter(source_file__upload__in=uploads, code=TOO_LITTLE)
    left_out = [
        {"file": issue.source_file.name, "text": issue.sample, "reason": issue.message}
        for issue in short.select_related("source_file").order_by("source_file", "start")
    ]
    return {
        "dataset": name,
        "files": len(uploads),
        "conversations": rows.filter(is_passage=False).count(),
        "passages": rows.filter(is_passage=True).count(),
        "too_short": len(left_out),
        "left_out": left_out,
    }


def _in_words(told: dict[str, Any]) -> str:
    lines = [f"{one['file']}: {one['reason']}" for one in told["left_out"]]
    counts = (
        f"{told['files']:,} files in, {told['conversations']:,} conversations and "
        f"{told['passages']:,} passages out, {told['too_short']:,} too short, in {told['dataset']}."
    )
    return "\n".join([*lines, counts])
