"""`manage.py qa_train --input FILE`: look at the training texts of scored pairs, and write them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, CorpusError, Turn
from datasets_app.corpus.judging.report import read_report
from datasets_app.corpus.layouts.lengths import counter, lengths_of
from datasets_app.corpus.layouts.prompts import PROMPTS

SHOWN = 3


class Command(BaseCommand):
    help = (
        "Show training texts exactly as a model sees them, with their tokens; write nothing else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--input", required=True, help="validation report or filtered pairs")
        parser.add_argument("--output", help="file to write the texts to, one JSON string a line")
        parser.add_argument("--template", choices=sorted(PROMPTS), default="alpaca")
        parser.add_argument("--system", default="", help="system prompt")
        parser.add_argument("--tokenizer", type=Path, help="tokenizer.json; else an estimate")
        parser.add_argument("--max-length", type=int, default=512, help="tokens of a text, at most")
        parser.add_argument("--verbose", action="store_true", help="every text, not three")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = read_report(json.loads(Path(options["input"]).read_text("utf-8")))
        except (OSError, ValueError, CorpusError) as error:
            raise CommandError(f"{options['input']}: {error}") from error
        if options["tokenizer"] and not options["tokenizer"].is_file():
            raise CommandError(f"There is no file {options['tokenizer']}.")
        prompt = PROMPTS[options["template"]]
        texts = [
            prompt.text(
                Conversation((Turn(USER, one.question), Turn(ASSISTANT, one.answer))),
                options["system"],
            )
            for one in report.pairs
        ]
        found = lengths_of(texts, counter(options["tokenizer"]), options["max_length"])
        if options["output"]:
            lines = (json.dumps(text, ensure_ascii=False) + "\n" for text in texts)
            Path(options["output"]).write_text("".join(lines), "utf-8")
        if options["json"]:
            told = {"texts": len(texts), "tokens": found.each, "is_estimate": found.is_estimate}
            told |= {"longest": found.longest, "max_length": found.limit, "cut": found.cut}
            self.stdout.write(json.dumps(told))
            return
        about = "about " if found.is_estimate else ""
        for text, tokens in list(zip(texts, found.each, strict=True))[
            : None if options["verbose"] else SHOWN
        ]:
            self.stdout.write(f"--- {about}{tokens:,} tokens\n{text}")
        self.stdout.write(
            f"{len(texts):,} texts as {prompt.words}: {about}{found.mean:,.0f} tokens each, the"
            f" longest {found.longest:,}; {found.cut:,} are longer than {found.limit:,}."
        )
