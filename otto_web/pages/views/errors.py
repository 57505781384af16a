"""The answer to a fault of ours: what happened, what was kept, what to do."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from otto_web.lib.patience import DATABASE_AWAY

RETRY_SECONDS = 5


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer without a query, because the database may be what failed."""
    is_waiting = isinstance(sys.exc_info()[1], DATABASE_AWAY)
    context = {"request_id": getattr(request, "request_id", ""), "is_waiting": is_waiting}
    answer = HttpResponse(render_to_string("500.html", context), status=503 if is_waiting else 500)
    if is_waiting and request.method == "GET":
        answer["Retry-After"] = answer["Refresh"] = str(RETRY_SECONDS)
    return answer
