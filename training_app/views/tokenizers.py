"""Pages of tokenizers: the list, a new one, one with its figures and a text to try it on."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from datasets_app.selectors.versions import trainable_versions
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.zip_stream import send_folder
from training_app.forms import TokenizerForm
from training_app.lm.config import TrainingError
from training_app.models import MadeTokenizer, paths
from training_app.selectors.made_tokenizers import (
    LONGEST_TEXT,
    label_of,
    made_tokenizers,
    stats_of,
    tried,
)
from training_app.services.runs import VersionRefusedError
from training_app.services.tokenizers import delete_tokenizer, order_tokenizer

EXAMPLE = "Where is my order 12-345? Thank you 😀"


@role_required(Role.TRAINER)
@require_GET
def tokenizer_list(request: TeamRequest) -> HttpResponse:
    """Show the tokenizers, newest first."""
    return respond(
        request,
        page="training/tokenizer_list.html",
        fragment="training/_tokenizer_table.html",
        context={"tokenizers": made_tokenizers(request.user, page=request.GET.get("page", "1"))},
    )


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def tokenizer_new(request: TeamRequest) -> HttpResponse:
    """Show the form of a tokenizer, and order the one that it describes."""
    form = TokenizerForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        values = form.cleaned_data
        try:
            made = order_tokenizer(
                values["version"], form.recipe(), name=values["name"], by=request.user
            )
        except VersionRefusedError as error:
            form.add_error(error.field, str(error))
        else:
            return redirect("tokenizer-detail", made.pk)
    return respond(
        request,
        page="training/tokenizer_new.html",
        fragment="training/_tokenizer_form.html",
        context={"form": form, "has_versions": trainable_versions(request.user).exists()},
        status=422 if form.errors else 200,
    )


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def tokenizer_detail(request: TeamRequest, tokenizer_id: UUID) -> HttpResponse:
    """Show a tokenizer, and what it makes of a text that was sent."""
    made = _found(request, tokenizer_id)
    text = request.POST.get("text", EXAMPLE)[:LONGEST_TEXT].replace("\r\n", "\n")
    text = text.encode("utf-8", "replace").decode()
    return respond(
        request,
        page="training/tokenizer_detail.html",
        fragment="training/_tokenizer.html",
        context={
            "made": made,
            "label": label_of(made),
            "stats": stats_of(made),
            "text": text,
            "tried": tried(made, text) if made.is_ready else None,
            "longest": LONGEST_TEXT,
        },
    )


@role_required(Role.TRAINER)
@require_safe
def tokenizer_download(request: TeamRequest, tokenizer_id: UUID) -> HttpResponseBase:
    """Send tokenizer.json and manifest.json as a ZIP."""
    made = _found(request, tokenizer_id)
    if not made.is_ready:
        raise Http404
    return send_folder(request, paths.absolute(made.path), of=made, name="tokenizer")


@role_required(Role.TRAINER)
@require_POST
def tokenizer_delete(request: TeamRequest, tokenizer_id: UUID) -> HttpResponse:
    """Delete a tokenizer that no run under way needs."""
    made = _found(request, tokenizer_id)
    try:
        delete_tokenizer(made, by=request.user)
    except TrainingError as error:
        messages.error(request, str(error))
        return redirect("tokenizer-detail", made.pk)
    messages.success(request, "The tokenizer is deleted. Models keep their own copies.")
    return redirect("tokenizer-list")


def _found(request: TeamRequest, tokenizer_id: UUID) -> MadeTokenizer:
    visible = MadeTokenizer.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("version__dataset"), pk=tokenizer_id)
