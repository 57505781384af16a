"""What people said of columns and speakers and kept under a name."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from datasets_app.models import SavedMapping
from datasets_app.selectors.files import columns_in_words, roles_in_words
from datasets_app.services.mappings import forget_mapping
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest


@role_required(Role.CURATOR)
@require_GET
def mapping_list(request: TeamRequest) -> HttpResponse:
    kept = SavedMapping.objects.visible_to(request.user).select_related("saved_by").order_by("name")
    rows = [
        (one, columns_in_words(one.mapping) if one.columns else roles_in_words(one.mapping))
        for one in kept
    ]
    return render(request, "datasets/mapping_list.html", {"rows": rows})


@role_required(Role.CURATOR)
@require_POST
def mapping_forget(request: TeamRequest, mapping_id: int) -> HttpResponse:
    kept = SavedMapping.objects.visible_to(request.user)
    saved: SavedMapping = get_object_or_404(kept, pk=mapping_id)
    forget_mapping(saved, by=request.user)
    messages.success(request, f"“{saved.name}” was deleted. Files read with it stay as they are.")
    return redirect("mapping-list")
