"""`manage.py add_base [NAME...]`: fetches base models and prepares them for runs and knowledge."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from otto_web.lib.work.states import State
from otto_web.servers.borrow import servers_for_command
from training_app.jobs.bases import prepare_base
from training_app.lm.bases.known import known_bases
from training_app.models import Base
from training_app.services.bases import order_known

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Fetch base models and make them ready; without a name, all that OTTO knows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(known_bases())
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {names}")
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        known = known_bases()
        if unknown := [name for name in options["names"] if name not in known]:
            raise CommandError(f"OTTO knows no base “{unknown[0]}”; it knows {', '.join(known)}.")
        names = options["names"] or list(known)
        with servers_for_command("add_base", tell=self.stderr.write) as servers:
            ordered = [order_known(known[name], by=None) for name in names]
            for base in ordered:
                self._stay(base, does_the_work=not servers.has_workers, quiet=options["json"])
        self._answer(ordered, as_json=options["json"])

    def _stay(self, base: Base, *, does_the_work: bool, quiet: bool) -> None:
        told = ""
        while not base.is_over:
            if not (does_the_work and prepare_base(base.pk)):
                time.sleep(LOOK_SECONDS)
            base.refresh_from_db()
            line = f"{base.title}: {base.phase or base.state}"
            if not quiet and line != told:
                told = line
                self.stdout.write(line)

    def _answer(self, bases: list[Base], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"bases": [_facts(base) for base in bases]}))
        else:
            for base in bases:
                self.stdout.write(f"{base.title}: {base.state}. {base.message}".strip())
        if failed := [base for base in bases if base.state != State.SUCCEEDED]:
            raise CommandError(failed[0].message or failed[0].state)


def _facts(base: Base) -> dict[str, Any]:
    return {
        "name": base.name,
        "state": base.state,
        "message": base.message,
        "kind": base.kind,
        "model": None if base.model_id is None else str(base.model_id),
        "encoder": None if base.encoder_id is None else str(base.encoder_id),
    }
