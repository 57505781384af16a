"""What the exporters of chat apps write around words: notices, marks, pictures, broken letters."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from datasets_app.corpus.parsing.chat_lines import is_taken_back
from datasets_app.corpus.parsing.helpdesks import is_other_change, is_post, post_of

# What a field says of a message that nobody wrote, in the words of many apps, without marks.
_KINDS = frozenset(
    """service system systemeventmessage systemmessage chatevent event notification notice typing
    join joined leave left part quit subscribe unsubscribe call placeholder tombstone reaction
    deleted unsent revoked channeljoin channelleave channeltopic channelpurpose channelname
    channelarchive channelunarchive channelconverttoprivate channelpostingpermissions groupjoin
    groupleave groupname grouptopic grouppurpose grouparchive pinneditem unpinneditem botadd
    botremove reminderadd huddlethread joinernotification recipientadd recipientremove
    channelnamechange channeliconchange channelpinnedmessage guildmemberjoin threadcreated
    userpremiumguildsubscription chatmemberjoin chatmemberleave chatrating chatcomment
    chattriggered membersadded membersdeleted callended callstarted memberadded memberremoved
    e2enotification groupnotification protocolmessage ciphertext""".split()
)
_KIND_KEYS = ("type", "subtype", "messageType", "messagetype", "message_type", "kind", "event_type")
_SAID = ("chat.msg", "chat.message")
_OF_TEAMS = ("threadactivity/", "event/", "control/", "notice")
_GONE = (
    "redacted",
    "is_unsent",
    "isUnsent",
    "is_deleted",
    "isDeleted",
    "deleted",
    "hidden",
    "is_hidden",
)
_MEDIA = frozenset(
    """photos videos audio_files gifs sticker stickers share files attachments photo file video
    media_type voice media images image audio embeds call_duration location location_information
    poll contact_information""".split()
)
_OF_APP = re.compile(
    r"\A(?:.{1,60} (?:sent|shared) (?:an?|\d{1,3}|the|your) (?:photo|attachment|video"
    r"|link|gif|sticker|voice message|file|location|live location|post|reel|story)s?\.?"
    r"|reacted .{1,12} to (?:your|a|their) message ?|liked a message"
    r"|.{1,60} (?:missed (?:a|your) (?:video |voice )?call|joined the (?:call|video chat|chat)"
    r"|started a (?:call|video chat)|set the nickname .{0,80}|changed the .{0,80}|named the group"
    r".{0,80}|unsent a message|left the group|created the group|joined the (?:channel|group)"
    r"|has (?:joined|left) the (?:channel|group|chat|conversation))\.?"
    r"|you are now connected on messenger\.?|the (?:video|audio) (?:call|chat) ended\.?)\Z",
    re.IGNORECASE,
)
_CHANGE = frozenset({"change_type", "service_type", "app_type"})
_LINK = re.compile(r"<([@#!]?)([^<>|\n]{1,2000})(?:\|([^<>\n]{0,500}))?>")


MARKS = frozenset({*_GONE, *_KIND_KEYS, *_MEDIA, "eventDetail", "timestamp_ms", "ts", "timestamp"})
"""The keys by which an app tells more of a message than who wrote it and the words."""


def is_notice(item: Mapping[str, Any]) -> bool:
    """Say whether the app speaks here, or what was said was taken back."""
    if any(item.get(key) is True for key in _GONE):
        return True
    kinds = (item.get(key) for key in _KIND_KEYS)
    if any(isinstance(kind, str) and _is_of_app(kind) for kind in kinds):
        return True
    if _is_file_of_matrix(item):
        return True
    return item.get("eventDetail") is not None


def _is_of_app(kind: str) -> bool:
    bare = "".join(filter(str.isalnum, kind.casefold()))
    is_of_chat = kind.startswith("chat.") and kind not in _SAID  # of Zendesk
    is_of_matrix = kind.startswith("m.") and kind not in {"m.room.message", "m.sticker"}
    return bare in _KINDS or is_of_chat or is_of_matrix or kind.casefold().startswith(_OF_TEAMS)


def _is_file_of_matrix(item: Mapping[str, Any]) -> bool:
    content = item.get("content")
    kind = content.get("msgtype") if isinstance(content, dict) else None
    return isinstance(kind, str) and kind in {
        "m.image",
        "m.file",
        "m.video",
        "m.audio",
        "m.location",
    }


def says_nothing(item: Mapping[str, Any], text: object) -> bool:
    """Say whether only a picture or a file stands here, or a sentence that the app put there."""
    has_media = not _MEDIA.isdisjoint(item)
    if text is None or (isinstance(text, str) and not text.strip()):
        return has_media
    is_chat = has_media or "timestamp_ms" in item or "ts" in item or "timestamp" in item
    return isinstance(text, str) and is_chat and bool(is_taken_back(text) or _OF_APP.match(text))


def is_slack(item: object) -> bool:
    """Say whether an object is a message of Slack."""
    return isinstance(item, dict) and item.get("type") == "message" and "ts" in item


def are_of_threads(items: Iterable[Any]) -> bool:
    """Say whether messages of Slack or Teams are of threads, whose others may stand elsewhere."""
    return any(
        (is_slack(item) and item.get("thread_ts"))
        or (isinstance(item, dict) and is_post(item) and post_of(item))
        for item in items
    )


def slack_text(text: str, people: Mapping[str, str]) -> str:
    """Return the words of a message of Slack: names for its marks, and its entities as signs."""

    def shown(found: re.Match[str]) -> str:
        mark, told, label = found[1], found[2], found[3]
        if mark == "@":
            return "@" + (label or people.get(told) or "somebody")
        if mark:
            return {"#": "#", "!": "@"}[mark] + (label or told.partition("^")[0]).lstrip("#@")
        return label or told.removeprefix("mailto:").removeprefix("tel:")

    return html.unescape(_LINK.sub(shown, text))


def with_people(value: Any, people: Mapping[str, str]) -> Any:
    """Return messages of Slack with the names of the people that their export lists elsewhere."""
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        return {**value, "messages": [with_people(item, people) for item in value["messages"]]}
    if not isinstance(value, dict) or not is_slack(value):
        return value
    name, text = people.get(str(value.get("user"))), value.get("text")
    named = {"user_profile": {"name": name}} if name else {}
    shown = {"text": slack_text(text, people)} if isinstance(text, str) else {}
    return {**value, **named, **shown}


def repaired(text: str) -> str:
    """Return words whose UTF-8 bytes were written as letters, where these are valid; else as is.

    So Messenger and Instagram export whatever is no ASCII.
    """
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def is_directory(value: object) -> bool:
    """Say whether an object is a person, a channel, a file or a change of an export.

    Nobody said anything there.
    """
    if not isinstance(value, dict):
        return False
    if is_other_change(value):
        return True
    if not _CHANGE.isdisjoint(value) and {"user_id", "date"} <= value.keys():
        return True
    if "id" not in value:
        return False
    if "filetype" in value and ("url_private" in value or "permalink" in value):
        return True
    is_person = isinstance(value.get("profile"), dict) and ("name" in value or "deleted" in value)
    return is_person or (isinstance(value.get("members"), list) and "created" in value)


def people_in(value: object) -> dict[str, str]:
    """Return the names of the people that an export lists, by their numbers."""
    people: dict[str, str] = {}
    for one in value if isinstance(value, list) else []:
        if is_directory(one) and isinstance(one.get("profile"), dict):
            profile = one["profile"]
            names = (profile.get("display_name"), profile.get("real_name"), one.get("name"))
            people[str(one["id"])] = next((str(name) for name in names if name), str(one["id"]))
    return people
