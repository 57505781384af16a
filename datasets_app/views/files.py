"""The page of one source file, and what a person chooses about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.formats.registry import has_columns
from datasets_app.forms.uploads import (
    AnewForm,
    ColumnsForm,
    EncodingForm,
    SpeakersForm,
    TryEncodingForm,
)
from datasets_app.models import FileState, SourceFile
from datasets_app.selectors import encodings as asked_encodings
from datasets_app.selectors import files as selectors
from datasets_app.selectors import mappings, telling
from datasets_app.services import choices
from datasets_app.services.mappings import save_mapping
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest


def find_file(request: HttpRequest, file_id: UUID) -> SourceFile:
    """Return the file, or answer 404."""
    visible = SourceFile.objects.visible_to(request.user).shown()
    related = visible.select_related("upload__dataset", "upload__created_by", "parent", "blob")
    found: SourceFile = get_object_or_404(related, pk=file_id)
    return found


@role_required(Role.CURATOR)
@require_GET
def file_detail(request: TeamRequest, file_id: UUID) -> HttpResponse:
    return _page(request, find_file(request, file_id))


def _page(
    request: TeamRequest, file: SourceFile, *, status: int = 200, **forms: Any
) -> HttpResponse:
    context = selectors.file_page(file)
    if file.verdict == FileState.WAITING:
        if file.reason == "needs_mapping":
            context |= _kept(request, file.waiting_for or {})
            context["columns_form"] = forms.get("columns") or ColumnsForm(context["asked"])
            context["told"] = _told(telling.asked_of(file), context["columns_form"])
        elif file.reason == "needs_encoding":
            context |= asked_encodings.encodings_asked(file, request.GET.get("encoding", ""))
            context["encoding_form"] = forms.get("encoding") or EncodingForm()
            context["try_form"] = TryEncodingForm(initial=request.GET.dict())
        elif file.reason == "needs_speakers":
            asked = selectors.speakers_asked(file)
            kept = mappings.roles_for(asked.speakers)
            context |= mappings.cast_as_kept(asked, kept, request.GET.get("kept", ""))
            context["speakers_form"] = forms.get("speakers") or SpeakersForm(context["asked"])
            context["kept"] = kept
    return render(request, "datasets/file_detail.html", context, status=status)


def _kept(request: TeamRequest, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the mappings kept for such a table, and what is asked filled in with one of them."""
    kept = mappings.mappings_for(asked.get("columns", []))
    return {"kept": kept, "asked": mappings.proposed(asked, kept, request.GET.get("kept", ""))}


def _keep(request: TeamRequest, form: ColumnsForm | SpeakersForm) -> bool:
    """Keep what was chosen, if it was given a name; False where that name is taken."""
    name = form.cleaned_data["save_as"].strip()
    if not name:
        return True
    try:
        columns = form.columns if isinstance(form, ColumnsForm) else []
        save_mapping(name, columns, form.cleaned_data["mapping"], by=request.user)
    except CorpusError as error:
        form.add_error("save_as", str(error))
        return False
    return True


def _told(
    asked: dict[str, Any] | None, chosen: Mapping[str, str] | ColumnsForm
) -> tuple[telling.Told, ...]:
    """Return the rows of a table in each way to tell them, as a form or an address asks for it."""
    if isinstance(chosen, ColumnsForm):
        chosen = chosen.data if chosen.is_bound else chosen.initial
    return telling.compared(asked, chosen) if asked else ()


@role_required(Role.CURATOR)
@require_GET
def file_told(request: TeamRequest, file_id: UUID) -> HttpResponse:
    """Show the first rows in each way to put them into language."""
    file = find_file(request, file_id)
    context = {"file": file, "told": _told(telling.asked_of(file), request.GET)}
    return render(request, "datasets/_file_told.html", context)


@role_required(Role.CURATOR)
@require_POST
def file_columns(request: TeamRequest, file_id: UUID) -> HttpResponse:
    file = find_file(request, file_id)
    form = ColumnsForm(file.waiting_for or {}, request.POST)
    if not form.is_valid() or not _keep(request, form):
        return _page(request, file, status=422, columns=form)
    files = _chosen(file, is_for_all=form.cleaned_data["also_alike"])
    done = choices.choose_columns(files, form.cleaned_data["mapping"], by=request.user)
    return _off(request, file, done)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def file_columns_again(request: TeamRequest, file_id: UUID) -> HttpResponse:
    """Say what reading a table anew takes away, then have it read under another mapping."""
    file = find_file(request, file_id)
    context = selectors.columns_page(file)
    if context is None:
        messages.warning(
            request, "This file is being read, or cannot be read anew; nothing was changed."
        )
        return redirect("file-detail", file.pk)
    kept = _kept(request, context["asked"])
    shown = context["asked"] if has_columns(file.kind) else None
    if request.method == "POST":
        form = ColumnsForm(context["asked"], request.POST)
    else:
        form = ColumnsForm(kept["asked"] if "kept" in request.GET else context["asked"])
    if form.is_valid() and _keep(request, form):
        mapping = form.cleaned_data["mapping"]
        is_other = mapping.as_json() != context["asked"]["suggested"]
        is_other = is_other and choices.choose_columns_again(file, mapping, by=request.user)
        return _off(request, file, int(is_other))
    context |= {"columns_form": form, "kept": kept["kept"], "told": _told(shown, form)}
    status = 422 if form.is_bound else 200
    return render(request, "datasets/file_columns.html", context, status=status)


