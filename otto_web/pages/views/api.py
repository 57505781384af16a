"""The description of OTTO's own API, and what is said where it has nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import get_resolver
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from otto_web.lib.access import Role, declares, has_role, role_required
from otto_web.lib.api.document import document, operations
from otto_web.lib.api.endpoints import refused
from otto_web.lib.api.errors import ApiError, error_answer
from otto_web.lib.http import TeamRequest
from otto_web.lib.tokens import Scope, TokenRefusedError, token_of
from otto_web.pages.selectors.api_help import described

VERSION = "1.0"  # of the API, as its addresses say


@declares("api")
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Answer with the OpenAPI document, for a token that may look and for who is signed in."""
    if not has_role(request.user, Role.MEMBER):
        try:
            token_of(request, Scope.READ)
        except TokenRefusedError as error:
            return refused(error)
    found = operations(get_resolver().url_patterns)
    server = request.build_absolute_uri("/").rstrip("/")
    return JsonResponse(document(found, version=VERSION, server=server))


@csrf_exempt
@declares("api")
def nothing_here(request: HttpRequest) -> HttpResponse:
    return error_answer(ApiError(404, f"There is nothing at {request.path[:200]}."))


@role_required(Role.MEMBER)
@require_safe
def own_api_help(request: TeamRequest) -> HttpResponse:
    """Show every operation of the API with what it takes and gives."""
    context = {
        "rooms": described(operations(get_resolver().url_patterns)),
        "base_url": request.build_absolute_uri("/api/v1"),
    }
    return render(request, "pages/own_api_help.html", context)
