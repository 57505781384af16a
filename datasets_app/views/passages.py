"""Passages that become conversations: tried on the first ones, then done for all of an upload."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.readers.prompted import USUALLY, Passages
from datasets_app.corpus.source import Mapping
from datasets_app.forms.passages import SHORTEST, PassagesForm
from datasets_app.models import SourceFile, Upload
from datasets_app.selectors import passages as selectors
from datasets_app.services.choices import choose_passages
from datasets_app.services.datasets import rename_dataset
from datasets_app.views.uploads import find_upload
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest

MOST_CHOSEN = 500  # files that are listed to choose from


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
    form = _form(request, upload, files, Passages.of(Mapping.from_json(stored)) if stored else None)
    chosen = _chosen(form, files)
    if request.POST.get("do") == "read" and form.is_valid():
        done = choose_passages(chosen, form.passages, by=request.user)
        is_named = _name(request, upload, form.cleaned_data["name"])
        if not done and not is_named:
            messages.info(request, "They are told in this way already; nothing was changed.")
        return redirect("upload-detail", upload.pk)
    return _page(request, upload, form, chosen)


def _form(
    request: TeamRequest, upload: Upload, files: list[SourceFile], told: Passages | None
) -> PassagesForm:
    names = [(str(file.pk), file.name) for file in files] if len(files) <= MOST_CHOSEN else []
    if request.method == "POST":
        return PassagesForm(request.POST, texts=names, given=request.POST)
    initial: dict[str, Any] = {"name": upload.dataset.name if upload.dataset else ""}
    if told is not None:
        kept = {} if told.least is None else {"filters": True}
        usual = {name: getattr(told, name) for name in USUALLY if name != "least"}
        lines = "\n".join(told.prompts)
        initial |= {**told.as_json(), **usual, **kept, "prompts": lines}
    return PassagesForm(initial=initial, texts=names)


def _chosen(form: PassagesForm, files: list[SourceFile]) -> list[SourceFile]:
    """Return the files that were chosen; all of them where nobody can choose."""
    chosen = form.cleaned_data.get("text") if form.is_bound and form.is_valid() else None
    return [file for file in files if str(file.pk) in chosen] if chosen else files


def _name(request: TeamRequest, upload: Upload, name: str) -> bool:
    """Give the dataset another name where one was written; say why not where it is taken."""
    if not name or upload.dataset is None or upload.dataset.name == name:
        return False
    try:
        rename_dataset(upload.dataset, name, by=request.user)
    except CorpusError as error:
        messages.error(request, str(error))
        return False
    return True


def _page(
    request: TeamRequest, upload: Upload, form: PassagesForm, files: list[SourceFile]
) -> HttpResponse:
    first = str(form["prompts"].initial or "").splitlines()
    usual = Passages(tuple(first), trims=True, shortest=SHORTEST)
    tried = form.passages if form.is_bound and form.is_valid() else usual
    context = {
        "upload": upload,
        "form": form,
        "files": len(files),
        "preview": None if form.errors else selectors.preview(files, tried),
        "now": selectors.coverage(upload),
    }
    status = 422 if form.errors else 200
    return render(request, "datasets/upload_passages.html", context, status=status)
