"""The page on which runs stand side by side."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from training_app.selectors.run_comparison import FEWEST, MOST, chosen_runs, compare_runs


@role_required(Role.TRAINER)
@require_GET
def run_compare(request: TeamRequest) -> HttpResponse:
    """Show the runs that the address names side by side; the first is what the others meet."""
    found = chosen_runs(request.user, request.GET.getlist("run"))
    return respond(
        request,
        page="training/run_compare.html",
        fragment="training/_compare_settings.html",
        context={
            "found": found,
            "query": urlencode([("run", run.pk) for run in found]),
            "left_out": found[MOST:],
            "comparison": compare_runs(found[:MOST]) if len(found) >= FEWEST else None,
            "shows_all": request.GET.get("settings") == "all",
            "most": MOST,
            "x": request.GET.get("x", "step"),
            "measure": request.GET.get("y", ""),
            "is_log": request.GET.get("log") == "on",
            "smoothing": request.GET.get("smooth", "some"),
        },
    )
