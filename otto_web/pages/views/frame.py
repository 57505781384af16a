"""The own profile, status, help."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from chat_app.models import Deployment
from otto_web.lib.access import Role, declares, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.models import Profile
from otto_web.lib.probes import FAIL
from otto_web.pages.forms import ProfileForm
from otto_web.pages.selectors import diagnostics, topics
from otto_web.pages.selectors import self_test as diagnosis
from otto_web.pages.services.preferences import remember_preferences, save_preferences


@role_required(Role.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: TeamRequest) -> HttpResponse:
    known = Profile.objects.filter(user=request.user).first() or Profile(user=request.user)
    posted = request.method == "POST"
    form = ProfileForm(request.POST, instance=known) if posted else ProfileForm(instance=known)
    if form.is_valid():
        save_preferences(request.user, form.preferences())
        remember_preferences(request, request.user)
        messages.success(request, "Saved. Other browsers follow at their next sign-in.")
        return redirect("profile")
    return respond(
        request,
        page="pages/profile.html",
        fragment="pages/_profile_form.html",
        context={"form": form},
        status=422 if form.errors else 200,
    )


@declares("public")
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Tell everybody that the pages work, and the team how the rest is."""
    context = {
        "kinds": diagnostics.kind_lines,
        "parts": diagnostics.parts,
        "detectors": diagnostics.detectors,
        "versions": diagnostics.versions,
    }
    page, fragment = "pages/status.html", "pages/_status_parts.html"
    return respond(request, page=page, fragment=fragment, context=context)


@role_required(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def self_test(request: TeamRequest) -> HttpResponse:
    """Try every part at once; those that compute only by a button, since they take a while."""
    is_whole = request.method == "POST"
    parts = diagnosis.self_test() if is_whole else diagnosis.quick_parts()
    context = {"parts": parts, "is_whole": is_whole}
    context["failed"] = [part.name for part in parts if part.state == FAIL]
    page, fragment = "pages/self_test.html", "pages/_self_test.html"
    return respond(request, page=page, fragment=fragment, context=context)


@role_required(Role.MEMBER)
@require_safe
def help_page(request: TeamRequest) -> HttpResponse:
    return render(request, "pages/help.html")


@role_required(Role.MEMBER)
@require_safe
def help_topic(request: TeamRequest, topic: str) -> HttpResponse:
    context = {"examples": topics.examples()} if topic == "programming" else {}
    return render(request, f"pages/help_{topic}.html", context)


@role_required(Role.MEMBER)
@require_safe
def api_help(request: TeamRequest) -> HttpResponse:
    """Say how programs ask the models of this installation."""
    names = Deployment.objects.visible_to(request.user).answering().order_by("alias")
    found = list(names.select_related("model", "knowledge__version__dataset"))
    context = {
        "deployments": found,
        "example": found[0].alias if found else "support",
        "base_url": request.build_absolute_uri("/v1"),
    }
    return render(request, "pages/api_help.html", context)
