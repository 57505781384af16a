"""Who says what in a list of JSON objects, whatever its exporter calls the fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.parsing.exports import (
    MARKS,
    is_notice,
    is_slack,
    repaired,
    says_nothing,
    slack_text,
)
from datasets_app.corpus.parsing.markup import bare_text, without_tags
from datasets_app.corpus.parsing.tables import plain
from datasets_app.corpus.roles import KNOWN, role_of

SPEAKERS = (
    *("role", "from", "speaker", "speaker_role", "author", "sender", "sender_type", "sender_name"),
    *("author_name", "from_name", "sendername", "authorname", "fromname", "imdisplayname"),
    *("participant", "user_profile", "bot_profile", "name", "username", "user", "agent", "who"),
    *("speaker_id", "talker", "interlocutor", "actor", "nick", "author_id", "sender_id"),
)
WORDS = (
    *("content", "value", "text", "utterance", "message", "body", "msg", "sentence", "said"),
    *("plain_body", "html_body"),
)
TIMES = (
    *("timestamp_ms", "timestamp", "ts", "date_unixtime", "created_at", "createdat", "sent_at"),
    *("create_time", "createddatetime", "originalarrivaltime", "datetime", "date", "time"),
)
NAMES = (
    *("nickname", "display_name", "displayname", "global_name", "real_name", "full_name"),
    *("name", "username", "login", "first_name", "title", "id"),
)
KINDS = ("role", "type", "kind", "user_type", "sender_type", "author_type", "participant_role")
BOTS = ("isbot", "is_bot", "bot")
PUBLIC = ("public", "is_public")
INTERNAL = ("internal", "private", "is_private", "is_internal", "is_note")
NOTE_KINDS = ("part_type", "message_type", "comment_type", "visibility", "type", "kind")
NOTES = frozenset({"note", "internal_note", "private_note", "whisper", "internal"})
MAIL = re.compile(r"<?\b([\w.+'-]{1,64})@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}>?")
BODIES = ("content", "text", "body", "plain", "plaintext")
_QUOTED_ABOVE = re.compile(r"\A(?:> [^\n]*\n)+\n")  # as Matrix writes what is answered
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d")


MARKS_OF_NOTES = frozenset({*INTERNAL, *NOTE_KINDS, *PUBLIC})
YES, NO = (
    (True, "true", "True", "TRUE", "yes", "Yes"),
    (False, "false", "False", "FALSE", "no", "No"),
)
ONLY_FILES = "pictures, files and what the app says of them were left out"
NO_WORDS = "a message without words, as a result of a tool or a picture, was left out"
MARKED = MARKS | {*INTERNAL, *NOTE_KINDS, *PUBLIC, "tool_calls"}


class ShapeError(CorpusError):
    """A record of a known shape that lacks something; `code` is a reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Said:
    """Words and who says them: a name as the file has it, and the role it states beside it.

    Nobody is named by "". It `is_arranged` where nothing but role and words is told: somebody
    has made turns of it. Any other message may be one of several that were sent for one turn.
    """

    speaker: str
    text: str
    role: str = ""
    is_learnt: bool = True
    is_arranged: bool = False


