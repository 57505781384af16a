"""Exports of Zendesk, Intercom and Teams in the shapes that their makers document."""

from __future__ import annotations

import html
import json

import pytest

from datasets_app.corpus.source import Mapping

ASKED, TOLD, THANKS = "Is the blue lamp there?", "Yes,\nten of them.", "Thanks!"
TALK = [("user", ASKED), ("assistant", TOLD), ("user", THANKS)]
BULBS = [("user", "Do you sell bulbs?"), ("assistant", "We do.")]
NAMED = Mapping(roles={"dora miller": "user", "ben park": "assistant", "max roth": "user"})
DORA, BEN = 7, 9


def comment(n, who, body, *, is_public=True, **more):
    shown = f'<div class="zd-comment"><p dir="auto">{html.escape(body)}</p></div>'
    return {
        "id": n,
        "type": "Comment",
        "author_id": who,
        "body": body,
        "html_body": shown,
        "plain_body": body,
        "public": is_public,
        "attachments": [],
        "audit_id": 90 + n,
        "via": {"channel": "email", "source": {"from": {"name": "x"}}},
        "created_at": f"2024-03-12T09:1{n}:05Z",
    } | more


COMMENTS = [
    comment(1, DORA, ASKED),
    comment(2, BEN, TOLD, attachments=[{"file_name": "lamp.png"}]),
    comment(3, BEN, "Is this one rude?", is_public=False),
    comment(4, -1, "This request was closed and merged into #2."),
    comment(5, DORA, THANKS),
]
TICKET = {
    "id": 35436,
    "subject": "Lamp",
    "description": ASKED,
    "requester_id": DORA,
    "submitter_id": DORA,
    "assignee_id": BEN,
    "status": "closed",
    "tags": ["lamp"],
    "custom_fields": [{"id": 1, "value": None}],
    "comments": COMMENTS,
}
USERS = [
    {"id": DORA, "name": "Dora", "role": "end-user"},
    {"id": BEN, "name": "Ben", "role": "agent"},
]


def audit(comment, ticket=35436):
    others = [
        {"id": 1, "type": "Change", "field_name": "status", "value": "open"},
        {"id": 2, "type": "Notification", "subject": "Got it", "body": "We received it."},
    ]
    told = {"id": comment["id"], "ticket_id": ticket, "author_id": comment["author_id"]}
    return told | {"created_at": comment["created_at"], "events": [comment, *others]}


AUDITS = [audit(one) for one in COMMENTS]
SILENT = {**AUDITS[0], "events": AUDITS[0]["events"][1:]}
COMMENTS_CSV = """Ticket ID,Comment ID,Author ID,Author name,Author role,Public,Body,Created at
35436,1,7,Dora,end-user,true,Is the blue lamp there?,2024-03-12 09:14:05
35436,3,9,Ben,agent,false,Is this one rude?,2024-03-12 09:15:00
35437,5,8,Max,end-user,true,Do you sell bulbs?,2024-03-12 09:15:05
35436,2,9,Ben,agent,true,"Yes,
ten of them.",2024-03-12 09:15:05
35436,4,7,Dora,end-user,true,Thanks!,2024-03-12 09:17:05
35437,6,9,Ben,agent,true,<p>We do.</p>,2024-03-12 09:25:05
"""


def of_chat(kind, nick, **more):
    return {"type": kind, "nick": nick, "name": nick, "timestamp": "2024-03-12T09:14:00Z"} | more


ZENDESK_CHAT = {
    "id": "2403.1",
    "type": "chat",
    "visitor": {"name": "Visitor 1"},
    "history": [
        of_chat("chat.memberjoin", "visitor"),
        of_chat("chat.msg", "visitor", msg=ASKED, name="Dora"),
        of_chat("chat.triggered", "trigger", msg="We are with you soon."),
        of_chat("chat.msg", "agent:9", msg=TOLD, name="Ben"),
        of_chat("chat.file", "agent:9", attachment={"name": "lamp.png"}),
        of_chat("chat.rating", "visitor", new_rating="good"),
        of_chat("chat.msg", "visitor", msg=THANKS, name="Dora"),
        of_chat("chat.memberleave", "agent:9"),
    ],
}


@pytest.mark.parametrize(
    "value",
    [
        TICKET,
        {"ticket": TICKET},
        {**TICKET, "requester": USERS[0]},
        {"comments": COMMENTS, "users": USERS, "next_page": None, "count": 5},
        {"comments": COMMENTS, "next_page": None, "count": 5},
        {"audits": [*AUDITS, SILENT], "count": 6},
        {key: held for key, held in TICKET.items() if key != "comments"} | {"audits": AUDITS},
        {"chats": [ZENDESK_CHAT], "count": 1},
        ZENDESK_CHAT,
    ],
)
def test_zendesk_gives_what_the_two_said(load, value):
    found = load(json.dumps(value), "zendesk.json")
    assert found.talks == [TALK]
    assert found.codes == []