@role_required(Role.CURATOR)
@require_POST
def file_speakers(request: TeamRequest, file_id: UUID) -> HttpResponse:
    file = find_file(request, file_id)
    if file.reason != "needs_speakers":
        return _off(request, file, 0)
    form = SpeakersForm(selectors.speakers_asked(file), request.POST)
    if not form.is_valid() or not _keep(request, form):
        return _page(request, file, status=422, speakers=form)
    files = _chosen(file, is_for_all=form.cleaned_data["also_alike"])
    done = choices.choose_speakers(files, form.cleaned_data["mapping"], by=request.user)
    return _off(request, file, done)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def file_speakers_again(request: TeamRequest, file_id: UUID) -> HttpResponse:
    """Say what reading a file anew takes away, then have it read with other roles."""
    file = find_file(request, file_id)
    context = selectors.speakers_page(file)
    if context is None:
        messages.warning(request, "This file is being read, or nobody in it was asked for.")
        return redirect("file-detail", file.pk)
    form = SpeakersForm(context["asked"], request.POST if request.method == "POST" else None)
    if form.is_valid() and _keep(request, form):
        done = choices.choose_speakers_again(file, form.cleaned_data["mapping"], by=request.user)
        return _off(request, file, int(done))
    context["speakers_form"] = form
    status = 422 if form.is_bound else 200
    return render(request, "datasets/file_speakers.html", context, status=status)


@role_required(Role.CURATOR)
@require_POST
def file_encoding(request: TeamRequest, file_id: UUID) -> HttpResponse:
    file = find_file(request, file_id)
    form = EncodingForm(request.POST)
    if not form.is_valid():
        return _page(request, file, status=422, encoding=form)
    files = _chosen(file, is_for_all=form.cleaned_data["also_alike"])
    done = choices.choose_encoding(files, form.cleaned_data["encoding"], by=request.user)
    return _off(request, file, done)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def file_encoding_again(request: TeamRequest, file_id: UUID) -> HttpResponse:
    """Show a file in other encodings, then have it read anew in one of them."""
    file = find_file(request, file_id)
    context = asked_encodings.encoding_page(file, request.GET.get("encoding", ""))
    if context is None:
        messages.warning(request, "This file is being read, or is none that has an encoding.")
        return redirect("file-detail", file.pk)
    form = EncodingForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        name = form.cleaned_data["encoding"]
        is_other = name != file.encoding
        is_other = is_other and choices.choose_encoding_again(file, name, by=request.user)
        return _off(request, file, int(is_other))
    context |= {"encoding_form": form, "try_form": TryEncodingForm(initial=request.GET.dict())}
    status = 422 if form.is_bound else 200
    return render(request, "datasets/file_encoding.html", context, status=status)


@role_required(Role.CURATOR)
@require_POST
def file_anew(request: TeamRequest, file_id: UUID) -> HttpResponse:
    """Have a file read anew although people's work goes, or leave it as it was."""
    file = find_file(request, file_id)
    form = AnewForm(request.POST)
    if not form.is_valid():
        return _page(request, file, status=422)
    if form.cleaned_data["choice"] == "keep":
        if choices.keep_as_it_was(file, by=request.user):
            messages.success(request, "The file and its conversations stay as they were.")
        else:
            messages.warning(request, "It is too late: the file was read anew already.")
        return redirect("file-detail", file.pk)
    if form.cleaned_data["choice"] == "newer":
        return _off(request, file, int(choices.read_by_newer_reader(file, by=request.user)))
    if not choices.agree_to_lose(file, form.lost(), by=request.user):
        messages.warning(request, "These numbers changed meanwhile; nothing was done. Look again.")
        return redirect("file-detail", file.pk)
    return _off(request, file, 1)


@role_required(Role.CURATOR)
@require_POST
def file_members(request: TeamRequest, file_id: UUID) -> HttpResponse:
    """Load the whole members of a damaged archive."""
    file = find_file(request, file_id)
    return _off(request, file, choices.load_members(file, by=request.user))


def _chosen(file: SourceFile, *, is_for_all: bool) -> list[SourceFile]:
    alike = selectors.files_alike(file).select_related("upload") if is_for_all else []
    return [file, *alike]


def _off(request: TeamRequest, file: SourceFile, done: int) -> HttpResponse:
    if done:
        messages.success(request, f"Thank you. {done} file{'s' * (done > 1)} will be read now.")
    else:
        messages.warning(request, "This was chosen before; nothing was changed.")
    return redirect("upload-detail", file.upload_id)
