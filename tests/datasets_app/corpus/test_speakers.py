"""Who speaks: known in many exporters' words, told by who is left, or asked once."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.readers.speakers import LOOKED_AT
from datasets_app.corpus.source import Mapping, WaitingError

ASKED, TOLD = ("user", "Is the lamp back?"), ("assistant", "Yes, ten are here.")


def lines(*records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records)


def talk(first, second, *, speaker="from", words="text", key="turns"):
    said = ((first, ASKED[1]), (second, TOLD[1]))
    return {key: [{speaker: who, words: text} for who, text in said]}


def asked_of(load, text, name="x.json", **choices):
    with pytest.raises(WaitingError) as raised:
        load(text, name, **choices)
    return raised.value.waiting


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *(("usr", "sys"), ("human", "gpt"), ("Customer", "bing"), ("USER", "SYSTEM")),
        *(("klient", "konsultant"), ("müşteri", "temsilci"), ("客户", "坐席"), ("고객", "상담원")),
        *(("patient", "doctor"), ("seeker", "supporter"), ("apprentice", "wizard")),
        *(("agent_1", "agent_2"), ("participant 1", "participant 2"), ("A", "B"), (0, 1)),
        *(("Dora", "assistant"), ("user", "Lamp Desk")),
        ({"name": "Dora", "bot": False}, {"name": "Desk", "bot": True}),
        ({"type": "lead", "email": "d@x.example"}, {"type": "admin", "name": "Desk"}),
    ],
)
def test_words_of_many_exporters_and_who_is_left(load, first, second):
    assert load(json.dumps(talk(first, second)), "x.json").talks == [[ASKED, TOLD]]


@pytest.mark.parametrize(
    ("first", "second"),
    [("agent_1", "agent_2"), ("participant 1", "participant 2"), ("A", "B"), (0, 1)],
)
def test_a_number_says_nothing_of_who_asks_but_an_offer_of_help_does(load, first, second):
    value = talk(first, second)
    value["turns"][0]["text"] = "My lamp flickers."
    waiting = asked_of(load, json.dumps(value))
    assert {one.name for one in waiting.speakers} == {str(first), str(second)}
    value["turns"].insert(0, {"from": second, "text": "Quill Lamps, how can I help you?"})
    talks = load(json.dumps(value), "x.json").talks
    assert [role for role, _ in talks[0]] == ["assistant", "user", "assistant"]
    value["turns"][0]["text"] = "May I have your name?"
    asked_of(load, json.dumps(value))


def test_me_is_the_exporter_and_no_role(load):
    waiting = asked_of(load, json.dumps(talk("Dora", "Me")))
    assert waiting.suggested.roles["me"] == "assistant"


@pytest.mark.parametrize("speaker", ["role", "from", "speaker", "sender_name", "agent", "author"])
@pytest.mark.parametrize("words", ["content", "value", "message", "utterance", "body"])
def test_fields_of_many_exporters(load, speaker, words):
    value = [talk("user", "bot", speaker=speaker, words=words, key="messages")]
    assert load(json.dumps(value), "x.json").talks == [[ASKED, TOLD]]


@pytest.mark.parametrize("key", ["log", "turns", "messages", "dialogue", "utterances", "history"])
def test_a_list_in_which_nobody_is_named_takes_turns(load, key):
    turns = [{"text": ASKED[1], "metadata": {"x": 1}}, {"text": TOLD[1], "spans": []}]
    reading = load(json.dumps({"D1": {"goal": {"a": "b"}, key: turns}}), "x.json")
    assert reading.talks == [[ASKED, TOLD]]
    assert any("take turns" in note for note in reading.records[0].notes)


@pytest.mark.parametrize("key", ["data", "documents", "reviews", "items"])
def test_a_list_of_texts_stays_a_list_of_texts(load, key):
    value = {key: [{"text": "One long text.", "name": "A"}, {"text": "Another one.", "name": "B"}]}
    assert load(json.dumps(value), "x.json").talks == [
        [("text", "One long text.")],
        [("text", "Another one.")],
    ]


def test_tools_notes_and_turns_without_words_are_left_out_with_a_note(load):
    turns = [
        {"role": "user", "content": ASKED[1]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]},
        {"role": "tool", "content": '{"n": 10}'},
        {"role": "function", "content": "10"},
        {"role": "assistant", "content": "Be quick.", "part_type": "note"},
        {"role": "assistant", "content": TOLD[1]},
        {"role": "assistant", "content": None},
    ]
    (record,) = load(json.dumps({"messages": turns}), "x.json").records
    assert [(turn.role, turn.text) for turn in record.turns] == [ASKED, TOLD]
    assert len(record.notes) == 4


def test_the_newest_first_is_turned_round_and_html_is_taken_out(load):
    turns = [
        {"sender": "bot", "content": "<p>Yes &amp; ten <b>are</b> here.</p>", "timestamp_ms": 9},
        {"sender": "user", "content": "x < 3 or <b> is code", "timestamp_ms": 2},
    ]
    assert load(json.dumps({"messages": turns}), "x.json").talks == [
        [("user", "x < 3 or <b> is code"), ("assistant", "Yes & ten are here.")]
    ]


@pytest.mark.parametrize("is_empty_first", [True, False])
def test_what_was_said_before_a_pair_stands_before_it(load, is_empty_first):
    first = {"instruction": "Open?", "input": "", "output": "At nine.", "history": []}
    second = {"instruction": "Sundays?", "output": "No.", "history": [["Open?", "At nine."]]}
    records = [first, second] if is_empty_first else [second, first]
    told = [[("user", "Open?"), ("assistant", "At nine.")]]
    told.append([*told[0], ("user", "Sundays?"), ("assistant", "No.")])
    assert sorted(load(json.dumps(records), "x.json").talks, key=len) == told


def test_of_a_tree_of_tries_the_last_branch_is_read(load):
    def node(parent, role, *parts):
        message = {"author": {"role": role}, "content": {"parts": list(parts)}}
        return {"parent": parent, "message": message}

    tree = {
        "root": {"parent": None, "message": None},
        "s": node("root", "system", ""),
        "q": node("s", "user", ASKED[1]),
        "a1": node("q", "assistant", "No idea."),
        "a2": node("q", "assistant", TOLD[1]),
        "loop": node("loop", "user", "x"),
    }
    export = [{"title": "Lamps", "mapping": tree, "current_node": "a2"}]
    (record,) = load(json.dumps(export), "conversations.json").records
    assert [(turn.role, turn.text) for turn in record.turns] == [ASKED, TOLD]
    assert any("other tries" in note for note in record.notes)


def test_unknown_names_are_asked_for_once_with_examples_and_a_guess(load):
    text = lines(*[talk(f"Guest {n} Ann", "Lamp Desk") for n in range(30)])
    waiting = asked_of(load, text, "x.jsonl")
    assert (waiting.code, waiting.talks) == ("needs_speakers", 30)
    desk = waiting.speakers[0]
    assert (desk.name, desk.talks, desk.turns, desk.examples[0]) == ("Lamp Desk", 30, 30, TOLD[1])
    assert waiting.suggested.roles["lamp desk"] == "assistant"
    reading = load(text, "x.jsonl", mapping=waiting.suggested)
    assert reading.talks == [[ASKED, TOLD]] * 30


def test_few_unknown_names_among_many_talks_are_left_to_the_rules(load):
    text = lines(*[talk("user", "bot")] * 95, *[talk("Ben", "Cleo")] * 5)
    assert len(load(text, "x.jsonl").records) == 100
    late = lines(*[talk("user", "bot")] * LOOKED_AT, *[talk("Ben", "Cleo")] * 50)
    assert len(load(late, "x.jsonl").records) == LOOKED_AT + 50


def test_a_chosen_role_goes_before_a_known_word_and_one_may_be_left_out(load):
    turns = [("Bot", "Hello!"), ("Ann", ASKED[1]), ("agent", "I look."), ("Ben", TOLD[1])]
    text = json.dumps({"turns": [{"from": who, "text": words} for who, words in turns]})
    chosen = Mapping(roles={"bot": "out", "ann": "user", "agent": "out", "*": "assistant"})
    assert load(text, "x.json", mapping=chosen).talks == [[ASKED, TOLD]]


def test_pieces_sent_one_after_the_other_are_one_turn(load):
    said = [("Ann", "Hello."), ("Ann", ASKED[1]), ("Desk", TOLD[1])]
    text = json.dumps({"messages": [{"sender_name": who, "content": text} for who, text in said]})
    chosen = Mapping(roles={"ann": "user", "desk": "assistant"})
    assert load(text, "x.json", mapping=chosen).talks == [
        [("user", f"Hello.\n{ASKED[1]}"), TOLD],
    ]


def test_a_transcript_with_names_is_asked_for_and_read_as_chosen(load):
    text = "Adam Stone: So how did it start?\nMia Berg: In a garage, like all of them.\n" * 3
    waiting = asked_of(load, text, "podcast.txt")
    assert [one.name for one in waiting.speakers] == ["Adam Stone", "Mia Berg"]
    reading = load(text, "podcast.txt", mapping=waiting.suggested)
    assert [role for role, _ in reading.talks[0]] == ["user", "assistant"] * 3


def test_mail_addresses_are_nowhere_in_the_names(load):
    text = json.dumps([talk("Dora <dora@mail.example>", "desk@lamps.example")] * 2)
    waiting = asked_of(load, text)
    assert sorted(one.name for one in waiting.speakers) == ["Dora", "desk"]


def test_nobody_who_answers_is_no_choice():
    with pytest.raises(CorpusError, match="who answers"):
        Mapping(roles={"ann": "user", "*": "user"})


def test_a_mapping_of_columns_has_the_hash_that_it_always_had():
    mapping = Mapping(question="q", answer="a")
    assert mapping.sha256 == Mapping.from_json(mapping.as_json()).sha256
    assert "roles" not in mapping.as_json()


def test_two_dated_messages_are_a_talk_though_they_are_short(load):
    body = "[2019-12-24, 12:23] Ben: Hello!\n[2020-01-17, 21:49] Dora: Hi\nBen!\n"
    assert [one.name for one in asked_of(load, body, "a.txt").speakers] == ["Ben", "Dora"]


def test_times_in_lines_of_their_own_stand_above_who_speaks(load):
    body = "".join(
        f"[00:00:{n:02}:10]\n_page : {n}\n{name}: Number {n} is here.\nNote {n}: more\n\n"
        for n, name in enumerate(["Agent", "Customer"] * 15)
    )
    (talk,) = load(body, "log").talks
    assert talk[:2] == [
        ("assistant", "Number 0 is here.\nNote 0: more"),
        ("user", "Number 1 is here.\nNote 1: more"),
    ]
    assert len(talk) == 30


def test_fields_that_come_again_are_no_speakers(load):
    text = "\n".join(
        f"Description: walk {n} by the sea\nComments: bring a dog along" for n in range(5)
    )
    assert load(json.dumps({"text": text}), "a.jsonl").talks == [[("text", text)]]


def test_the_first_example_of_an_instruction_is_its_answer(load):
    given = [{"input": "5", "output": "five"}, {"input": "6", "output": "six"}]
    record = {"id": "t1", "instruction": "Say it in words.", "instances": given}
    (found,) = load(json.dumps(record), "a.jsonl").records
    assert [turn.text for turn in found.turns] == ["Say it in words.\n\n5", "five"]
    assert found.notes == ("1 further examples of it were left out",)
