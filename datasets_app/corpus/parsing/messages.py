"""Rows that are one message each: what their columns, or the keys of a JSON object, are called."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from datasets_app.corpus.source import Mapping

LISTS = (
    *("messages", "conversations", "conversation", "turns", "dialogue", "dialog", "dialogs"),
    *("utterances", "chat", "history", "exchanges", "log", "chat_history", "thread"),
    *("conversation_parts", "transcript", "messagelist", "chat_messages", "comments"),
)
CONVERSATIONS = (
    *(
        "conversation_id",
        "conversation",
        "conv_id",
        "convo_id",
        "conversation_no",
        "conversationkey",
    ),
    *("dialogue_id", "dialog_id", "dialogue", "dialog", "dialogue_no", "dialog_no", "talk_id"),
    *("chat_id", "chat", "chat_no", "session_id", "session", "thread_id", "thread", "thread_ts"),
    *("ticket_id", "ticket", "ticket_no", "ticket_number", "case_id", "case_no", "case_number"),
    *("call_id", "call", "interaction_id", "room_id", "room", "issue_id", "contact_id"),
    *("gespräch", "gespraechs_id", "gesprächs_id", "konversation", "vorgang", "conversación"),
    *(
        "conversacion",
        "conversa",
        "gesprek",
        "rozmowa",
        "диалог",
        "чат",
        "会话",
        "会话id",
        "对话",
        "对话id",
    ),
)
SPEAKERS = (
    *("role", "speaker_role", "sender_role", "author_role", "sender_type", "author_type"),
    *("participant_role", "speaker_type", "user_type", "speaker", "sender", "author", "from"),
    *("participant", "speaker_name", "sender_name", "author_name", "from_name", "actor", "talker"),
    *("interlocutor", "who", "direction", "speaker_id", "sender_id", "author_id", "user_name"),
    *("username", "user", "nick", "name", "rolle", "sprecher", "absender", "hablante", "remitente"),
    *("locuteur", "auteur", "remetente", "mittente", "nadawca", "роль", "автор", "отправитель"),
    *("message_author_type", "message_author_role", "message_author_name", "message_author"),
    *("message_sender", "comment_author", "comment_author_name"),
    *("角色", "发言人", "说话人", "発言者", "화자"),
)
WORDS = (
    *("text", "message", "content", "body", "utterance", "message_text", "message_body", "msg"),
    *("msg_text", "text_content", "message_content", "sentence", "transcript", "said", "words"),
    *("comment_body", "comment_text", "comment", "plain_body", "html_body"),
    *("nachricht", "mensaje", "texto", "texte", "mensagem", "messaggio", "bericht", "wiadomość"),
    *("сообщение", "текст", "消息", "内容", "文本", "発言", "메시지"),
)
ORDERS = (
    *("turn_index", "turn_id", "turn_no", "turn_number", "turn", "message_index", "message_no"),
    *("message_number", "utterance_index", "utterance_no", "seq", "sequence", "order", "position"),
    *("index", "step", "timestamp_ms", "timestamp", "ts", "created_at", "createdat", "sent_at"),
    *("sent_time", "sent_on", "create_time", "datetime", "date_time", "date", "time", "zeitpunkt"),
    *(
        "created_date_time",
        "message_created_at",
        "message_time",
        "message_date",
        "comment_created_at",
    ),
    *("datum", "zeit", "fecha", "hora", "horodatage", "data", "дата", "время", "时间", "日時"),
)


class Keys(NamedTuple):
    """The columns of a message; None where there is none of that meaning."""

    conversation: str | None
    order: str | None
    speaker: str | None
    words: str | None

    def mapping(self, delimiter: str | None = None, begins: str | None = None) -> Mapping:
        """Return what these columns mean as a person would say it."""
        return Mapping(
            conversation=self.conversation,
            order=self.order,
            speaker=self.speaker,
            words=self.words,
            begins=begins,
            delimiter=delimiter,
        )


def squashed(name: str) -> str:
    """Return a name without case and whatever stands between its words."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


@lru_cache(1024)
def message_keys(columns: tuple[str, ...]) -> Keys:
    """Return which columns name the conversation, the order, the speaker and the words."""
    names = {squashed(name): name for name in reversed(columns)}
    left = dict(names)
    words = _take(left, _WORDS)
    talk = _take(left, _CONVERSATIONS)
    speaker = _take(left, _SPEAKERS)
    return Keys(talk, _take(left, _ORDERS), speaker, words)


def _take(left: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    found = next((name for name in wanted if name in left), None)
    return left.pop(found) if found else None


def message_mapping(columns: tuple[str, ...], delimiter: str | None = None) -> Mapping | None:
    """Return the mapping that plain names state: whose conversation, who speaks, what is said."""
    keys = message_keys(columns)
    if not (keys.conversation and keys.speaker and keys.words):
        return None
    return keys.mapping(delimiter)


def likely_messages(columns: tuple[str, ...], delimiter: str | None = None) -> Mapping | None:
    """Return a guess where somebody speaks and nothing names the conversation."""
    keys = message_keys(columns)
    if not (keys.speaker and keys.words):
        return None
    begins = "anew" if keys.order and squashed(keys.order) in _COUNTS else "whole"
    return keys.mapping(delimiter, begins)


_CONVERSATIONS, _SPEAKERS, _WORDS, _ORDERS = (
    tuple(map(squashed, names)) for names in (CONVERSATIONS, SPEAKERS, WORDS, ORDERS)
)
_COUNTS = frozenset(_ORDERS[: ORDERS.index("timestamp_ms")])
OF_TURNS = frozenset(
    """role speaker author author_id author_role author_name sender sender_id sender_type
    sender_name from speaker_id participant conversation_id conv_id thread_id thread_ts
    dialog_id dialogue_id
    chat_id session_id ticket_id case_id call_id interaction_id turn turn_id turn_index
    utterance_id in_reply_to in_response_to in_response_to_tweet_id""".split()
)
"""Beside these a text is one turn of a talk, and no text of its own."""


def is_turn_of_talk(columns: tuple[str, ...]) -> bool:
    """Say whether columns say of their texts that each is a turn, however they are written."""
    return not _OF_TURNS.isdisjoint(map(squashed, columns))


_OF_TURNS = frozenset(map(squashed, OF_TURNS))
