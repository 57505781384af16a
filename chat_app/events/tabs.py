"""Notifications of the chat: what a person asked in one tab is shown in their others."""

from __future__ import annotations

from uuid import UUID

from otto_web.lib import live


def chats_group(person: int) -> str:
    return f"chats.{person}"


def notify_asked(person: int, chat: UUID, answer: UUID) -> None:
    """Tell the person's tabs that a question was put, after the commit."""
    live.notify(chats_group(person), "chat_asked", chat=str(chat), msg=str(answer))


def notify_branch(person: int, chat: UUID) -> None:
    """Tell the person's tabs that another branch of a chat is shown, after the commit."""
    live.notify(chats_group(person), "chat_branch", chat=str(chat))
