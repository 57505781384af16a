"""Two tables of one upload, joined by a key into a table that is loaded like any other."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.parsing.joining import as_csv, joined
from datasets_app.selectors import joining as selectors
from datasets_app.services.receiving import NewUpload, receive_whole
from datasets_app.views.uploads import find_upload
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def tables_join(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    """Show the first joined rows with what found nothing; then load the joined table."""
    upload = find_upload(request, upload_id)
    files = {str(file.pk): file for file in selectors.tables_of(upload)}
    if len(files) < 2:
        messages.info(request, "This upload has no two tables that can be joined.")
        return redirect("upload-detail", upload.pk)
    asked = request.POST if request.method == "POST" else request.GET
    context = {"upload": upload, "files": files.values(), "error": ""}
    try:
        choice = selectors.choice_of(files, asked.dict())
        if request.method == "POST":
            body = as_csv(joined(choice.left, choice.right, choice.key))
            name = f"{choice.left.stem} with {choice.right.stem}.csv"
            dataset = str(upload.dataset_id or "")
            new = NewUpload(name, len(body), claimed_type="text/csv", dataset=dataset)
            return redirect("upload-detail", receive_whole(new, body, by=request.user).pk)
        context |= selectors.preview_of(choice)
    except CorpusError as error:
        context["error"] = str(error)
    status = 422 if context["error"] else 200
    return render(request, "datasets/tables_join.html", context, status=status)
