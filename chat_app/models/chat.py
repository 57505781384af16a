"""Chats and their messages."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models

from chat_app.models.deployment import Deployment
from otto_web.lib.access import Role, has_role


class Kind(models.TextChoices):
    """Where the words came from."""

    PAGE = "page", "a person, on the pages"
    API = "api", "a program, which brings the whole conversation with each question"
    COMPLETION = "completion", "a program, with a text that the model goes on with"


class ChatQuerySet(models.QuerySet[Any]):
    """A chat belongs to its author alone, who may let the team read it.

    What programs asked in their name has no page.
    """

    def visible_to(self, user: User) -> ChatQuerySet:
        if not has_role(user, Role.MEMBER):
            return self.none()
        return self.filter(owner=user, kind=Kind.PAGE)

    def shared_with(self, user: User) -> ChatQuerySet:
        """Return what this person may read, and no more than read: chats shared with the team."""
        if not has_role(user, Role.MEMBER):
            return self.none()
        return self.filter(share_key__isnull=False, kind=Kind.PAGE)


class Chat(models.Model):
    """One person's conversation with a deployment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chats"
    )
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="chats")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PAGE)
    given = models.JSONField(
        default=list, blank=True, help_text="turns that a program sent before its question"
    )
    title = models.CharField(max_length=200, default="", blank=True)
    system = models.TextField(default="", blank=True)
    params = models.JSONField(default=dict, blank=True)
    is_logged = models.BooleanField(default=True)
    shown = models.ForeignKey(
        "Message",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the end of the branch that is shown; none: the newest message’s",
    )
    pinned_at = models.DateTimeField(null=True, editable=False)
    share_key = models.UUIDField(
        null=True, unique=True, editable=False, help_text="of the link by which the team reads it"
    )
    forget_at = models.DateTimeField(
        null=True, editable=False, help_text="when to look whether its words are to be forgotten"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    objects = ChatQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["forget_at"],
                name="chat_to_forget",
                condition=models.Q(forget_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)


class Message(models.Model):
    """One message of a chat; the answers' texts are checkpointed while they are written.

    Messages are a tree: an answer's siblings answer the same question, a question's siblings follow
    the same answer. One path through it is shown, and is what a model reads.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    role = models.CharField(max_length=10)
    text = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    idem = models.UUIDField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "idem"], name="message_idem_unique")]

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:40]}"
