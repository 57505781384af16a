"""API tokens: one's own, and for admins everybody's."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.models import ApiToken
from otto_web.pages.forms import TokenForm
from otto_web.pages.services import tokens as services


@role_required(Role.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def token_list(request: TeamRequest) -> HttpResponse:
    """Show one's own tokens; a new one's text stands in the answer that makes it, nowhere else.

    So that answer is no redirect: between two requests the text would have to be kept.
    """
    fresh = None
    form = TokenForm(request.POST or None, person=request.user)
    if form.is_valid():
        try:
            token, text = services.make_token(request.user, **form.wanted())
        except services.TokenError as error:
            form.add_error(None, str(error))
        else:
            fresh = {"name": token.name, "text": text}
            form = TokenForm(None, person=request.user)
    own = ApiToken.objects.filter(user=request.user)
    return respond(
        request,
        page="pages/token_list.html",
        fragment="pages/_token_form.html",
        context={
            "form": form,
            "tokens": list(own.order_by("-pk")),
            "fresh": fresh,
        },
        status=422 if form.errors else 200,
    )


@role_required(Role.ADMIN)
@require_safe
def all_tokens(request: TeamRequest) -> HttpResponse:
    """Show everybody's tokens, those that work first."""
    found = ApiToken.objects.visible_to(request.user).select_related("user")
    tokens = sorted(found.order_by("-pk"), key=lambda token: token.state != "active")
    return render(request, "pages/all_tokens.html", {"tokens": tokens})


@role_required(Role.MEMBER)
@require_POST
def token_revoke(request: TeamRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(
        ApiToken.objects.visible_to(request.user).select_related("user"), pk=token_id
    )
    services.revoke_token(token, by=request.user)
    messages.success(request, f"“{token.name}” no longer opens anything.")
    return redirect("token-list" if token.user_id == request.user.pk else "all-tokens")
