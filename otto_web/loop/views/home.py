"""The home page, and the next model that it proposes."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chat_app.models import Deployment
from datasets_app.services.versions import order_version
from otto_web.lib.access import Role, has_role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.loop.selectors.home import home as home_of
from otto_web.loop.selectors.home import member_home
from otto_web.loop.selectors.next_model import proposal


@role_required(Role.MEMBER)
@require_safe
def home(request: TeamRequest) -> HttpResponse:
    """Show the loop; to those who only chat, what they can use."""
    if not has_role(request.user, Role.CURATOR):
        return respond(
            request,
            page="loop/home_member.html",
            fragment="loop/_home_member.html",
            context={"home": member_home(request.user)},
        )
    return respond(
        request,
        page="loop/home.html",
        fragment="loop/_home.html",
        context={"home": home_of(request.user)},
    )


@role_required(Role.TRAINER)
@require_POST
def next_model(request: TeamRequest, alias: str) -> HttpResponse:
    """Freeze the old version's dataset with its new rows, and propose the run on it."""
    visible = Deployment.objects.visible_to(request.user).select_related("model__run__version")
    found = proposal(get_object_or_404(visible, pk=alias))
    if found is None:
        messages.info(request, "Nothing new was kept since this model was trained.")
        return redirect("home")
    version = order_version(found.dataset, user=request.user)
    messages.success(
        request,
        f"The next model: the old rows and {found.fresh} new ones, continuing from {found.model}.",
    )
    query = urlencode({"start_model": found.model.pk})
    return redirect(f"{reverse('version-detail', args=[version.pk])}?{query}")