def first_key(names: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    """Return the key that the first of the wanted names stands for."""
    return next((names[name] for name in wanted if name in names), None)


@lru_cache(1024)
def keys_of(keys: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return which of an object's keys name the speaker and the words."""
    names = {plain(key): key for key in keys}
    words = first_key(names, WORDS)
    left = {name: key for name, key in names.items() if key != words}
    return first_key(left, SPEAKERS), words


@lru_cache(1024)
def _is_arranged(keys: tuple[str, ...]) -> bool:
    """Say whether an object with these keys is a turn of who speaks, the words and a weight."""
    return len({plain(key) for key in keys} - {"weight"}) <= len(("speaker", "words"))


@lru_cache(1024)
def is_unmarked(keys: tuple[str, ...]) -> bool:
    """Say whether an object with these keys tells nothing but who spoke, and the words."""
    return MARKED.isdisjoint(keys)


def said_in(items: list[Any], notes: list[str]) -> list[Said]:
    """Return what is said in a list of objects, the earliest first.

    Raises ShapeError where an element is no object or lacks a speaker that others have.
    """
    found: list[Said] = []
    keys = [keys_of(tuple(item)) if isinstance(item, dict) else (None, None) for item in items]
    is_named = any(speaker for speaker, _ in keys)
    for number, (item, (speaker, words)) in enumerate(zip(items, keys, strict=True), 1):
        if not isinstance(item, dict):
            raise ShapeError("not_text", f"Turn {number} is no object.")
        is_plain = words is not None and isinstance(item[words], str) and is_unmarked(tuple(item))
        left_out = "" if is_plain else _left_out(item, words, number)
        if left_out:
            notes.append(left_out)
        elif words is None or (is_named and speaker is None):
            raise ShapeError("missing_role", f"Turn {number} has no speaker or no text.")
        else:
            name, role = ("", "") if speaker is None else speaker_in(item[speaker])
            if not is_plain and not _holds_words(item[words]):
                notes.append(NO_WORDS)
                continue
            said = text_of(item[words], notes, f"the text of turn {number}")
            name, said = (name, said) if is_plain else _as_shown(item, name, said)
            is_learnt = item.get("weight") != 0 or item["weight"] is False
            told = without_tags(said, notes)
            if (
                not is_plain
                and not told.strip()
                and (said.strip() or isinstance(item[words], dict))
            ):
                notes.append(ONLY_FILES)  # a picture between tags
                continue
            found.append(Said(name, told, role, is_learnt, _is_arranged(tuple(item))))
    if found and _runs_backwards(items):
        notes.append("the newest turn stood first")
        found.reverse()
    return found


def _holds_words(told: Any) -> bool:
    """Say whether an object or a list holds text; results of tools and pictures hold none."""
    if isinstance(told, dict):
        return any(isinstance(told.get(key), str) for key in BODIES) or "parts" in told
    if isinstance(told, list) and told and all(isinstance(part, dict) for part in told):
        return any(part_text(part) is not None for part in told)
    return True


def part_text(part: dict[str, Any]) -> str | None:
    """Return the words of a part of a message; None for one that is a picture or the like."""
    told = part.get("text")
    if isinstance(told, dict):  # with annotations beside it
        told = told.get("value", told.get("text"))
    return told if isinstance(told, str) else None


def _left_out(item: dict[str, Any], words: str | None, number: int) -> str:
    """Return why nothing of an object is said, as a note; "" where something is."""
    told = item[words] if words else None
    if "tool_calls" in item and told is None:
        return "a call of a tool was left out"
    if is_notice(item):
        return "notices of the app were left out"
    if says_nothing(item, told):
        return ONLY_FILES
    if words is not None and is_internal(item):
        return "an internal note was left out"
    if words is not None and told is None:
        return f"turn {number} held no text and was left out"
    return ""


def _as_shown(item: dict[str, Any], name: str, text: str) -> tuple[str, str]:
    """Return a name and words as the app shows them, where its export writes them otherwise."""
    if is_slack(item):
        return name, slack_text(text, {})
    if "sender_name" in item and "timestamp_ms" in item:
        return repaired(name), repaired(text)
    content = item.get("content")
    if isinstance(content, dict) and "msgtype" in content:
        return name.removeprefix("@").partition(":")[0], _QUOTED_ABOVE.sub("", text, count=1)
    return name, text


def speaker_in(value: Any) -> tuple[str, str]:
    """Return the name that a speaker's field holds, and the role it states, if any.

    Mail addresses are no names: of them only what stands before the sign is kept.
    """
    if isinstance(value, dict):
        names = {plain(key): value[key] for key in value}
        if any(names.get(key) is True for key in BOTS) or "applicationidentitytype" in names:
            role = "assistant"
        else:
            kinds = (role_of(str(names.get(key, ""))) for key in KINDS)
            role = next((kind for kind in kinds if kind in KNOWN), "")
        found = (names.get(key) for key in NAMES)
        name = next((str(one) for one in found if isinstance(one, str | int) and str(one)), "")
        inner = next((one for one in value.values() if isinstance(one, dict)), None)
        if not name and inner is not None:
            return speaker_in(inner)
        return without_mail(name), role
    return without_mail("" if value is None else str(value)), ""


@lru_cache(1024)
def without_mail(name: str) -> str:
    """Return a name without its mail address, or of a bare address what stands before the sign."""
    bare = MAIL.sub("", name).strip(" \"'")
    found = MAIL.search(name)
    return bare or (found[1] if found else name.strip())


def is_internal(item: Mapping[str, Any]) -> bool:
    """Say whether a message was meant for colleagues only."""
    if any(item.get(key) in YES for key in INTERNAL) or any(item.get(key) in NO for key in PUBLIC):
        return True
    kinds = (item.get(key) for key in NOTE_KINDS)
    return any(isinstance(kind, str) and plain(kind) in NOTES for kind in kinds)


@lru_cache(1024)
def _time_key(keys: tuple[str, ...]) -> str | None:
    return first_key({plain(key): key for key in keys}, TIMES)


def _runs_backwards(items: list[Any]) -> bool:
    """Say whether every turn is older than the one before it."""
    key = _time_key(tuple(items[0]))
    times = [item.get(key) for item in items] if key else []
    if len(times) < 2 or not (
        all(isinstance(time, int | float) and not isinstance(time, bool) for time in times)
        or all(isinstance(time, str) and ISO_TIME.match(time) for time in times)
    ):
        return False
    return times[0] > times[-1] and times == sorted(times, reverse=True)


def text_of(value: Any, notes: list[str], what: str) -> str:
    """Return a field as text; numbers and truth values become text with a note."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        notes.append(f"{what} was {'a truth value' if isinstance(value, bool) else 'a number'}")
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, dict):
        held = next((value[key] for key in BODIES if isinstance(value.get(key), str)), None)
        if held is not None:
            is_html = str(value.get("contentType", "")).casefold() == "html"
            return bare_text(held) if is_html else held
        if isinstance(value.get("parts"), list):
            value = value["parts"]
    if isinstance(value, list) and value and all(isinstance(part, dict | str) for part in value):
        return _content_parts(value, notes, what)
    kind = {type(None): "empty", list: "a list", dict: "an object"}[type(value)]
    raise ShapeError("not_text", f"{what[0].upper()}{what[1:]} is {kind}.")


def _content_parts(parts: list[Any], notes: list[str], what: str) -> str:
    """Join the text parts of a message; pictures and sounds are left out with a note."""
    told = [part if isinstance(part, str) else part_text(part) for part in parts]
    texts = [text for text in told if isinstance(text, str)]
    if len(texts) < len(parts):
        notes.append(f"{what} had {len(parts) - len(texts)} parts that are not text")
    if not texts:
        raise ShapeError("not_text", f"{what[0].upper()}{what[1:]} holds no text.")
    whole = all(
        isinstance(part, str) or part.get("type") in {"link", "text_link"} for part in parts
    )
    if all(isinstance(part, str) for part in parts):
        are_apart = not any(text[-1:].isspace() for text in texts[:-1])  # pieces, and not one text
        return ("\n" if are_apart else "").join(texts)
    joint = "" if whole or any(isinstance(part, str) for part in parts) else "\n"
    return joint.join(texts)
