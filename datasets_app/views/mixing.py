"""A version out of several versions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.mixing import MixForm
from datasets_app.models import Version
from datasets_app.selectors import mixable
from datasets_app.selectors.versions import comparable_with
from datasets_app.services.mixing import order_mix
from datasets_app.views.versions import find_version
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest
from otto_web.lib.work.states import State


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def version_mix(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Ask for the shares of a mix, then order it."""
    version = find_version(request, version_id)
    if version.state != State.SUCCEEDED:
        messages.error(request, "Only a frozen version can be mixed. This one is not frozen.")
        return redirect("version-detail", version.pk)
    others = comparable_with(version, request.user)
    form = MixForm(version, others, request.POST if request.method == "POST" else None)
    if form.is_valid() and (made := _ordered(request, form)):
        return redirect("version-detail", made.pk)
    context = {"version": version, "dataset": version.dataset, "others": others, "form": form}
    status = 422 if form.errors else 200
    return render(request, "datasets/version_mix.html", context, status=status)


def _ordered(request: TeamRequest, form: MixForm) -> Version | None:
    """Order the mix unless it is known already that it cannot be; then the form says so."""
    mix = form.mix()
    preview = mixable.mix_preview(mix.parts, mix.rows)
    if preview.error:
        form.add_error(None, preview.error)
        return None
    try:
        return order_mix(mix, by=request.user)
    except CorpusError as error:
        form.add_error(None, str(error))
        return None


@role_required(Role.CURATOR)
@require_GET
def mix_preview(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Tell what mixing would make of the form as it stands."""
    version = find_version(request, version_id)
    form = MixForm(version, comparable_with(version, request.user), request.GET)
    shown = None
    if form.is_valid():
        mix = form.mix()
        shown = mixable.mix_preview(mix.parts, mix.rows)
    return render(request, "datasets/_mix_preview.html", {"form": form, "preview": shown})
