"""Pages from web addresses: ordered, watched, stopped, tried again."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.web import AuthorityForm, WebForm
from datasets_app.models import WebAuthority, WebFetch
from datasets_app.selectors import web as selectors
from datasets_app.selectors.uploads import drop_zone
from datasets_app.services import web
from otto_web.lib.access import Role, has_role, role_required
from otto_web.lib.http import TeamRequest, respond

DEEDS = {"stop": web.stop_fetch, "cancel": web.cancel_fetch, "retry": web.retry_fetch}


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def web_new(request: TeamRequest) -> HttpResponse:
    """Take addresses; then show how their pages come in."""
    rights = {"is_of_admin": has_role(request.user, Role.ADMIN)}
    form = WebForm(request.POST, **rights) if request.method == "POST" else WebForm(**rights)
    if form.is_valid():
        try:
            web.check_allowed(is_on=settings.OTTO_WEB_PAGES)
            fetch = web.order_fetch(web.Wanted(**form.cleaned_data), by=request.user)
        except CorpusError as error:
            form.add_error(None, str(error))
        else:
            return redirect("web-detail", fetch.pk)
    context = {
        "form": form,
        "zone": drop_zone(request.user),
        "fetches": selectors.fetches(request.user),
        "is_on": settings.OTTO_WEB_PAGES,
        **rights,
    }
    status = 422 if form.is_bound else 200
    return render(request, "datasets/web_new.html", context, status=status)


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def authority_list(request: TeamRequest) -> HttpResponse:
    """Show the certificates that are trusted besides the usual ones; take one more."""
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = AuthorityForm(*given)
    if form.is_valid():
        try:
            trusted = web.trust_authority(form.cleaned_data["sent"], by=request.user)
        except CorpusError as error:
            form.add_error("sent", str(error))
        else:
            messages.success(request, f"Sites that “{trusted.name}” signed are trusted now.")
            return redirect("authority-list")
    known = WebAuthority.objects.visible_to(request.user).select_related("added_by")
    context = {"form": form, "authorities": known.order_by("name", "pk")}
    status = 422 if form.errors else 200
    return render(request, "datasets/authority_list.html", context, status=status)


@role_required(Role.ADMIN)
@require_POST
def authority_drop(request: TeamRequest, authority_id: int) -> HttpResponse:
    known = WebAuthority.objects.visible_to(request.user)
    web.drop_authority(get_object_or_404(known, pk=authority_id), by=request.user)
    messages.success(request, "These certificates are trusted no more.")
    return redirect("authority-list")


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def web_detail(request: TeamRequest, fetch_id: UUID) -> HttpResponse:
    """Show what came of each page; stop, drop or go on."""
    visible = WebFetch.objects.visible_to(request.user).select_related("upload", "created_by")
    fetch = get_object_or_404(visible, pk=fetch_id)
    if request.method == "POST":
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None or not deed(fetch, by=request.user):
            messages.info(request, "Nothing was changed: this is over already.")
        return redirect("web-detail", fetch.pk)
    show, number = request.GET.get("show", ""), request.GET.get("page")
    return respond(
        request,
        page="datasets/web_detail.html",
        fragment="datasets/_web_pages.html",
        context=selectors.fetch_page(fetch, show=show, number=number),
    )
