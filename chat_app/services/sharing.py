"""Who sees a chat, and where it stands in the list."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from chat_app.models import Chat
from otto_web.lib import audit


@transaction.atomic
def set_pinned(chat: Chat, *, is_pinned: bool) -> None:
    """Let a chat stand above its owner's others, the newest pin first."""
    Chat.objects.filter(pk=chat.pk).update(pinned_at=timezone.now() if is_pinned else None)


@transaction.atomic
def set_shared(chat: Chat, *, is_shared: bool, by: User) -> None:
    """Give the chat a link by which the team reads it, or take that link back for good."""
    rows = Chat.objects.filter(pk=chat.pk, share_key__isnull=is_shared)
    if rows.update(share_key=uuid4() if is_shared else None):
        audit.record(by, "share" if is_shared else "share no more", chat)
