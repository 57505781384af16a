"""A chat for others: pinned, taken along as a file, brought in, read by the team."""

from __future__ import annotations

import re
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from chat_app.models import Chat, Deployment
from chat_app.selectors import chats as selectors
from chat_app.selectors.transfer import LARGEST, LIMIT, as_markdown, file_of
from chat_app.services import sharing
from chat_app.services.transfer import bring_chat, read_chat
from chat_app.serving.errors import ServingError
from chat_app.views.chats import show_list
from chat_app.views.rooms import find_chat
from otto_web.lib.access import Role, has_role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest

KINDS = {"md": "text/markdown", "json": "application/json"}
TOO_LARGE = f"The file is too large: a chat of more than {LIMIT} cannot be brought in."
NO_FILE = (
    f"This chat has more than {LIMIT}, so its JSON could not be brought in again. Take the branch"
    " that is shown along as Markdown."
)


@role_required(Role.MEMBER)
@require_POST
def chat_pin(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """Let a chat stand above the others, or no more."""
    chat = find_chat(request, chat_id)
    sharing.set_pinned(chat, is_pinned=request.POST.get("pinned") == "1")
    return redirect("chat-detail", chat.pk)


@role_required(Role.MEMBER)
@require_safe
def chat_download(request: TeamRequest, chat_id: UUID, layout: str) -> HttpResponseBase:
    """Send one's own chat as a file: every branch as JSON, the shown one as Markdown."""
    chat = find_chat(request, chat_id)
    if layout not in KINDS:
        return HttpResponse(status=404)
    if layout == "json":
        body = file_of(chat)
        if body is None:
            messages.error(request, NO_FILE)
            return redirect("chat-detail", chat.pk)
    else:
        body = as_markdown(chat).encode()
    words = re.sub(r"\W+", "-", chat.title[:60]).strip("-")
    name = f"{words or 'chat'}.{layout}"
    return stream(request, iter([body]), of=chat, name=name, kind=KINDS[layout])


@role_required(Role.MEMBER)
@require_POST
def chat_import(request: TeamRequest) -> HttpResponse:
    """Bring a chat in from a file."""
    file = request.FILES.get("file")
    if file is None:
        return show_list(request, wanted="", error="Choose the file of a chat first.")
    if (file.size or 0) > LARGEST:
        return show_list(request, wanted="", error=TOO_LARGE)
    answering = Deployment.objects.visible_to(request.user).answering()
    try:
        chat = bring_chat(read_chat(file.read()), owner=request.user, deployments=answering)
    except ServingError as error:
        return show_list(request, wanted="", error=str(error))
    messages.success(request, "The chat is brought in, with all its branches. It is not logged.")
    return redirect("chat-detail", chat.pk)


@role_required(Role.MEMBER)
@require_POST
def chat_share(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """Let the team read a chat by its link, or take the link back."""
    chat = find_chat(request, chat_id)
    is_shared = request.POST.get("shared") == "1"
    sharing.set_shared(chat, is_shared=is_shared, by=request.user)
    said = (
        "Everybody here who has the link, or looks at the list, can read this chat now."
        if is_shared
        else "The link is taken back: nobody but you can open this chat any more."
    )
    messages.success(request, said)
    return redirect("chat-detail", chat.pk)


@role_required(Role.MEMBER)
@require_GET
@never_cache
def chat_shared(request: TeamRequest, share_key: UUID) -> HttpResponse:
    """Show a chat that somebody shares with the team; nothing can be changed there."""
    shared = Chat.objects.shared_with(request.user).select_related("owner", "deployment")
    chat: Chat = get_object_or_404(shared, share_key=share_key)
    context = {
        "chat": chat,
        "exchanges": selectors.transcript(chat),
        "may_read_rows": has_role(request.user, Role.CURATOR),
    }
    return render(request, "chat/chat_shared.html", context)
