"""People, and the trail of what they changed."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.pages.forms import PersonForm, RoleForm
from otto_web.pages.selectors import people as selectors
from otto_web.pages.selectors import trail
from otto_web.pages.services import people as services

LINK_KEY = "link_to_show_once"


@role_required(Role.ADMIN)
@require_safe
def people_list(request: TeamRequest) -> HttpResponse:
    return render(request, "pages/people_list.html", {"people": selectors.people()})


@role_required(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def person_new(request: TeamRequest) -> HttpResponse:
    form = PersonForm(request.POST) if request.method == "POST" else PersonForm()
    if form.is_valid():
        person = services.create_person(actor=request.user, **form.cleaned_data)
        _keep_link(request, person)
        return redirect("person-detail", person.pk)
    return respond(
        request,
        page="pages/person_new.html",
        fragment="pages/_person_form.html",
        context={"form": form},
        status=422 if form.errors else 200,
    )


def _keep_link(request: TeamRequest, person: User) -> None:
    """Keep a fresh link for the next page, which shows it once and forgets it."""
    path = services.make_link(person, actor=request.user)
    request.session[LINK_KEY] = {"person": person.pk, "url": request.build_absolute_uri(path)}


def _take_link(request: TeamRequest, person: User) -> str:
    kept = request.session.get(LINK_KEY)
    if not kept or kept["person"] != person.pk:
        return ""
    del request.session[LINK_KEY]
    return str(kept["url"])


@role_required(Role.ADMIN)
@require_safe
@never_cache
def person_detail(request: TeamRequest, person_id: int) -> HttpResponse:
    return _show_person(request, get_object_or_404(User, pk=person_id))


def _show_person(request: TeamRequest, person: User, refusal: str = "") -> HttpResponse:
    row = selectors.person_row(person)
    context = {
        "person": row,
        "form": RoleForm(initial={"role": (row.role or Role.MEMBER).value}),
        "changes": selectors.changes_of(person),
        "link": _take_link(request, person),
        "refusal": refusal,
    }
    return render(request, "pages/person_detail.html", context, status=422 if refusal else 200)


@role_required(Role.ADMIN)
@require_POST
def person_role(request: TeamRequest, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _show_person(request, person, "Choose one of the four roles.")
    try:
        services.change_role(person, form.cleaned_data["role"], actor=request.user)
    except services.PeopleError as error:
        return _show_person(request, person, str(error))
    messages.success(request, f"{person.username} is now {form.cleaned_data['role'].group}.")
    return redirect("person-detail", person.pk)


@role_required(Role.ADMIN)
@require_POST
def person_link(request: TeamRequest, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    try:
        _keep_link(request, person)
    except services.PeopleError as error:
        return _show_person(request, person, str(error))
    return redirect("person-detail", person.pk)


@role_required(Role.ADMIN)
@require_POST
def person_deactivate(request: TeamRequest, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    try:
        services.deactivate(person, actor=request.user)
    except services.PeopleError as error:
        return _show_person(request, person, str(error))
    messages.success(request, f"{person.username} can no longer sign in. Their work stays.")
    return redirect("person-detail", person.pk)


@role_required(Role.ADMIN)
@require_POST
def person_reactivate(request: TeamRequest, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    services.reactivate(person, actor=request.user)
    messages.success(request, f"{person.username} can sign in again.")
    return redirect("person-detail", person.pk)


@role_required(Role.ADMIN)
@require_safe
def audit_list(request: TeamRequest) -> HttpResponse:
    """Show who changed, took or switched what."""
    context = trail.trail_page(trail.Chosen.from_query(request.GET))
    return render(request, "pages/audit_list.html", context)
