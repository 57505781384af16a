"""What chat apps and helpdesks export, with their notices, pictures and odd letters."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.formats import json_values
from datasets_app.corpus.source import Mapping, WaitingError

ASKED, TOLD, THANKS = "Grüße! Ist die Lampe da? 💡\nDie blaue.", "Ja, zehn Stück.", "Danke!"
TALK = [("user", ASKED), ("assistant", TOLD), ("user", THANKS)]
ROLES = Mapping(roles={"dora": "user", "lamp desk": "assistant"})


def read(load, value, name="x.json", mapping=ROLES, **more):
    text = value if isinstance(value, str | bytes) else json.dumps(value, ensure_ascii=False)
    if mapping:
        with pytest.raises(WaitingError) as raised:
            load(text, name, **more)
        assert {one.name for one in raised.value.waiting.speakers} == {"Dora", "Lamp Desk"}
        assert str(raised.value.waiting.speakers[0].examples)
    return load(text, name, mapping=mapping, **more)


def telegram():
    asked = ["Grüße! Ist die ", {"type": "bold", "text": "Lampe"}, " da? 💡\nDie blaue."]
    said = [("Dora", asked), ("Lamp Desk", TOLD), ("Dora", "Danke!")]
    messages = [
        {"id": 1, "type": "service", "actor": "Dora", "action": "create_channel", "text": ""},
        *(
            {
                "id": n + 2,
                "type": "message",
                "date": f"2024-03-12T09:1{n}:05",
                "date_unixtime": str(1710234845 + n),
                "from": name,
                "from_id": f"user{name}",
                "text": text,
                "text_entities": [],
                "reactions": [{"type": "emoji", "count": 1, "emoji": "👍"}],
            }
            for n, (name, text) in enumerate(said)
        ),
        {"id": 9, "type": "message", "from": "Dora", "photo": "photos/1.jpg", "text": ""},
    ]
    return {"name": "Lamp Desk", "type": "personal_chat", "id": 4242, "messages": messages}


def test_telegram_gives_one_chat_or_all_of_them(load):
    assert read(load, telegram()).talks == [TALK]
    everything = {
        "about": "Here is the data you requested.",
        "personal_information": {"first_name": "Dora", "phone_number": "+1"},
        "contacts": {"about": "x", "list": [{"first_name": "Max", "phone_number": "+2"}]},
        "chats": {"about": "Chats.", "list": [telegram(), {**telegram(), "id": 7}]},
    }
    assert read(load, everything).talks == [TALK, TALK]


def messenger(text):
    return text.encode().decode("latin-1")


def test_messenger_stands_newest_first_in_broken_letters(load):
    said = [("Dora", ASKED), ("Lamp Desk", TOLD), ("Dora", THANKS)]
    messages = [
        {
            "sender_name": messenger(name),
            "timestamp_ms": 1710234845000 + n,
            "content": messenger(text),
            "reactions": [{"reaction": messenger("❤"), "actor": "Lamp Desk"}],
            "is_geoblocked_for_viewer": False,
        }
        for n, (name, text) in enumerate(said)
    ]
    app = {"sender_name": "Dora", "timestamp_ms": 1710234844000}
    messages += [
        {**app, "photos": [{"uri": "x.jpg"}]},
        {**app, "content": "Dora sent a photo.", "photos": [{"uri": "x.jpg"}]},
        {**app, "content": messenger("Reacted ❤ to your message ")},
        {**app, "content": "Dora missed a video call.", "call_duration": 0},
        {**app, "content": "I regret this.", "is_unsent": True},
    ]
    messages.sort(key=lambda item: -item["timestamp_ms"])
    value = {"participants": [{"name": "Dora"}, {"name": "Lamp Desk"}], "messages": messages}
    text = json.dumps({**value, "title": "Lamp Desk", "thread_path": "inbox/1"})
    assert "\\u00c3" in text
    assert read(load, text).talks == [TALK]
    newer = [
        {
            "senderName": name,
            "text": text,
            "timestamp": 1710234845000 + n,
            "type": "text",
            "media": [],
        }
        for n, (name, text) in enumerate(said)
    ]
    newer.append({**newer[0], "text": "", "type": "media", "media": [{"uri": "x"}]})
    newer.append({**newer[0], "text": "Dora started a call", "type": "placeholder"})
    assert read(load, {"threadName": "Lamp Desk", "messages": newer}).talks == [TALK]


def test_only_proved_broken_letters_are_mended(load):
    said = [("Dora", "Größe Ã 3?"), ("Lamp Desk", "Ja.")]
    messages = [{"sender_name": n, "timestamp_ms": 1, "content": text} for n, text in said]
    assert read(load, {"messages": messages}).talks[0][0] == ("user", "Größe Ã 3?")


def discord():
    def one(n, name, content, kind="Default", **more):
        author = {"id": str(n), "name": name.lower(), "nickname": name, "isBot": False, **more}
        stamp = f"2024-03-12T09:1{n}:05.12+01:00"
        lists = {"attachments": [], "embeds": [], "stickers": [], "reactions": [], "mentions": []}
        return {
            "id": n,
            "type": kind,
            "timestamp": stamp,
            "content": content,
            "author": author,
            **lists,
        }

    messages = [
        one(0, "Dora", "Joined the server.", "GuildMemberJoin"),
        one(1, "Dora", ASKED),
        one(2, "Lamp Desk", TOLD, "Reply"),
        one(3, "Lamp Desk", "Pinned a message.", "ChannelPinnedMessage"),
        one(4, "Dora", ""),
        one(5, "Dora", THANKS),
    ]
    return {"guild": {"id": "1", "name": "Lamps"}, "channel": {"id": "2"}, "messages": messages}


def test_discord_leaves_out_who_joined_and_pinned(load):
    assert read(load, discord()).talks == [TALK]
    value = discord()
    for message in value["messages"]:
        message["author"]["isBot"] = message["author"]["nickname"] == "Lamp Desk"
    assert read(load, value, mapping=None).talks == [TALK]


def test_teams_of_graph_and_of_its_own_export(load):
    def one(n, name, text, **more):
        body = {"contentType": "html", "content": "<div>" + text.replace("\n", "<br>") + "</div>"}
        writer = {"application": None, "user": {"id": "8:x", "displayName": name}}
        stamp = f"2024-03-12T09:1{n}:05Z"
        return {
            "messageType": "message",
            "createdDateTime": stamp,
            "from": writer,
            "body": body,
        } | more

    event = one(0, "Dora", "<systemEventMessage/>", messageType="systemEventMessage")
    event |= {"from": None, "eventDetail": {"members": []}}
    messages = [one(3, "Dora", THANKS), one(2, "Lamp Desk", TOLD), one(1, "Dora", ASKED), event]
    assert read(load, {"@odata.context": "x", "value": messages}).talks == [TALK]
    said = [("Dora", ASKED.replace("\n", "<br/>")), ("Lamp Desk", TOLD), ("Dora", THANKS)]
    own = [
        {
            "id": str(n),
            "displayName": name,
            "originalarrivaltime": f"2024-03-12T09:1{n}:05Z",
            "messagetype": "RichText/Html",
            "content": f"<p>{text}</p>",
            "from": name,
        }
        for n, (name, text) in enumerate(said)
    ]
    own.append({**own[0], "messagetype": "ThreadActivity/AddMember", "content": "<addmember/>"})
    value = {"userId": "8:x", "conversations": [{"id": "19:x", "MessageList": own}]}
    assert read(load, value).talks == [TALK]


def slack(n, user, text, **more):
    profile = {"real_name": {"U1": "Dora", "U2": "Lamp Desk"}[user], "display_name": ""}
    stamp = f"17102348{n:02}.000200"
    return {
        "type": "message",
        "user": user,
        "text": text,
        "ts": stamp,
        "user_profile": profile,
    } | more


def test_slack_gives_a_conversation_for_each_thread(load):
    marked = ASKED.replace("Lampe", "<https://lamps.example|Lampe>")
    root = {"thread_ts": "1710234801.000200"}
    messages = [
        slack(0, "U1", "<@U1> has joined the channel", subtype="channel_join"),
        slack(1, "U1", marked, **root, reply_count=2, reactions=[{"name": "+1", "count": 1}]),
        slack(2, "U2", "Morning all &amp; <!here>"),
        slack(3, "U2", TOLD, **root),
        slack(4, "U1", "Hi <@U2|desk>"),
        slack(5, "U1", THANKS, **root),
        slack(6, "U1", "This message was deleted.", subtype="tombstone", hidden=True),
        slack(7, "U1", "", files=[{"id": "F1"}], upload=True),
    ]
    loose = [("assistant", "Morning all & @here"), ("user", "Hi @desk")]
    assert read(load, messages).talks == [TALK, loose]
    assert read(load, [slack(1, "U1", marked), slack(3, "U2", TOLD)]).talks == [TALK[:2]]


def test_people_and_channels_of_an_export_hold_nothing_to_load(load):
    users = [{"id": "U1", "name": "dora", "deleted": False, "profile": {"real_name": "Dora"}}]
    channels = [
        {"id": "C1", "name": "help", "created": 1, "members": ["U1"], "topic": {"value": "x"}}
    ]
    for value in (users, channels):
        found = load(json.dumps(value), "users.json")
        assert (found.records, found.codes, found.tally.verdict()[0]) == ([], [], "skipped")


def test_intercom_and_zendesk_know_who_asks(load):
    def part(kind, body, who):
        return {"part_type": kind, "body": body, "author": {"type": who, "name": who.title()}}

    parts = [
        part("comment", f"<p>{TOLD}</p>", "admin"),
        part("note", "<p>Be quick.</p>", "admin"),
        part("assignment", None, "bot"),
        part("comment", f"<p>{THANKS}</p>", "user"),
        part("close", None, "admin"),
    ]
    source = {"type": "conversation", "author": {"type": "user", "name": "Dora"}}
    source["body"] = "<p>" + ASKED.replace("\n", "<br>") + "</p>"
    value = {"type": "conversation", "id": "1", "source": source}
    value["conversation_parts"] = {"type": "conversation_part.list", "conversation_parts": parts}
    assert read(load, value, mapping=None).talks == [TALK]
    comments = [
        {"id": n, "type": "Comment", "author_id": who, "body": text, "public": public}
        for n, (who, text, public) in enumerate(
            [(7, ASKED, True), (9, TOLD, True), (9, "Is this one rude?", False), (7, THANKS, True)]
        )
    ]
    ticket = {"id": 35436, "subject": "Lampe", "description": ASKED, "requester_id": 7}
    ticket |= {"status": "closed", "comments": comments}
    assert read(load, {"tickets": [ticket, ticket]}, mapping=None).talks == [TALK, TALK]
    history = [
        {"type": "chat.memberjoin", "name": "Visitor 1", "timestamp": "2024-03-12T09:14:00Z"},
        {"type": "chat.msg", "name": "Visitor 1", "sender_type": "Visitor", "msg": ASKED},
        {"type": "chat.msg", "name": "Ben", "sender_type": "Agent", "msg": TOLD},
        {"type": "chat.msg", "name": "Visitor 1", "sender_type": "Visitor", "msg": THANKS},
        {"type": "chat.memberleave", "name": "Ben", "timestamp": "2024-03-12T09:20:00Z"},
    ]
    chat = {"type": "chat", "visitor": {"name": "Visitor 1"}, "history": history}
    assert read(load, {"chats": [chat]}, mapping=None).talks == [TALK]


def test_chatgpt_gives_the_branch_that_was_shown(load):
    def node(name, parent, role, parts, **more):
        content = {"content_type": "text", "parts": parts}
        message = {"author": {"role": role}, "content": content, "recipient": "all", **more}
        return {"id": name, "parent": parent, "children": [], "message": message}

    nodes = [
        {"id": "root", "parent": None, "children": ["s"], "message": None},
        node("s", "root", "system", [""]),
        node(
            "h", "s", "system", ["Secret."], metadata={"is_visually_hidden_from_conversation": True}
        ),
        node("a", "h", "user", [{"content_type": "image_asset_pointer"}, ASKED]),
        node("try", "a", "assistant", ["Nein."]),
        node("call", "a", "assistant", ["search('lamp')"], recipient="browser"),
        node("tool", "call", "tool", ["results"]),
        node("b", "tool", "assistant", [TOLD]),
        node("c", "b", "user", [THANKS]),
    ]
    talk = {"title": "Lampe", "create_time": 1.5, "mapping": {one["id"]: one for one in nodes}}
    found = read(load, [{**talk, "current_node": "c"}] * 2, mapping=None)
    assert found.talks == [TALK, TALK]
    assert "Secret" not in str(found.records)


IRC = [
    """[09:14] <Dora> Grüße! Ist die Lampe da?
