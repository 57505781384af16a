"""Who wrote which half of a pair, and what people thought of it."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.source import Mapping, WaitingError

ASKED, TOLD = "Is the pen refillable?", "Yes, with our ink."
PAIR = [("user", ASKED), ("assistant", TOLD)]


def test_a_body_in_which_whoever_asks_goes_on_is_no_answer(load):
    rows = [{"title": ASKED, "body": "I bought it on Monday and my ink is empty."}] * 2
    with pytest.raises(WaitingError) as raised:
        load(json.dumps(rows), "tickets.json")
    assert raised.value.waiting.suggested == Mapping(text="body")
    rows.append({"title": ASKED, "body": TOLD})
    found = load(json.dumps(rows), "tickets.json")
    assert found.talks == [PAIR]
    assert found.codes == ["unknown_shape"] * 2


@pytest.mark.parametrize(
    ("key", "bad", "good"),
    [
        *(("label", False, True), ("thumbs", "down", "up"), ("feedback", "👎", "👍")),
        *(("vote", -1, 1), ("user_feedback", "negative", "positive"), ("helpful", False, True)),
    ],
)
def test_an_answer_that_people_did_not_like_is_excluded_and_says_why(load, key, bad, good):
    rows = [{"prompt": ASKED, "completion": TOLD, key: told} for told in (bad, good)]
    records = load(json.dumps(rows), "x.json").records
    assert [record.decision for record in records] == ["exclude", ""]
    assert records[0].meta["reviewed_elsewhere"]["said"] == {key: bad}
    text = "\n".join(f"{ASKED},{TOLD.replace(',', '')},{told}" for told in (bad, good))
    table = load(f"question,answer,{key}\n{text}\n", "x.csv").records
    assert [record.decision for record in table] == ["exclude", ""]


def test_several_ways_to_ask_and_to_answer_do_not_run_together(load):
    value = {"q": [ASKED, "Can I refill it?"], "a": [TOLD, "Of course."]}
    (record,) = load(json.dumps([value]), "x.json").records
    assert [turn.text for turn in record.turns] == [ASKED, f"{TOLD}\nOf course."]
    assert record.notes == ("1 other ways to ask it were left out",)


def test_marks_of_templates_in_tables_become_turns(load):
    text = "".join(f'"### Human: {ASKED}### Assistant: {TOLD}"\n' for _ in range(3))
    assert load(f"text\n{text}", "x.csv").talks == [PAIR] * 3


@pytest.mark.parametrize(
    ("header", "asked", "told"),
    [
        ("no;Kundenfrage;Antwort", "Kundenfrage", "Antwort"),
        ("no;Was Patienten fragen;Was wir sagen", "Was Patienten fragen", "Was wir sagen"),
        ("no;spalte b;spalte c", "spalte b", "spalte c"),
    ],
)
def test_names_and_cells_show_what_is_asked_and_what_is_told(load, header, asked, told):
    rows = "".join(f"{n};{ASKED};Yes it is pen {n}.\n" for n in range(4))
    with pytest.raises(WaitingError) as raised:
        load(f"{header}\n{rows}", "x.csv")
    assert raised.value.waiting.suggested == Mapping(question=asked, answer=told, delimiter=";")


POSTS = """<?xml version="1.0"?><posts>
<row Id="1" PostTypeId="1" AcceptedAnswerId="3" Title="Refill?"
Body="I have &lt;b&gt;a pen.&lt;/b&gt;"/>
<row Id="2" PostTypeId="2" ParentId="1" Score="9" Body="Never."/>
<row Id="3" PostTypeId="2" ParentId="1" Score="1" Body="&lt;p&gt;With ink.&lt;/p&gt;"/>
<row Id="4" PostTypeId="1" Title="Colour?" Body="Which?"/></posts>"""
DOCUMENTS = b"""- {speaker: customer, text: "Refill?"}
- {speaker: agent, text: With ink.}
---
- {speaker: customer, text: "Colour?"}
- {speaker: agent, text: Blue.}
"""


@pytest.mark.slow
def test_posts_stand_with_their_answers_and_documents_of_yaml_stay_apart(read_doc):
    found = read_doc(POSTS.encode(), "Posts.xml")
    assert found.talks == [[("user", "Refill?\n\nI have a pen."), ("assistant", "With ink.")]]
    assert found.codes == ["missing_role"]
    assert read_doc(DOCUMENTS, "a.yaml").talks == [
        [("user", "Refill?"), ("assistant", "With ink.")],
        [("user", "Colour?"), ("assistant", "Blue.")],
    ]


def test_what_an_export_quotes_above_an_answer_is_not_said_again(load):
    text = (
        "[2024-03-12 09:41] Dora: Is it open?\n>\n> Hello.\n>\n[2024-03-12 09:42] Me: Until six.\n"
        "[2024-03-12 09:43] Dora: Thanks.\n[2024-03-12 09:44] Me: Bye.\n"
    )
    roles = Mapping(roles={"me": "assistant", "dora": "user"})
    (talk,) = load(text, "chat.md", mapping=roles).talks
    assert [said for _, said in talk] == ["Is it open?", "Until six.", "Thanks.", "Bye."]
