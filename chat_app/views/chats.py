"""Chats: the list, one conversation, and what its author does with it."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from chat_app.forms.chats import MessageForm, NewChatForm, RenameForm
from chat_app.models import Chat, Deployment, Message
from chat_app.selectors import chats as selectors
from chat_app.services import chats as services
from chat_app.services.chat_settings import params_of
from chat_app.serving.errors import ServingError
from chat_app.views.branches import find_message
from chat_app.views.rooms import find_chat, show_chat
from datasets_app.corpus.conversation import ASSISTANT
from otto_web.lib.access import Role, has_role, role_required
from otto_web.lib.http import TeamRequest, respond


@role_required(Role.MEMBER)
@require_GET
def chat_list(request: TeamRequest) -> HttpResponse:
    """Show one's own chats, and the deployments that a new one may talk to."""
    return show_list(request, wanted=request.GET.get("deployment", ""))


def show_list(
    request: TeamRequest, *, wanted: str, error: str = "", text: str = ""
) -> HttpResponse:
    """Show the list, with what went wrong and what was typed."""
    most = request.GET.get("show", "")
    deployments = selectors.answering_deployments(request.user)
    deployments.sort(key=lambda one: one.pk != wanted)  # the first one is chosen on the page
    context = {
        "sidebar": selectors.sidebar(
            request.user,
            search=request.GET.get("q", "")[:200].replace("\0", ""),
            most=int(most) if most.isdecimal() and len(most) < 6 else selectors.CHATS_SHOWN,
        ),
        "deployments": deployments,
        "starters": selectors.starters(deployments[0]) if len(deployments) == 1 else [],
        "chat": None,
        "may_deploy": has_role(request.user, Role.TRAINER),
        "error": error,
        "text": text,
    }
    return respond(
        request,
        page="chat/chat_list.html",
        fragment="chat/_chat_sidebar.html",
        context=context,
        status=422 if error else 200,
    )


@role_required(Role.MEMBER)
@require_POST
def chat_new(request: TeamRequest) -> HttpResponse:
    """Open a chat; with a first question it is asked at once, or no chat is opened."""
    answering = Deployment.objects.visible_to(request.user).answering()
    form = NewChatForm(request.POST, answering)
    typed = {"wanted": request.POST.get("deployment", ""), "text": request.POST.get("text", "")}
    if not form.is_valid():
        sentences = [str(one) for found in form.errors.values() for one in found]
        return show_list(request, **typed, error=" ".join(sentences))
    chat = services.open_chat(form.cleaned_data["deployment"], owner=request.user)
    if text := form.cleaned_data["text"]:
        try:
            services.ask(chat, text, params_of(chat), idem=uuid4())
        except ServingError as error:
            chat.delete()
            return show_list(request, **typed, error=str(error))
    return redirect("chat-detail", chat.pk)


@role_required(Role.MEMBER)
@require_GET
@never_cache
def chat_detail(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    return show_chat(request, find_chat(request, chat_id))


@role_required(Role.MEMBER)
@require_POST
def chat_ask(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """Commit a question; the page shows it with the answer that is to come."""
    chat = find_chat(request, chat_id)
    form = MessageForm(request.POST)
    if not form.is_valid():
        sentence = form.errors.get("text", ["Please reload the page and send it again."])[0]
        return show_chat(request, chat, error=str(sentence), text=request.POST.get("text", ""))
    text, idem = form.cleaned_data["text"], form.cleaned_data["idem"]
    try:
        after = form.cleaned_data["after"]
        asked = services.ask(chat, text, params_of(chat), idem=idem, after=after)
    except ServingError as error:
        return show_chat(request, chat, error=str(error), text=text)
    if not request.htmx:
        return redirect("chat-detail", chat.pk)
    chat.title = asked.question.chat.title
    return _one_exchange(request, chat, asked.answer)


def _one_exchange(request: TeamRequest, chat: Chat, answer: Message) -> HttpResponse:
    """Show one exchange by itself; the page's heading follows the chat's title."""
    context = {
        "chat": chat,
        "exchange": selectors.exchange_of(answer),
        "has_engine": selectors.has_engine(),
        "is_alone": True,
        "may_read_rows": has_role(request.user, Role.CURATOR),
    }
    return render(request, "chat/_exchange.html", context)


@role_required(Role.MEMBER)
@require_POST
def chat_rename(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    chat = find_chat(request, chat_id)
    form = RenameForm(request.POST)
    if form.is_valid():
        services.rename(chat, form.cleaned_data["title"])
    else:
        messages.error(request, "The name stays as it was: a chat's name has 1 to 200 characters.")
    return redirect("chat-detail", chat.pk)


@role_required(Role.MEMBER)
@require_POST
def chat_delete(request: TeamRequest, chat_id: UUID) -> HttpResponse:
    """Delete one's own chat with everything in it."""
    chat: Chat = find_chat(request, chat_id)
    title = chat.title or "The empty chat"
    services.delete_chat(chat, by=request.user)
    messages.success(request, f"“{title}” is deleted, with its answers and log entries.")
    return redirect("chat-list")


@role_required(Role.MEMBER)
@require_GET
@never_cache
def exchange_detail(request: TeamRequest, chat_id: UUID, message_id: UUID) -> HttpResponse:
    """Show one answer as it stands; a page shows it in its chat."""
    chat = find_chat(request, chat_id)
    answer = find_message(chat, message_id, role=ASSISTANT)
    if not request.htmx:
        return redirect("chat-detail", chat.pk)
    return _one_exchange(request, chat, answer)
