"""Passages that become conversations: tried on the first ones, then done for all of an upload."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.readers.prompted import Passages
from datasets_app.corpus.source import Mapping
from datasets_app.forms.passages import PassagesForm
from datasets_app.models import Upload
from datasets_app.selectors import passages as selectors
from datasets_app.services.choices import choose_passages
from datasets_app.views.uploads import find_upload
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def upload_passages(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    """Show what would become of the first passages; then have all files read so."""
    upload = find_upload(request, upload_id)
    files = list(selectors.passage_files(upload).select_related("upload"))
    if not files:
        messages.info(request, "This upload has no passages, or is being read just now.")
        return redirect("upload-detail", upload.pk)
    stored = files[0].mapping
    form = _form(request, Passages.of(Mapping.from_json(stored)) if stored else None)
    if request.POST.get("do") == "read" and form.is_valid():
        done = choose_passages(files, form.passages, by=request.user)
        if not done:
            messages.info(request, "They are told in this way already; nothing was changed.")
        return redirect("upload-detail", upload.pk)
    return _page(request, upload, form, len(files))


def _form(request: TeamRequest, told: Passages | None) -> PassagesForm:
    if request.method == "POST":
        return PassagesForm(request.POST)
    if told is None:
        return PassagesForm()
    lines = "\n".join(told.prompts)
    kept = {} if told.least is None else {"filters": True}
    return PassagesForm(initial={**told.as_json(), **kept, "prompts": lines})


def _page(request: TeamRequest, upload: Upload, form: PassagesForm, count: int) -> HttpResponse:
    first = str(form["prompts"].initial or "").splitlines()
    tried = form.passages if form.is_bound and form.is_valid() else Passages(tuple(first))
    context = {
        "upload": upload,
        "form": form,
        "files": count,
        "preview": None if form.errors else selectors.preview(upload, tried),
        "now": selectors.coverage(upload),
    }
    status = 422 if form.errors else 200
    return render(request, "datasets/upload_passages.html", context, status=status)
