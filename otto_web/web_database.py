"""How the web bears a PostgreSQL that takes connections and questions and says nothing.

Time-outs of the server do not help against a server that stands still, nor do those of TCP, which
the system answers for it. So the web itself ends a wait, and the page says 503.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings

from otto_web.lib.patience import WEB

CHECK_SECONDS = 2.0  # for "are you there?", before each page
POOL_SECONDS = 3.0  # for a connection that is there
SLACK_SECONDS = 5.0  # the server's own time-out comes first


class WebConnection(psycopg.Connection[Any]):
    """A connection that gives up on a server that stays silent, and closes itself."""

    silence = WEB.statement + SLACK_SECONDS

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        options.setdefault("timeout", self.silence)
        try:
            return super().wait(gen, *args, **options)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 - it has no other name
            self.close()
            raise psycopg.OperationalError("the database is silent") from error

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        if query:
            return super().execute(query, *args, **options)
        self.silence = CHECK_SECONDS  # the pool asks with nothing whether the server is there
        try:
            return super().execute(query, *args, **options)
        finally:
            del self.silence


def give_up_on_silence() -> None:
    """Let the connections of this process's pool, where it has one, end their waits themselves."""
    pool = settings.DATABASES["default"]["OPTIONS"].get("pool")
    if pool:
        pool |= {"connection_class": WebConnection, "timeout": POOL_SECONDS}
