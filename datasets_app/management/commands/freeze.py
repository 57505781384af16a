"""`manage.py freeze DATASET`: a version of its rows as they are now."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.jobs import freezing
from datasets_app.models import Choice
from datasets_app.selectors.names import dataset_named
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Freeze a version of a dataset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="name or id")
        parser.add_argument("--name", default="", help="name of the version")
        parser.add_argument("--choice", choices=Choice.values, default=Choice.KEPT.value)
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command():
            try:
                dataset = dataset_named(options["dataset"])
                version = freezing.freeze_version(
                    dataset, choice=options["choice"], name=options["name"], user=None
                )
            except CorpusError as error:
                raise CommandError(str(error)) from error
        if options["json"]:
            answer = {"version": str(version.pk), "name": version.name, **version.counts}
            self.stdout.write(json.dumps({**answer, "manifest": version.manifest_sha256}))
        else:
            self.stdout.write(f"{version.name}: {version.counts['rows']} conversations.")
