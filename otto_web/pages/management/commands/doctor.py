"""`manage.py doctor`: the self-test of every part; exits 1 where one fails."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from otto_web.lib.probes import FAIL, OK, WARN
from otto_web.pages.selectors.self_test import self_test
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Try every part of the installation and say what to do where one fails. Exits 1 then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object as the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command("doctor", tell=self.stderr.write):
            parts = self_test()
        counts = Counter(part.state for part in parts)
        if options["json"]:
            told = {state: counts[state] for state in (OK, WARN, FAIL)}
            answer = {**told, "parts": [asdict(part) for part in parts]}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            for part in parts:
                self.stdout.write(f"{part.state:5} {part.name}: {part.figures}")
                if part.remedy:
                    self.stdout.write(f"      {part.remedy}")
            self.stdout.write(f"{counts[OK]} ok, {counts[WARN]} to look at, {counts[FAIL]} failed")
        if counts[FAIL]:
            sys.exit(1)
