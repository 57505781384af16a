"""What people set and say in a chat: stop, rate, settings, the log."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from chat_app.forms.chats import SettingsForm
from chat_app.models import Generation
from chat_app.models.rating import REASONS
from chat_app.selectors import chats as selectors
from chat_app.services import chats as services
from chat_app.services.chat_settings import store_settings
from chat_app.views.branches import find_message
from chat_app.views.rooms import find_chat, show_chat
from datasets_app.corpus.conversation import ASSISTANT
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest
from otto_web.lib.work.states import UNDER_WAY


@role_required(Role.MEMBER)
@require_POST
def chat_stop(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """End the answer that is being written; its text stays."""
    chat = find_chat(request, chat_id)
    for row in Generation.objects.filter(answer__chat=chat, state__in=UNDER_WAY):
        services.request_stop(row)
    return HttpResponse(status=204) if request.htmx else redirect("chat-detail", chat.pk)


@role_required(Role.MEMBER)
@require_POST
def answer_rate(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Store a thumb, or a reason for a bad one; the same again takes it back."""
    chat = find_chat(request, chat_id)
    answer = find_message(chat, message_id, role=ASSISTANT)
    value = services.RATING_VALUES.get(request.POST.get("rating", ""))
    reason = request.POST.get("reason", "")
    if reason in REASONS:
        services.toggle_reason(answer, reason, by=request.user)
    elif value is None:
        return show_chat(request, chat, error="Rate an answer with thumb up or thumb down.")
    else:
        services.rate(answer, value, by=request.user)
    if not request.htmx:
        return redirect("chat-detail", chat.pk)
    exchange = selectors.exchange_of(answer)
    return render(request, "chat/_rating.html", {"chat": chat, "answer": exchange.answer})


@role_required(Role.MEMBER)
@require_POST
def chat_settings(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """Keep how the chat's next answers are written."""
    chat = find_chat(request, chat_id)
    form = SettingsForm(request.POST, chat=chat)
    if form.is_valid():
        store_settings(chat, form.cleaned_data["params"], system=form.cleaned_data["system"])
    if request.htmx:
        status = 422 if form.errors else 200
        context = {"chat": chat, "settings_form": form, "is_saved": form.is_valid()}
        return render(request, "chat/_chat_settings.html", context, status=status)
    if form.errors:
        return show_chat(request, chat, form=form)
    return redirect("chat-detail", chat.pk)


@role_required(Role.MEMBER)
@require_POST
def chat_logging(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """Take the chat out of the log, or let curators read its exchanges again."""
    chat = find_chat(request, chat_id)
    chat.is_logged = request.POST.get("logged") == "1"
    services.set_logged(chat, is_logged=chat.is_logged)
    if not request.htmx:
        return redirect("chat-detail", chat.pk)
    context = {"chat": chat, "deployment": chat.deployment}
    return render(request, "chat/_chat_logging.html", context)