def test_zendesk_in_lines_and_tables_leaves_notes_of_colleagues_out(load):
    text = "\n".join(json.dumps(TICKET | {"id": n}) for n in range(2))
    assert load(text, "tickets.json").talks == [TALK, TALK]
    assert load(COMMENTS_CSV, "comments.csv").talks == [TALK, BULBS]
    lines = "\n".join(map(json.dumps, [*AUDITS[:3], SILENT, *AUDITS[3:]]))
    roles = Mapping(roles={"7": "user", "9": "assistant", "-1": "out"})
    assert load(lines, "audits.jsonl", mapping=roles).talks == [TALK]


@pytest.mark.slow
def test_zendesk_in_xml_is_read_like_json(read_doc):
    def written(who, text, is_public):
        return (
            f'<comment><author-id type="integer">{who}</author-id><is-public type="boolean">'
            f"{is_public}</is-public><type>Comment</type><value>{text}</value></comment>"
        )

    comments = (written(DORA, ASKED, "true"), written(BEN, "Is this one rude?", "false"))
    comments += (written(BEN, TOLD, "true"), written(DORA, THANKS, "true"))
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><tickets type="array"><ticket>'
        '<nice-id type="integer">35436</nice-id><requester-id type="integer">7</requester-id>'
        f'<comments type="array">{"".join(comments)}</comments></ticket></tickets>'
    )
    assert read_doc(body.encode(), "tickets.xml").talks == [TALK]


def part(kind, body, who, **more):
    return {"type": "conversation_part", "part_type": kind, "body": body, "created_at": 1,
            "author": {"type": who, "id": "1", "name": who}, "attachments": [],
            "redacted": False} | more  # fmt: skip


PARTS = [
    part("assignment", None, "bot"),
    part("comment", '<p class="no-margin">Yes,<br>ten of them.</p>', "admin"),
    part("note", "<p>Is this one rude?</p>", "admin"),
    part("comment", '<div class="intercom-container"><img src="https://x/a.png"></div>', "user"),
    part("comment", "<p>This message was deleted</p>", "user", redacted=True),
    part("comment", "<p>Thanks!</p>", "user"),
    part("conversation_rating_changed", None, "user"),
    part("close", None, "admin"),
]
INTERCOM = {
    "type": "conversation",
    "id": "147",
    "source": {
        "type": "conversation",
        "delivered_as": "customer_initiated",
        "body": f"<p>{ASKED}</p>",
        "author": {"type": "user", "id": "7", "name": "Dora"},
        "attachments": [],
    },
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "7"}]},
    "conversation_parts": {"type": "conversation_part.list", "conversation_parts": PARTS},
}
OLDER = {key: held for key, held in INTERCOM.items() if key != "source"}
OLDER["conversation_message"] = INTERCOM["source"]
OF_PARTS = """{columns}
1,Is the blue lamp there?,conversation_message,2024-03-12 09:14:05,user,Dora,147
4,,assignment,2024-03-12 09:15:00,bot,Fin,147
2,"<p>Yes,<br>ten of them.</p>",comment,2024-03-12 09:15:05,admin,Ben,147
3,Is this one rude?,note,2024-03-12 09:16:05,admin,Ben,147
5,Thanks!,comment,2024-03-12 09:17:05,user,Dora,147
6,Do you sell bulbs?,conversation_message,2024-03-12 09:18:05,lead,Max,148
7,<p>We do.</p>,comment,2024-03-12 09:19:05,admin,Ben,148
""".format(
    columns="message_id,message_body,message_type,message_created_at,message_author_type,"
    "message_author_name,conversation_id"
)


def test_intercom_gives_what_was_said_and_no_events(load):
    assert load(json.dumps(INTERCOM), "c.json").talks == [TALK]
    assert load(json.dumps(OLDER), "c.json").talks == [TALK]
    several = {"type": "conversation.list", "conversations": [INTERCOM, INTERCOM], "pages": {}}
    assert load(json.dumps(several), "c.json").talks == [TALK, TALK]
    assert load(f"{json.dumps(INTERCOM)}\n{json.dumps(OLDER)}", "c.jsonl").talks == [TALK, TALK]
    assert load(OF_PARTS, "export.csv").talks == [TALK, BULBS]
    named = OF_PARTS.replace("message_body", "Body").replace("message_type", "Part type")
    named = named.replace("message_author_type", "Author type").replace(
        "message_created", "Created"
    )
    assert load(named, "export.csv").talks == [TALK, BULBS]


def post(n, name, content, *, kind="html", **more):
    user = {"id": "8b08", "displayName": name, "userIdentityType": "aadUser"}
    return {
        "id": str(1710234845000 + n),
        "replyToId": None,
        "messageType": "message",
        "createdDateTime": f"2024-03-12T09:{n:02}:05.123Z",
        "deletedDateTime": None,
        "chatId": "19:abc@thread.v2",
        "channelIdentity": None,
        "eventDetail": None,
        "from": {"application": None, "device": None, "user": user},
        "body": {"contentType": kind, "content": content},
        "attachments": [],
        "mentions": [],
        "reactions": [],
    } | more


