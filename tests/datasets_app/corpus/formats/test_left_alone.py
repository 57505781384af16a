"""Files that look like a talk, a refusal or a template, and are none: what they say stays."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.source import WaitingError

ASKED, TOLD = "Where is my parcel?", "It is on its way."
PAIR = [("user", ASKED), ("assistant", TOLD)]
TALK = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": TOLD}]
FIRST, SECOND = "One thing came in.", "Another went out."


def read(load, value):
    return load(json.dumps(value), "x.json")


def two(key, one, other, words="text", **more):
    return [{key: one, words: FIRST, **more}, {key: other, words: SECOND, **more}]


@pytest.mark.parametrize("record", [{"messages": TALK}, {"question": ASKED, "answer": TOLD}])
@pytest.mark.parametrize(
    "beside",
    [
        *({"events": two("status", "sent", "received", "note")},),
        *({"sources": two("type", "internal", "external")},),
        *({"reviews": two("direction", "in", "out")},),
        {"notes": [*two("author", "Ana", "Ben", "comment")] * 2},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_a_conversation_keeps_its_own_turns_whatever_list_stands_beside_them(load, record, beside):
    for value in ({**record, **beside}, {**beside, **record}, {"data": [{**record, **beside}] * 2}):
        found = read(load, value)
        assert {*map(tuple, found.talks)} == {tuple(PAIR)}
        assert found.records[0].meta == beside


def test_a_title_with_a_body_keeps_them_beside_notes_of_people(load):
    notes = [*two("author", "Ana", "Ben", "comment")] * 2
    found = read(load, {"title": ASKED, "body": TOLD, "notes": notes})
    assert found.talks == [PAIR]


@pytest.mark.parametrize(
    "entries",
    [
        two("direction", "incoming", "outgoing", amount=3),
        two("direction", "incoming", "outgoing", "note"),
        two("direction", "in", "out", "comment", sku="A4"),
    ],
)
def test_entries_of_a_bank_and_moves_of_goods_are_no_talk(load, entries):
    with pytest.raises(WaitingError):
        read(load, {"entries": entries})


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        *(("scope", "internal", "external"), ("status", "sent", "received")),
        *(("audience", "customer", "agent"), ("type", "external", "internal")),
    ],
)
def test_texts_for_somebody_or_in_some_state_stay_texts(load, key, one, other):
    found = read(load, {"rules": two(key, one, other)})
    assert found.talks == [[("text", FIRST)], [("text", SECOND)]]


LIKED = {"prompt": ASKED, "completion": TOLD, "label": False}
CLASSES = [
    *({"text": "I hate this phone", "label": label} for label in ("negative", "false", False)),
    {"text": "I hate this phone", "rating": "negative"},
    {"question": ASKED, "answer": TOLD, "label": "bad"},
    {"question": ASKED, "answer": TOLD, "label": False},
    {"prompt": ASKED, "completion": TOLD, "reaction": "negative"},
]


@pytest.mark.parametrize("value", CLASSES, ids=str)
def test_a_class_is_no_refusal(load, value):
    assert [one.decision for one in read(load, [value, LIKED]).records] == ["", "exclude"]
    if "text" in value:
        rows = "".join(f"{value['text']},{[*value.values()][1]}\n" for _ in range(3))
        table = load(f"{','.join(value)}\n{rows}", "x.csv")
        assert {record.decision for record in table.records} == {""}


SHOWN = [
    ("What is the Llama 2 prompt format?", "Write [INST] your question [/INST] and it answers."),
    ("How do I write a card?", "Like this: ## Question: What? ## Answer: That."),
    ("How do I write a card?", "## Question: What? ## Answer: That."),
    ("What is [INST] your question [/INST] for?", "It marks who asks."),
]


@pytest.mark.parametrize("pair", SHOWN)
@pytest.mark.parametrize("keys", [("prompt", "response"), ("question", "answer")])
def test_an_answer_that_shows_a_template_keeps_its_question(load, keys, pair):
    found = read(load, dict(zip(keys, pair, strict=True)))
    assert found.talks == [[("user", pair[0]), ("assistant", pair[1])]]
    log = {"messages": [{"role": "user", "content": pair[0]}], "completion": pair[1]}
    assert read(load, log).talks == found.talks


def test_a_talk_in_marks_may_stand_beside_what_it_says_again(load):
    human = f"\n\nHuman: {ASKED}\n\nAssistant:"
    for asked in (ASKED, human):
        assert read(load, {"prompt": asked, "chosen": f"{human} {TOLD}"}).talks == [PAIR]
    alpaca = f"Below is a question.\n\n### Question:\n{ASKED}\n\n### Answer:\n"
    talks = read(load, {"prompt": alpaca, "completion": TOLD}).talks
    assert talks == [[("system", "Below is a question."), *PAIR]]


ROME, PARIS = {"text": "It is Rome."}, {"text": "It is Paris."}


@pytest.mark.parametrize("key", ["title", "question"])
@pytest.mark.parametrize(
    "marks",
    [
        *(({"is_correct": False}, {"is_correct": True}), ({"correct": "no"}, {"correct": "yes"})),
        *(
            ({"score": "9"}, {"score": "10"}),
            ({"score": 10**400}, {"score": 9}),
            ({"is_correct": False}, {}),
        ),
    ],
    ids=lambda marks: "-".join(marks[0]),
)
def test_the_right_one_of_several_answers_is_taken(load, key, marks):
    answers = [{**one, **mark} for one, mark in zip((ROME, PARIS), marks, strict=True)]
    found = read(load, {key: "Capital of France?", "answers": answers})
    assert found.talks == [[("user", "Capital of France?"), ("assistant", "It is Paris.")]]


def test_answers_of_which_nobody_says_which_is_right_make_no_pair(load):
    value = {"text": "Two towns are large.", "answers": [ROME, PARIS]}
    assert read(load, value).talks == [[("text", "Two towns are large.")]]
    wrong = {"question": "Capital of France?", "answers": [{**ROME, "is_correct": False}]}
    assert read(load, wrong).codes == ["missing_role"]


PARTS = [{"type": "text", "text": "It is A."}, {"type": "text", "text": "And it is B."}]


@pytest.mark.parametrize(
    "told",
    [
        {"output": [{"text": one["text"]} for one in PARTS]},
        {"response": {"content": PARTS}},
        {"output": [{"type": "reasoning", "text": "Hm."}, *PARTS]},
        {"output": [{"type": ["text"], "text": one["text"]} for one in PARTS]},
        {"output": {"choices": [{"message": {"role": "assistant", "content": PARTS}}]}},
        {"output": {"choices": [{"text": "It is A.\nAnd it is B."}, {"text": "Or C."}]}},
    ],
    ids=str,
)
def test_an_answer_in_parts_keeps_all_of_them(load, told):
    talks = read(load, {"input": ASKED, **told}).talks
    assert talks == [[("user", ASKED), ("assistant", "It is A.\nAnd it is B.")]]


@pytest.mark.parametrize(
    "body",
    [
        "Mon - Fri 9:00-17:00",
        "Goods may be sent back. Questions?",
        "Chapter I applies, as the law says.",
        "Click on My account. There you see it.",
        "Je kunt het morgen ophalen.",
    ],
)
def test_a_body_that_tells_something_is_an_answer(load, body):
    assert read(load, {"title": ASKED, "body": body}).talks == [
        [("user", ASKED), ("assistant", body)]
    ]


@pytest.mark.parametrize(
    "body", ["My pen leaks and I need ink.", "Is it refillable?", "Ich suche meinen Füller."]
)
def test_a_body_of_somebody_who_asks_is_none(load, body):
    with pytest.raises(WaitingError):
        read(load, {"title": ASKED, "body": body})
