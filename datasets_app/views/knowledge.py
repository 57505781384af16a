"""What a version's conversations tell: its figures, and what a question would be answered from."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.datasets import LookupForm
from datasets_app.models import Knowledge
from datasets_app.selectors.knowledge import knowledge_page
from datasets_app.services.knowledge import order_knowledge, order_lookup
from datasets_app.views.versions import find_version
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.work.states import State


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def version_knowledge(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Show what the version knows, and look a question up in it."""
    version = find_version(request, version_id)
    form = LookupForm(request.POST) if request.method == "POST" else LookupForm()
    knowledge = Knowledge.objects.filter(version=version).first()
    if request.method == "POST" and knowledge is None:
        messages.error(request, "Nothing is known yet. Build the knowledge first.")
        return redirect("version-knowledge", version.pk)
    if form.is_valid() and knowledge is not None:
        try:
            order_lookup(knowledge, form.cleaned_data["question"], by=request.user)
        except CorpusError as error:
            form.add_error("question", str(error))
        else:
            return redirect("version-knowledge", version.pk)
    return respond(
        request,
        page="datasets/version_knowledge.html",
        fragment="datasets/_version_knowledge.html",
        context={
            "version": version,
            "dataset": version.dataset,
            "page": knowledge_page(version),
            "form": form,
        },
        status=422 if form.errors else 200,
    )


@role_required(Role.CURATOR)
@require_POST
def knowledge_build(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Have the knowledge built, or built anew; texts that are known cost nothing."""
    version = find_version(request, version_id)
    if version.state == State.SUCCEEDED:
        order_knowledge(version, by=request.user)
    else:
        messages.error(request, "This version is not frozen, so there is nothing to know yet.")
    return redirect("version-knowledge", version.pk)
