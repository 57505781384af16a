"""People send several messages for one turn: they are one turn, whatever app exported them."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.source import Mapping
from tests.datasets_app.corpus.formats.test_page_chats import message, telegram

SENT = [
    ("Dora", "Hi!"),
    ("Dora", "Is the lamp back?\nThe blue one."),
    ("Desk", "Yes,"),
    ("Desk", "ten of them."),
    ("Dora", "Thanks"),
]
TURNS = [
    ("user", "Hi!\nIs the lamp back?\nThe blue one."),
    ("assistant", "Yes,\nten of them."),
    ("user", "Thanks"),
]
NAMED = Mapping(roles={"dora": "user", "desk": "assistant"})


def whatsapp():
    lines = (f"12/03/24, 09:1{n} - {who}: {text}" for n, (who, text) in enumerate(SENT))
    return "\n".join(lines)


def signal():
    lines = (f"[2024-03-12 09:1{n}:00] {who}: {text}" for n, (who, text) in enumerate(SENT))
    return "\n".join(lines)


def telegram_json():
    said = [{"type": "message", "id": n, "from": who, "text": text, "date": f"2024-03-12T09:1{n}"}
            for n, (who, text) in enumerate(SENT)]  # fmt: skip
    return json.dumps({"name": "Desk", "type": "personal_chat", "messages": said})


def telegram_page():
    parts, before = [], ""
    for who, text in SENT:
        parts.append(message("" if who == before else who, text.replace("\n", "<br>")))
        before = who
    return telegram(*parts)


def messenger():
    said = [{"sender_name": who, "timestamp_ms": 1710234845000 + n, "content": text}
            for n, (who, text) in enumerate(SENT)]  # fmt: skip
    return json.dumps({"participants": [], "messages": said[::-1]})


def discord(*, is_bot=False):
    said = [
        {
            "id": str(n),
            "type": "Default",
            "timestamp": f"2024-03-12T09:1{n}:05+00:00",
            "content": text,
            "author": {"id": who, "name": who, "isBot": is_bot and who == "Desk"},
        }
        for n, (who, text) in enumerate(SENT)
    ]
    return json.dumps({"guild": {"id": "1"}, "messages": said})


def slack():
    said = [{"type": "message", "ts": f"171023484{n}.1", "text": text, "user": who,
             "user_profile": {"real_name": who}} for n, (who, text) in enumerate(SENT)]  # fmt: skip
    return json.dumps(said)


def intercom():
    kinds = {"Dora": "user", "Desk": "admin"}
    parts = [
        {"part_type": "comment", "body": text, "author": {"type": kinds[who], "name": who}}
        for who, text in SENT
    ]
    return json.dumps({"conversation_parts": {"conversation_parts": parts}})


def zendesk():
    said = [{"id": n, "author_id": {"Dora": 7, "Desk": 9}[who], "body": text, "public": True}
            for n, (who, text) in enumerate(SENT)]  # fmt: skip
    return json.dumps({"id": 1, "requester_id": 7, "comments": said})


def rows():
    roles = {"Dora": "customer", "Desk": "agent"}
    said = [{"ticket_id": 7, "sender": roles[who], "text": text, "sent_at": f"2024-03-12 09:1{n}"}
            for n, (who, text) in enumerate(SENT)]  # fmt: skip
    return "\n".join(map(json.dumps, said))


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        (whatsapp(), NAMED),
        (signal(), NAMED),
        (telegram_json(), NAMED),
        (messenger(), NAMED),
        (discord(), NAMED),
        (slack(), NAMED),
        (discord(is_bot=True), None),
        (intercom(), None),
        (zendesk(), None),
        (rows(), None),
    ],
)
def test_messages_in_a_row_are_one_turn(load, text, mapping):
    assert load(text, "export", mapping=mapping).talks == [TURNS]


@pytest.mark.slow
def test_messages_in_a_row_on_a_page_are_one_turn(read_doc):
    assert read_doc(telegram_page().encode(), "messages.html", mapping=NAMED).talks == [TURNS]


def test_turns_that_somebody_arranged_stay_apart(load):
    said = [("user", "A?"), ("assistant", "One moment."), ("assistant", "B."), ("user", "C?")]
    said += [("assistant", "D.")]
    value = [{"role": role, "content": text} for role, text in said]
    value[1]["weight"] = 0
    assert load(json.dumps({"messages": value}), "x.json").talks == [said]
