"""Two versions beside each other."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from datasets_app.models import Version
from datasets_app.selectors import version_diff as selectors
from datasets_app.selectors.versions import comparable_with
from datasets_app.views.versions import find_version
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest
from otto_web.lib.uuids import as_uuid
from otto_web.lib.work.states import State


@role_required(Role.CURATOR)
@require_GET
def version_compare(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Lead to the differences between the chosen version and this one; ask where none is chosen."""
    version = _frozen(request, version_id)
    other = as_uuid(request.GET.get("with", ""))
    if other is not None:
        return redirect("version-diff", _frozen(request, other).pk, version.pk)
    context = {
        "version": version,
        "dataset": version.dataset,
        "others": comparable_with(version, request.user),
    }
    return render(request, "datasets/version_compare.html", context)


@role_required(Role.CURATOR)
@require_GET
def version_diff(request: TeamRequest, other_id: UUID, version_id: UUID) -> HttpResponse:
    """Show what a version has and another has not; rows of one kind, page by page."""
    was, now = _frozen(request, other_id), _frozen(request, version_id)
    counts = selectors.counts_of(was, now)
    asked = request.GET.get("kind", "")
    some = next((kind for kind, count in counts.of_kinds if count), "changed")
    kind = asked if asked in selectors.KINDS else some
    page = request.GET.get("page", "")
    number = int(page) if page.isdecimal() and len(page) < 9 else 0
    context = {
        "was": was,
        "now": now,
        "dataset": now.dataset,
        "counts": counts,
        "page": selectors.diff_page(was, now, counts, kind=kind, number=number),
        "settings": selectors.settings_that_differ(was, now),
        "findings": selectors.findings_of(was, now),
    }
    return render(request, "datasets/version_diff.html", context)


def _frozen(request: TeamRequest, version_id: UUID) -> Version:
    version = find_version(request, version_id)
    if version.state != State.SUCCEEDED:
        raise Http404
    return version
