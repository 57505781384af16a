"""Files of the server: looked at, and chosen to be loaded."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.conversation import CorpusError
from datasets_app.selectors.folders import FolderError, allowed_root, folder_page
from datasets_app.selectors.uploads import drop_zone
from datasets_app.services.folders import order_load
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def folder_list(request: TeamRequest) -> HttpResponse:
    """Show what lies in an allowed folder; have the chosen files loaded."""
    given, inside = request.GET.get("folder", ""), request.GET.get("in", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 4 else None
    status, error, root = 200, "", None
    try:
        root = None if number is None else allowed_root(number)
        if request.method == "POST":
            order_load(root or allowed_root(0), *_chosen(request), by=request.user)
            messages.success(request, "They are being loaded: each appears among the uploads.")
            return redirect("folder-list")
    except CorpusError as refused:
        status, error = 422, str(refused)
    try:
        context = folder_page(request.user, root, number or 0, inside)
    except FolderError as refused:
        status, error = 404, str(refused)
        context = folder_page(request.user, None, 0, "")
    context |= {"error": error, "zone": drop_zone(request.user)}
    return render(request, "datasets/folder_list.html", context, status=status)


def _chosen(request: TeamRequest) -> tuple[list[str], str]:
    return request.POST.getlist("file"), request.POST.get("dataset", "")
