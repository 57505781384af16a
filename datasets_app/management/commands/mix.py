"""`manage.py mix VERSION=70 VERSION=30`: a version out of several frozen ones."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.jobs import freezing
from datasets_app.models import Version
from datasets_app.selectors.names import version_named
from datasets_app.services.mixing import Mix, new_mix
from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Mix frozen versions into a new one, each with a share."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "parts", nargs="+", metavar="VERSION=PERCENT", help="name or id, and its share"
        )
        parser.add_argument("--rows", type=int, help="of the whole; else as many as can be")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--name", default="", help="name of the new version")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command():
            try:
                parts = [_part(told) for told in options["parts"]]
                version = _mixed(Mix(parts, options["rows"], options["seed"], name=options["name"]))
            except CorpusError as error:
                raise CommandError(str(error)) from error
            given = {
                part.source.name: part.splits
                for part in version.parts.select_related("source").order_by("place")
            }
        if options["json"]:
            answer = {"version": str(version.pk), "name": version.name, **version.counts}
            answer |= {"parts": given, "manifest": version.manifest_sha256}
            self.stdout.write(json.dumps(answer))
            return
        self.stdout.write(f"{version.name}: {version.counts['rows']} conversations.")
        for name, splits in given.items():
            self.stdout.write(f"  {sum(splits.values())} of {name}")


def _part(told: str) -> tuple[Version, float]:
    name, _, written = told.rpartition("=")
    try:
        share = float(written)
    except ValueError as error:
        raise CorpusError(f"“{told}” names no share. Write it like “Support v2=70”.") from error
    return version_named(name), share


def _mixed(mix: Mix) -> Version:
    """Return the finished mix; refused with a CorpusError that says why."""
    with transaction.atomic():
        version = new_mix(mix, by=None)
    freezing.freeze(version.pk)
    version.refresh_from_db()
    if version.state != State.SUCCEEDED:
        raise CorpusError(version.message or "Another worker freezes it; look at its page.")
    return version