def of_channel(n, name, content, reply_to=None, **more):
    where = {"teamId": "t", "channelId": "19:c"}
    to = str(1710234845000 + reply_to) if reply_to else None
    return post(n, name, content, chatId=None, channelIdentity=where, replyToId=to) | more


def test_a_chat_of_teams_keeps_words_and_signs_and_nothing_else(load):
    quote = '<attachment id="1"></attachment>'
    event = {"@odata.type": "#microsoft.graph.membersAddedEventMessageDetail"}
    messages = [
        post(1, "Dora Miller", '<div><div>Is the <b>blue</b> lamp there?</div>\n</div>'),
        post(2, "Ben Park", f"{quote}<p>Yes,</p><p>ten of them.</p>", attachments=[{"id": "1"}]),
        post(3, "Ben Park", '<p><img alt="image" src="https://graph/x" itemid="i"></p>'),
        post(4, "Ben Park", quote, attachments=[{"id": "1", "contentType": "reference"}]),
        post(5, "x", "<systemEventMessage/>", **{"from": None}, eventDetail=event),
        post(6, "Dora Miller", 'Thanks! <emoji id="smile" alt="🙂" title="Smile"></emoji>'),
        post(7, "Ben Park", "1 < 2 &amp; 3", kind="text"),
    ]  # fmt: skip
    value = {"@odata.context": "https://graph", "value": messages[::-1]}
    found = load(json.dumps(value), "chat.json", mapping=NAMED).talks
    end = [("user", "Thanks! 🙂"), ("assistant", "1 < 2 &amp; 3")]
    assert found == [[*TALK[:2], *end]]


def test_each_post_of_a_channel_with_its_replies_is_a_conversation(load):
    first = [of_channel(1, "Dora Miller", f"<p>{ASKED}</p>"),
             of_channel(3, "Dora Miller", "<p>Thanks!</p>", 1),
             of_channel(2, "Ben Park", "<p>Yes,<br>ten of them.</p>", 1)]  # fmt: skip
    second = [of_channel(5, "Max Roth", "<p>Do you sell bulbs?</p>"),
              of_channel(6, "Ben Park", "<p>We do.</p>", 5)]  # fmt: skip
    nested = [{**first[0], "replies": first[1:]}, {**second[0], "replies": second[1:]}]
    for value in (
        {"value": nested},
        {"value": [*first, *second]},
        [*second[:1], *first, second[1]],
    ):
        found = load(json.dumps(value), "channel.json", mapping=NAMED).talks
        assert sorted(found) == sorted([TALK, BULBS])


def test_an_application_answers_in_teams(load):
    bot = {"application": {"id": "b", "displayName": "Bot", "applicationIdentityType": "bot"}}
    messages = [post(1, "Dora Miller", ASKED), post(2, "", "Yes,<br>ten of them.", **{"from": bot})]
    assert load(json.dumps({"value": messages}), "chat.json").talks == [TALK[:2]]


@pytest.mark.parametrize(
    "head",
    [
        "[{clock}] {who}",
        "[Yesterday {clock}] {who}",
        "[12/03/2024 {clock}] {who}:",
        "[{clock} • 13/08/2024] {who}:",
        "{who}\n3/12/2024 {clock}",
        "{who} — 12/03/2024 {clock}",
        "{who} — Today at {clock}",
    ],
)
def test_a_chat_that_was_copied_as_text_says_who_wrote(load, head):
    said = [("Dora Miller", ASKED), ("Ben Park", TOLD), ("Dora Miller", THANKS)]
    heads = (head.format(who=who, clock=f"10:4{n} AM") for n, (who, _) in enumerate(said))
    text = "\n\n".join(f"{top}\n{words}" for top, (_, words) in zip(heads, said, strict=True))
    assert load(text, "chat.txt", mapping=NAMED).talks == [TALK]


@pytest.mark.parametrize(
    "text",
    [
        "Opening Session\n10:00 AM\nRoom 5\n\nLunch Break\n12:30 PM\nGarden\n",
        "[00:12] Okay Great\n[00:15] yes\n[00:19] Okay Great\nIt went on like that.\n",
        "Release notes\n2024-03-12 10:00\nFaster.\n",
    ],
)
def test_a_plan_with_times_is_no_chat(load, text):
    assert [turn[0] for talk in load(text, "plan.txt").talks for turn in talk] == ["text"]


def test_short_times_of_a_meeting_are_read(load):
    cues = ("0:0:0.0 --> 0:0:3.120\n<v Dora Miller>Is the blue lamp there?</v>",
            "0:0:3.120 --> 0:0:5.0\n<v Ben Park>Yes, of course it is there,\nten of them.</v>",
            "0:0:5.0 --> 0:0:6.40\n<v Dora Miller>Thanks!</v>")  # fmt: skip
    found = load("WEBVTT\n\n" + "\n\n".join(cues), "meeting.vtt", mapping=NAMED)
    assert [role for role, _ in found.talks[0]] == ["user", "assistant", "user"]
