"""Talks and pairs as makers of telephones, helpdesks, bots and models write them."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.source import WaitingError

HELLO, ASKED, TOLD = "Thank you for calling Ink & Co.", "Is the pen refillable?", "Yes, it is."
CALL = [("assistant", HELLO), ("user", ASKED), ("assistant", TOLD)]
PAIR = [("user", ASKED), ("assistant", TOLD)]


def of(texts, **more):
    """Return messages with these texts; of each further key they take one value each."""
    return [
        {"text": text, **{key: values[n] for key, values in more.items()}}
        for n, text in enumerate(texts)
    ]


def read(load, value):
    return load(json.dumps(value, ensure_ascii=False), "x.json").talks


def three(**more):
    return of((HELLO, ASKED, TOLD), **more)


PARTICIPANTS = [
    {"ParticipantId": "p1", "Role": "AGENT"},
    {"ParticipantId": "p2", "Role": "CUSTOMER"},
]
CALLS = [
    {"Participants": PARTICIPANTS, "Lines": three(ParticipantId=("p1", "p2", "p1"))},
    {
        "users": [{"id": 1, "type": "agent"}, {"id": 2, "type": "lead"}],
        "calls": [{"n": 1, "parts": three(by=(1, 2, 1))}],
    },
    {"lines": three(participantPurpose=("internal", "external", "internal"))},
    {
        "job": "j",
        "results": {"full": [{"text": HELLO}], "parts": three(spk_label=("s0", "s1", "s0"))}
        | {"parts": three(speaker_label=("s0", "s1", "s0"))},
    },
    {
        "parties": [{"speakerId": 1, "side": "Internal"}, {"speakerId": 2, "side": "External"}],
        "transcript": [
            {"speakerId": who, "sentences": [{"text": text}]}
            for who, text in ((1, HELLO), (2, ASKED), (1, TOLD))
        ],
    },
    {
        "replies": [
            {"author": {"role": role}, "comment": text}
            for role, text in (("agent", HELLO), ("customer", ASKED), ("agent", TOLD))
        ]
    },
    {"results": three(is_inbound=(False, True, False))},
    {"results": three(fromCustomer=("false", "true", "false"))},
    {"events": [{"event": "session", "name": "x"}, *three(event=("bot", "user", "bot"))]},
    {
        "posts": three(
            creator=(
                {"name": "Desk", "user_type": "Bot"},
                {"name": "Dora"},
                {"name": "Desk", "user_type": "Bot"},
            )
        )
    },
    {"items": [{"note": one} for one in three(incoming=(False, True, False))]},
    {"items": three(who_wrote=("agent", "customer", "agent"))},
    {"messages": three(author=({"type": "user"}, {"type": "contact"}, {"type": "user"}))},
]


@pytest.mark.parametrize("value", CALLS, ids="-".join)
@pytest.mark.parametrize("is_listed", [False, True])
def test_who_speaks_is_told_by_a_way_a_list_of_people_or_words_for_roles(load, value, is_listed):
    assert read(load, [value, value] if is_listed else value) == [CALL] * (1 + is_listed)


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("items", {"createdBy": ("Ana", "Ben", "Ana")}),
        ("messages", {"creator": ("Ana", "Ben", "Eve")}),
        ("segments", {"speaker_tag": (1, 2, 1)}),
        ("rows", {"party": ("x", "y", "x")}),
    ],
)
def test_names_alone_are_asked_for(load, key, more):
    value = {key: of(("My pen leaks.", "So does mine.", "Turn it."), **more)}
    with pytest.raises(WaitingError) as raised:
        read(load, value)
    assert raised.value.waiting.code == "needs_speakers"


def test_a_ticket_begins_with_its_description_and_leaves_asides_out(load):
    asides = [{"text": "a rude one", "type": "COMMENT", "at": 3}]
    later = of((TOLD, "Thanks!"), incoming=(False, True), created_at=(5, 9))
    ticket = {"subject": "Pen", "description_text": ASKED, "log": [*later[::-1], *asides]}
    assert read(load, ticket) == [[*PAIR, ("user", "Thanks!")]]


def test_threads_in_one_list_stay_apart(load):
    first = of((ASKED, TOLD), direction=("INCOMING", "OUTGOING"), conversationsThreadId=(1, 1))
    second = of(
        ("Open?", "At nine."), direction=("INCOMING", "OUTGOING"), conversationsThreadId=(2, 2)
    )
    talks = read(load, {"results": [*first, *second]})
    assert talks == [PAIR, [("user", "Open?"), ("assistant", "At nine.")]]


def test_pairs_words_and_texts_are_no_talk(load):
    pairs = [{"question": ASKED, "answer": TOLD, "user_id": n % 2} for n in range(4)]
    assert read(load, pairs) == [PAIR] * 4
    texts = [{"text": "One long text.", "name": "A"}, {"text": "Another one.", "name": "B"}]
    assert read(load, {"items": texts}) == [[("text", one["text"])] for one in texts]
    words = [{"text": word, "speaker_label": n % 2} for n, word in enumerate("a b c d".split())]
    value = {"words": words, "lines": three(speaker_label=(0, 1, 0))}
    assert read(load, value) == [CALL]


USER, BOT = {"role": "user", "content": ASKED}, {"role": "assistant", "content": TOLD}
MARKED = [
    f"<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n{TOLD}<|im_end|>\n",
    f"<s>[INST] {ASKED} [/INST] {TOLD} </s>",
    f"### Human: {ASKED}### Assistant: {TOLD}",
    f"\n\nHuman: {ASKED}\n\nAssistant: {TOLD}",
    f"<|user|>\n{ASKED}<|end|>\n<|assistant|>\n{TOLD}<|end|>",
    f"<bos><start_of_turn>user\n{ASKED}<end_of_turn>\n<start_of_turn>model\n{TOLD}<end_of_turn>",
    f"USER: {ASKED} ASSISTANT: {TOLD}</s>",
    (
        f"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{ASKED}<|eot_id|>"
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{TOLD}<|eot_id|>"
    ),
]


@pytest.mark.parametrize("text", MARKED)
def test_the_marks_of_templates_become_turns(load, text):
    assert read(load, [{"text": text}, {"text": text}]) == [PAIR] * 2
    assert read(load, [{"chosen": text, "rejected": "no"}]) == [PAIR]


@pytest.mark.parametrize(
    "value",
    [
        {"prompt": [USER], "chosen": [BOT], "rejected": [BOT]},
        {"prompt": [USER], "completion": [BOT]},
        {"tag": "refill", "patterns": [ASKED, "Refill?"], "responses": [TOLD, "It is."]},
        {
            "contents": [
                {"role": "user", "parts": [{"text": ASKED}]},
                {"role": "model", "parts": [{"text": TOLD}]},
            ]
        },
        {"prompt": ASKED, "chosen": [USER, BOT], "rejected": [USER]},
        {"input": {"messages": [USER]}, "output": BOT},
        {"input": [USER], "output": TOLD, "scores": []},
        {"input": ASKED, "output": {"choices": [{"message": BOT}]}},
        {"request": {"messages": [USER]}, "response": {"body": {"choices": [{"message": BOT}]}}},
        {"messages": [USER], "completion": TOLD},
        {
            "input": [{"role": "user", "content": [{"type": "input_text", "text": ASKED}]}],
            "output": [
                {"type": "reasoning"},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": TOLD}],
                },
            ],
        },
        {
            "prompt": f"<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n",
            "completion": f"{TOLD}<|im_end|>",
        },
        {
            "id": 1,
            "prompt": {
                "text": ASKED,
                "role": "prompter",
                "replies": [
                    {"text": "dunno", "role": "assistant", "rank": 1, "replies": []},
                    {"text": TOLD, "role": "assistant", "rank": 0, "replies": []},
                ],
            },
        },
        {
            "userSays": [{"data": [{"text": "Is the pen "}, {"text": "refillable?"}]}],
            "responses": [{"messages": [{"speech": [TOLD]}]}],
        },
        {
            "title": ASKED,
            "answers": [{"body": "No.", "score": 9}, {"body": TOLD, "is_accepted": True}],
        },
        {
            "data": [
                {
                    "role": "assistant",
                    "created_at": 2,
                    "content": [{"type": "text", "text": {"value": TOLD, "annotations": []}}],
                },
                {"role": "user", "created_at": 1, "content": ASKED},
            ]
        },
        {
            "messages": [
                USER,
                {"role": "user", "content": [{"type": "tool_result", "content": "3"}]},
                BOT,
            ]
        },
        {
            "messages": [
                {"type": "m.room.member", "sender": "user", "content": {"membership": "join"}},
                USER,
                {
                    "type": "m.room.message",
                    "sender": "assistant",
                    "content": {"msgtype": "m.text", "body": f"> <@d:x> Hm\n\n{TOLD}"},
                },
            ]
        },
    ],
    ids="-".join,
)
def test_what_was_asked_stands_before_what_was_answered(load, value):
    lines = "\n".join([json.dumps(value)] * 2)
    assert load(lines, "x.jsonl").talks == [PAIR] * 2
