"""What the views of one chat share: finding it, and showing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django_htmx.http import reswap, retarget

from chat_app.forms.chats import SettingsForm
from chat_app.models import Chat
from chat_app.selectors import chats as selectors
from otto_web.lib.access import Role, has_role
from otto_web.lib.http import TeamRequest, respond


def find_chat(request: TeamRequest, chat_id: UUID) -> Chat:
    """Return one's own chat; other people's are not there."""
    own = Chat.objects.visible_to(request.user).select_related(
        "deployment__model", "deployment__knowledge__version__dataset"
    )
    found: Chat = get_object_or_404(own, pk=chat_id)
    return found


def show_chat(
    request: TeamRequest, chat: Chat, *, error: str = "", text: str = "", form: Any = None
) -> HttpResponse:
    """Show the chat, with what went wrong and what was typed."""
    context = {
        **selectors.chat_page(chat),
        "sidebar": selectors.sidebar(request.user),
        "settings_form": form or SettingsForm(chat=chat),
        "error": error,
        "text": text,
        "idem": uuid4(),
        "may_read_rows": has_role(request.user, Role.CURATOR),
    }
    answer = respond(
        request,
        page="chat/chat_detail.html",
        fragment="chat/_composer.html",
        context=context,
        status=422 if error or (form and form.errors) else 200,
    )
    if request.htmx and error:
        return reswap(retarget(answer, "#composer"), "outerHTML")
    return answer
