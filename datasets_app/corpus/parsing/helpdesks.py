"""What helpdesks and chat programs wrap around their messages, put in the plain shapes of others.

Written after what Zendesk, Microsoft Graph and Zendesk Chat document of their exports.
"""

from __future__ import annotations

from typing import Any

OF_ZENDESK = -1  # the writer of what Zendesk adds to a ticket by itself
OF_THREAD = frozenset({"replies", "replyToId", "channelIdentity"})
ASKING, ANSWERING = "end-user", "agent"


def unwrapped(value: Any) -> Any:
    """Return an object in a shape whose turns are found; any other value as it is."""
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("audits"), list):
        value = _of_audits(value)
    elif isinstance(value.get("events"), list) and "ticket_id" in value:
        value = _of_audit(value)
    if isinstance(value.get("comments"), list):
        return _of_comments(value)
    if isinstance(value.get("replies"), list) and isinstance(value.get("body"), dict):
        return _of_post(value)
    if isinstance(value.get("history"), list) and value.get("type") == "chat":
        return {**value, "history": [_of_visitor(item) for item in value["history"]]}
    return value


def _comments_of(audit: Any) -> list[dict[str, Any]]:
    """Return the comments among the events of a change of a ticket."""
    events = audit.get("events") if isinstance(audit, dict) else None
    told = {"author_id": audit.get("author_id"), "created_at": audit.get("created_at")}
    return [
        {**told, **event}
        for event in (events if isinstance(events, list) else [])
        if isinstance(event, dict) and event.get("type") == "Comment"
    ]


def _of_audits(value: dict[str, Any]) -> dict[str, Any]:
    """Return the comments of a ticket whose changes stand in a list; several tickets stay."""
    audits = value["audits"]
    if len({str(audit.get("ticket_id")) for audit in audits if isinstance(audit, dict)}) > 1:
        return value
    comments = [comment for audit in audits for comment in _comments_of(audit)]
    others = {key: held for key, held in value.items() if key not in {"audits", "comments"}}
    return {**others, "comments": comments} if comments else value


def _of_audit(value: dict[str, Any]) -> dict[str, Any]:
    """Return the comment of one change of a ticket as a message of that ticket."""
    comments = _comments_of(value)
    return {**comments[0], "ticket_id": value["ticket_id"]} if comments else value


def is_other_change(value: dict[str, Any]) -> bool:
    """Say whether an object is a change of a ticket in which nobody says anything."""
    return isinstance(value.get("events"), list) and "ticket_id" in value


def _of_comments(value: dict[str, Any]) -> dict[str, Any]:
    """Return a ticket with who its writers are; who wrote first asks, where nothing says it."""
    comments = [one for one in value["comments"] if _is_of_people(one)]
    if not comments or not all(map(_is_of_zendesk, comments)):
        return value
    users = value.get("users")
    known = {
        user.get("id"): {"name": user.get("name"), "role": user.get("role")}
        for user in (users if isinstance(users, list) else [])
        if isinstance(user, dict) and user.get("role")
    }
    if known:
        others = {key: held for key, held in value.items() if key != "users"}
        named = [{**one, "author": known.get(one["author_id"])} for one in comments]
        told = [one for one in named if one["author"]]
        if len(told) == len(named):
            return {**others, "comments": told}
    if "requester_id" not in value and "requester" not in value:
        first = next((one for one in comments if one.get("public") is not False), comments[0])
        return {**value, "comments": comments, "requester_id": first["author_id"]}
    return {**value, "comments": comments}


def _is_of_people(comment: Any) -> bool:
    return not (isinstance(comment, dict) and comment.get("author_id") == OF_ZENDESK)


def _is_of_zendesk(comment: Any) -> bool:
    return isinstance(comment, dict) and "author_id" in comment and "body" in comment


def is_post(value: dict[str, Any]) -> bool:
    """Say whether an object is a message of Teams."""
    return "messageType" in value and "from" in value and isinstance(value.get("body"), dict)


def post_of(value: dict[str, Any]) -> str:
    """Return the number of the post that a message of Teams is of; "" for those of a chat."""
    if value.get("replyToId"):
        return str(value["replyToId"])
    is_of_channel = bool(value.get("channelIdentity") or value.get("replies"))
    return str(value.get("id") or "") if is_of_channel else ""


def _of_post(value: dict[str, Any]) -> dict[str, Any]:
    """Return a post of a channel with its replies as one list, the earliest first."""
    replies = [reply for reply in value["replies"] if isinstance(reply, dict)]
    replies.sort(key=lambda reply: str(reply.get("createdDateTime", "")))
    messages = [
        {key: held for key, held in one.items() if key not in OF_THREAD}
        for one in (value, *replies)
    ]
    kept = {key: value[key] for key in ("id", "subject", "createdDateTime") if value.get(key)}
    return {**kept, "messages": messages}


def _of_visitor(item: Any) -> Any:
    """Return a line of a chat of Zendesk with who its nick says that the writer is."""
    nick = item.get("nick") if isinstance(item, dict) else None
    if not isinstance(nick, str) or "sender_type" in item:
        return item
    if nick == "visitor":
        return {**item, "sender_type": ASKING}
    return {**item, "sender_type": ANSWERING} if nick.startswith("agent") else item
