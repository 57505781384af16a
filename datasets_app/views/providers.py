"""Providers of language models: what admins add, change, test and remove."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.pairs.recipes import SENT_FOR_PAIRS
from datasets_app.corpus.providers.registry import KINDS
from datasets_app.forms.pairs import ProviderForm, provider_values
from datasets_app.models import Provider
from datasets_app.selectors.pairs import provider_rows
from datasets_app.services import providers
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest


@role_required(Role.ADMIN)
@require_GET
def provider_list(request: TeamRequest) -> HttpResponse:
    """Show the providers that are here."""
    context = {"rows": provider_rows(), "what": SENT_FOR_PAIRS}
    return render(request, "datasets/provider_list.html", context)


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def provider_new(request: TeamRequest) -> HttpResponse:
    """Add a provider."""
    first = request.GET.get("kind", "openai")
    return _form(request, None, {"kind": first if first in KINDS else "openai"})


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def provider_detail(request: TeamRequest, provider_id: UUID) -> HttpResponse:
    """Change, test or remove a provider."""
    visible = Provider.objects.visible_to(request.user)
    provider = get_object_or_404(visible, pk=provider_id)
    deed = request.POST.get("do", "")
    if deed == "test":
        is_working = providers.test_provider(provider, by=request.user)
        words = "It works." if is_working else "It does not work: see below."
        (messages.success if is_working else messages.error)(request, words)
        return redirect("provider-detail", provider.pk)
    if deed == "remove":
        providers.remove_provider(provider, by=request.user)
        messages.success(request, f"The key of “{provider.name}” is gone, and nobody can use it.")
        return redirect("provider-list")
    return _form(request, provider, provider_values(provider))


def _form(
    request: TeamRequest, provider: Provider | None, first: dict[str, object]
) -> HttpResponse:
    is_post = request.method == "POST"
    form = ProviderForm(request.POST if is_post else None, initial=first, provider=provider)
    if is_post and form.is_valid():
        try:
            saved = providers.save_provider(form.settings, provider, by=request.user)
        except CorpusError as error:
            form.add_error("base_url", str(error))
        else:
            messages.success(request, "Saved. Test it before somebody uses it.")
            return redirect("provider-detail", saved.pk)
    context = {"form": form, "provider": provider, "kinds": list(KINDS.values())}
    status = 422 if form.is_bound else 200
    return render(request, "datasets/provider_detail.html", context, status=status)
