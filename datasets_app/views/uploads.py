"""Pages of uploads: the list with its drop zone, the tree of one upload, deletion."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.forms.uploads import AgainForm, UploadForm
from datasets_app.models import Upload
from datasets_app.selectors import uploads as selectors
from datasets_app.selectors.removals import deletion_summary, removals_under_way
from datasets_app.services import uploads as services
from datasets_app.services.receiving import NewUpload, UploadError, receive_file
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond


def find_upload(request: HttpRequest, upload_id: UUID) -> Upload:
    """Return the upload, or answer 404."""
    visible = Upload.objects.visible_to(request.user).shown()
    found: Upload = get_object_or_404(visible.select_related("dataset", "created_by"), pk=upload_id)
    return found


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def upload_list(request: TeamRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        try:
            taken = [_take(request, file, form) for file in form.cleaned_data["sent"]]
        except UploadError as error:
            form.add_error("sent", str(error))
        else:
            only = taken[0] if len(taken) == 1 else None
            return redirect("upload-detail", only.pk) if only else redirect("upload-list")
    return _list_page(request, form)


def _list_page(request: TeamRequest, form: UploadForm) -> HttpResponse:
    search = clean_text(request.GET.get("q", "")).text.strip()
    found = Paginator(selectors.upload_list(request.user, search), selectors.PAGE_SIZE)
    page = found.get_page(request.GET.get("page"))
    selectors.name_kinds(page.object_list)
    context = {
        "form": form,
        "zone": selectors.drop_zone(request.user),
        "page": page,
        "removals": removals_under_way(),
        "search": search,
        "is_moving": selectors.is_moving(page.object_list),
    }
    return respond(
        request,
        page="datasets/upload_list.html",
        fragment="datasets/_upload_table.html",
        context=context,
        status=422 if form.errors else 200,
    )


def _take(request: TeamRequest, file: UploadedFile, form: UploadForm) -> Upload:
    new = NewUpload(
        name=file.name or "",
        size=file.size or 0,
        claimed_type=file.content_type or "",
        dataset=form.cleaned_data["dataset"],
    )
    return receive_file(new, file, by=request.user)


@role_required(Role.CURATOR)
@require_GET
def upload_detail(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    upload = find_upload(request, upload_id)
    only_unloaded = request.GET.get("show") == "unloaded"
    context = selectors.upload_page(upload, only_unloaded=only_unloaded)
    context["zone"] = selectors.drop_zone(request.user)
    return respond(
        request,
        page="datasets/upload_detail.html",
        fragment="datasets/_upload_tree.html",
        context=context,
    )


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def upload_delete(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    """Ask with the numbers, then delete."""
    upload = find_upload(request, upload_id)
    if request.method == "POST":
        services.withdraw_upload(upload, by=request.user)
        messages.success(request, f"The upload “{upload.name}” is deleted.")
        return redirect("upload-list")
    context = {"upload": upload, "deletion_summary": deletion_summary(upload)}
    return render(request, "datasets/upload_delete.html", context)


@role_required(Role.CURATOR)
@require_POST
def upload_again(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    """Load known bytes once more, or a failed upload from where it stopped."""
    upload = find_upload(request, upload_id)
    form = AgainForm(request.POST)
    try:
        moved = form.is_valid() and (
            services.load_again(upload, form.cleaned_data["dataset"], by=request.user)
            or services.retry_upload(upload, by=request.user)
        )
    except UploadError as error:
        messages.error(request, str(error))
        return redirect("upload-detail", upload.pk)
    if not moved:
        messages.warning(request, "This upload was loaded already; nothing was changed.")
    return redirect("upload-detail", upload.pk)
