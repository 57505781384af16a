"""`manage.py run_web`: pages, uploads, sockets and the API, in one process."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from otto_web.asgi import application
from otto_web.lib.beat import Beat
from otto_web.lib.models import ProcessKind
from otto_web.lib.patience import WEB, be_patient
from otto_web.web_database import give_up_on_silence
from otto_web.web_server import allow_many_files, build_server, stop_server


class Command(BaseCommand):
    help = "Serve the pages, the sockets and the API."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        allow_many_files()
        be_patient(WEB)
        give_up_on_silence()
        beat = Beat(ProcessKind.WEB, on_drain=stop_server)
        server = build_server(
            application,
            host=options["host"],
            port=options["port"],
            body_limit=settings.OTTO_BODY_LIMIT_BYTES,
            header_seconds=settings.OTTO_HEADER_SECONDS,
            on_ready=beat.start,
        )
        server.run()
        beat.stop()
