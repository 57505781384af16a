"""`manage.py run_engine`: writes the answers of all chats, many at once."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat_app.jobs.engine import Engine, EngineError
from otto_web.lib.beat import Beat
from otto_web.lib.models import ProcessKind
from otto_web.lib.patience import ENGINE, be_patient


class Command(BaseCommand):
    help = "Answer chats with the deployed models."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--models", type=int, default=2, help="models kept in memory")

    def handle(self, *args: Any, **options: Any) -> None:
        be_patient(ENGINE)
        engine = Engine(models=options["models"])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: engine.close())
        beat = Beat(ProcessKind.ENGINE, on_drain=engine.close, doing=engine.doing)
        beat.start()
        try:
            engine.run()
        except EngineError as error:
            raise CommandError(str(error)) from error
        finally:
            beat.stop()
