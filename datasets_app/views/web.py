"""Pages from web addresses: ordered, watched, stopped, tried again."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.web import WebForm
from datasets_app.models import WebFetch
from datasets_app.selectors import web as selectors
from datasets_app.selectors.uploads import drop_zone
from datasets_app.services import web
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond

DEEDS = {"stop": web.stop_fetch, "cancel": web.cancel_fetch, "retry": web.retry_fetch}


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def web_new(request: TeamRequest) -> HttpResponse:
    """Take addresses; then show how their pages come in."""
    form = WebForm(request.POST) if request.method == "POST" else WebForm()
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
    }
    status = 422 if form.is_bound else 200
    return render(request, "datasets/web_new.html", context, status=status)


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