=== milo [~m@x.example] has joined #lamps
[09:15] <Lamp_Desk> Ja, zehn Stück.
[09:15] * Dora waves
[09:16] <Dora> Danke!""",
    """--- Log opened Tue Mar 12 09:14:00 2024
09:14 < Dora> Grüße! Ist die Lampe da?
09:14 -!- milo [~m@x] has joined #lamps
09:15 <@Lamp_Desk> Ja, zehn Stück.
09:16 < Dora> Danke!
--- Day changed Wed Mar 13 2024""",
    """2024-03-12 09:14:05\tDora\tGrüße! Ist die Lampe da?
2024-03-12 09:14:06\t-->\tmilo has joined
2024-03-12 09:15:05\t@Lamp_Desk\tJa, zehn Stück.
2024-03-12 09:16:05\tDora\tDanke!""",
    """**** BEGIN LOGGING AT Tue Mar 12 09:14:00 2024
Mar 12 09:14:05 <Dora>\tGrüße! Ist die Lampe da?
Mar 12 09:15:05 <Lamp_Desk>\tJa, zehn Stück.
Mar 12 09:16:05 <Dora>\tDanke!""",
    """[09:14:01] <Dora> Grüße! Ist die Lampe da?
[09:14:05] *** Joins: milo (~m@x.example)
[09:15:01] <Lamp_Desk> Ja, zehn Stück.
[09:16:01] <Dora> Danke!""",
]


@pytest.mark.parametrize("text", IRC)
def test_logs_of_irc_say_who_speaks_and_leave_the_server_out(load, text):
    chosen = Mapping(roles={"dora": "user", "lamp_desk": "assistant"})
    with pytest.raises(WaitingError):
        load(text, "lamps.log")
    talk = [
        ("user", "Grüße! Ist die Lampe da?"),
        ("assistant", "Ja, zehn Stück."),
        ("user", "Danke!"),
    ]
    assert load(text, "lamps.log", mapping=chosen).talks == [talk]


def test_a_chat_too_long_to_be_seen_whole_is_divided_and_not_lost(load, monkeypatch):
    monkeypatch.setattr(json_values, "SMALL", 2_000)
    said = [(("Dora", "Lamp Desk")[n % 2], f"Line {n} of the chat.") for n in range(60)]
    messages = [{"type": "message", "from": who, "text": text} for who, text in said]
    found = load(json.dumps(messages), "x.json", mapping=ROLES)
    assert [text for talk in found.talks for _, text in talk] == [text for _, text in said]
    assert found.codes == []


def cues(head, arrow, sign, *words):
    times = (f"00:00:0{n}{sign}000{arrow}00:00:0{n + 1}{sign}000" for n in range(len(words)))
    return head + "\n\n".join(f"{time}\n{told}" for time, told in zip(times, words, strict=True))


@pytest.mark.parametrize(
    ("head", "arrow", "sign", "dora", "desk"),
    [
        ("WEBVTT\n\n", " --> ", ".", "<v Dora>{}</v>", "<v Lamp Desk>{}"),
        ("WEBVTT\n\n", " --> ", ".", "Dora: {}", "Lamp Desk: {}"),
        ("1\n", " --> ", ",", "DORA: {}", "LAMP DESK: {}"),
        ("", ",", ".", ">> DORA: {}", ">> LAMP DESK: {}"),
    ],
)
def test_subtitles_say_who_speaks(load, head, arrow, sign, dora, desk):
    said = ("Is the blue lamp here?", "Yes, ten of them are.", "Thank you very much!")
    told = [form.format(words) for form, words in zip((dora, desk, dora), said, strict=True)]
    found = load(cues(head, arrow, sign, *told), "x.vtt", mapping=ROLES)
    assert found.talks == [[(role, words) for (role, _), words in zip(TALK, said, strict=True)]]
