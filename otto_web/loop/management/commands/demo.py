"""`make demo`: the whole loop on the bundled sample, without a browser."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from otto_web.loop.management.loop import run_loop
from otto_web.loop.services.pipelines import PipelineOrder
from training_app.lm.presets import DEFAULT_TUNING, PRESETS


class Command(BaseCommand):
    help = "Run the whole loop on the bundled sample."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--preset", choices=sorted(PRESETS), default=DEFAULT_TUNING)
        parser.add_argument("--steps", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        order = PipelineOrder(preset=options["preset"], steps=options["steps"])
        run_loop(self, order, quiet=False)
