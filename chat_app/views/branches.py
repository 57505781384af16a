"""Other ways through a chat: answer again, go on, ask something else instead, switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from chat_app.forms.chats import MessageForm
from chat_app.models import Chat, Message
from chat_app.selectors import chats as selectors
from chat_app.services import branches
from chat_app.services import chats as services
from chat_app.services.chat_settings import params_of
from chat_app.serving.errors import ServingError
from chat_app.views.rooms import find_chat, show_chat
from datasets_app.corpus.conversation import ASSISTANT, USER
from otto_web.lib.access import Role, has_role, role_required
from otto_web.lib.http import TeamRequest
from otto_web.lib.uuids import as_uuid

TOO_OLD = "Please reload the page and try it again."


def find_message(chat: Chat, message_id: UUID, *, role: str | None = None) -> Message:
    """Return a message of one's own chat; others are not there."""
    found = chat.messages.select_related(*selectors.WITH_ANSWERS, "parent")
    only = {"role": role} if role else {}
    message: Message = get_object_or_404(found, pk=message_id, **only)
    message.chat = chat
    return message


def show_branch(request: TeamRequest, chat: Chat) -> HttpResponse:
    """Show the messages of the branch that is shown now."""
    if not request.htmx:
        return redirect("chat-detail", chat.pk)
    chat.refresh_from_db(fields=["shown", "title"])
    context = {
        **selectors.chat_page(chat),
        "may_read_rows": has_role(request.user, Role.CURATOR),
    }
    return render(request, "chat/_transcript.html", context)


def _try(request: TeamRequest, chat: Chat, action: Callable[[], Any]) -> HttpResponse:
    """Do something to the chat's branches, or say why not."""
    try:
        action()
    except ServingError as error:
        return show_chat(request, chat, error=str(error))
    return show_branch(request, chat)


@role_required(Role.MEMBER)
@require_GET
@never_cache
def chat_transcript(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """Show the messages of a chat alone; a page shows them in their chat."""
    return show_branch(request, find_chat(request, chat_id))


@role_required(Role.MEMBER)
@require_POST
def answer_again(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Let the question be answered once more."""
    chat = find_chat(request, chat_id)
    answer = find_message(chat, message_id, role=ASSISTANT)
    idem = as_uuid(request.POST.get("idem"))
    if idem is None:
        return show_chat(request, chat, error=TOO_OLD)
    return _try(request, chat, lambda: branches.ask_again(answer, params_of(chat), idem=idem))


@role_required(Role.MEMBER)
@require_POST
def answer_continue(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Go on with an answer that ended too early."""
    chat = find_chat(request, chat_id)
    answer = find_message(chat, message_id, role=ASSISTANT)
    idem = as_uuid(request.POST.get("idem"))
    if idem is None:
        return show_chat(request, chat, error=TOO_OLD)
    return _try(request, chat, lambda: branches.go_on(answer, idem=idem))


@role_required(Role.MEMBER)
@require_POST
def question_edit(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Ask something else in a question's place, in a branch of its own."""
    chat = find_chat(request, chat_id)
    question = find_message(chat, message_id, role=USER)
    form = MessageForm(request.POST)
    if not form.is_valid():
        sentence = form.errors.get("text", [TOO_OLD])[0]
        return show_chat(request, chat, error=str(sentence), text=request.POST.get("text", ""))
    text, idem = form.cleaned_data["text"], form.cleaned_data["idem"]
    try:
        services.ask(chat, text, params_of(chat), idem=idem, instead_of=question)
    except ServingError as error:
        return show_chat(request, chat, error=str(error), text=text)
    return show_branch(request, chat)


@role_required(Role.MEMBER)
@require_POST
def branch_show(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Show the branch of a message that is hidden so far."""
    chat = find_chat(request, chat_id)
    message = find_message(chat, message_id)
    return _try(request, chat, lambda: branches.show_branch(chat, message))


@role_required(Role.MEMBER)
@require_GET
@never_cache
def answer_read(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Show what the model read before it wrote an answer, sign by sign."""
    chat = find_chat(request, chat_id)
    answer = find_message(chat, message_id, role=ASSISTANT)
    return render(request, "chat/answer_read.html", {"chat": chat, "answer": answer})
