"""Correcting an answer in its place: a look while one writes, and saving."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST
from django_htmx.http import reswap, retarget

from chat_app.models import Message
from chat_app.selectors.corrections import looked_at
from chat_app.services.chats import cleaned_text
from chat_app.services.corrections import correct
from chat_app.serving.errors import ServingError
from chat_app.views.branches import find_message, show_branch
from chat_app.views.rooms import find_chat, show_chat
from datasets_app.corpus.conversation import ASSISTANT
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest
from otto_web.lib.uuids import as_uuid


@role_required(Role.MEMBER)
@require_POST
def answer_judge(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Show what a better answer would change and what the rules say of it; nothing is kept."""
    answer = find_message(find_chat(request, chat_id), message_id, role=ASSISTANT)
    return _look(request, answer)


def _look(request: TeamRequest, answer: Message, *, error: str = "") -> HttpResponse:
    try:
        look = looked_at(answer, cleaned_text(request.POST.get("text", "")))
    except ServingError as fault:
        look, error = None, error or str(fault)
    context = {"answer_id": answer.pk, "look": look, "error": error}
    return render(request, "chat/_correction.html", context, status=422 if error else 200)


@role_required(Role.MEMBER)
@require_POST
def answer_correct(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Keep a better answer, or say why it is none."""
    chat = find_chat(request, chat_id)
    answer = find_message(chat, message_id, role=ASSISTANT)
    text = request.POST.get("text", "")
    try:
        correct(answer, text, by=request.user, idem=as_uuid(request.POST.get("idem")))
    except ServingError as error:
        if not request.htmx:
            return show_chat(request, chat, error=str(error), text=text)
        part = _look(request, answer, error=str(error))
        return reswap(retarget(part, f"#correction-{answer.pk}"), "outerHTML")
    return show_branch(request, chat)
