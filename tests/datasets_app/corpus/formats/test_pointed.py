"""JSON whose keys nobody knows: what is asked, and what comes of the answer."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.source import Mapping, WaitingError

SAID = Mapping(speaker="wer.n", words="was.txt", begins="whole")
LINES = [
    [("Kunde", "Wo ist mein Paket?"), ("Service", "Es kommt am Freitag.")],
    [("Kunde", "Kann ich noch umtauschen?"), ("Service", "Ja, bis zum 14. Mai.")],
]


def lines(talk):
    return [{"wer": {"n": who}, "was": {"txt": text}, "from": "app"} for who, text in talk]


CASES = [{"nr": 5_000_001 + n, "zeilen": lines(talk)} for n, talk in enumerate(LINES)]
FILES = {
    "nested": json.dumps({"export": {"v": 3, "faelle": CASES}}),
    "array": json.dumps(CASES, indent=1),
    "lines": "\n".join(map(json.dumps, CASES)),
    "lists": json.dumps([case["zeilen"] for case in CASES]),
}


@pytest.mark.parametrize("body", FILES.values(), ids=FILES)
def test_unknown_keys_are_asked_for_with_examples_and_then_read(load, body):
    with pytest.raises(WaitingError) as raised:
        load(body)
    asked = raised.value.waiting
    assert asked.code == "needs_mapping"
    assert {"wer.n", "was.txt"} < set(asked.columns)
    shown = [dict(zip(asked.columns, row, strict=True)) for row in asked.rows]
    assert {"Kunde", "Service"} <= {row["wer.n"] for row in shown}
    assert asked.suggested == SAID
    found = load(body, mapping=asked.suggested)
    assert [[turn.text for turn in talk.turns] for talk in found.records] == [
        [text for _, text in talk] for talk in LINES
    ]
    assert {tuple(turn.role for turn in talk.turns) for talk in found.records} == {
        ("user", "assistant")
    }


def test_questions_with_answers_and_what_they_are_about_are_read_where_they_were_pointed_at(load):
    body = json.dumps(
        {
            "liste": [
                {
                    "f": "Wann ist offen?",
                    "a": "Von neun bis sechs.",
                    "wo": "Köln",
                    "from": "–",
                },
                {"f": "Wo seid ihr denn?", "a": "In der Mühlgasse 12.", "wo": "Bonn", "from": "–"},
            ]
        }
    )
    with pytest.raises(WaitingError) as raised:
        load(body)
    assert raised.value.waiting.columns == ("f", "a", "wo", "from")
    first, _ = load(body, mapping=Mapping(question="f", answer="a", context="wo")).records
    assert [turn.text for turn in first.turns] == [
        "Wann ist offen?\n\nKöln",
        "Von neun bis sechs.",
    ]
    assert first.meta == {"its from": "–"}


def test_several_turns_and_plain_texts_are_read_where_they_were_pointed_at(load):
    body = json.dumps({"all": [{"k1": "Is it open?", "v1": "Yes, until six.", "k2": "Fine, bye."}]})
    (talk,) = load(body, mapping=Mapping(turns=("k1", "v1", "k2"))).records
    assert [turn.role for turn in talk.turns] == ["user", "assistant", "user"]
    (passage,) = load(body, mapping=Mapping(text="v1")).records
    assert [(turn.role, turn.text) for turn in passage.turns] == [("text", "Yes, until six.")]


def test_messages_that_stand_alone_are_put_together_by_what_names_their_conversation(load):
    rows = [
        {"fall": case["nr"], "wer": who, "was": text}
        for case, talk in zip(CASES, LINES, strict=True)
        for who, text in talk
    ]
    mapping = Mapping(conversation="fall", speaker="wer", words="was")
    for body in (json.dumps({"zeilen": rows[::2] + rows[1::2]}), "\n".join(map(json.dumps, rows))):
        found = load(body, mapping=mapping).records
        assert [len(talk.turns) for talk in found] == [2, 2]


def test_a_file_of_which_something_is_known_is_not_asked_about(load):
    body = json.dumps([{"input": "Hi there?", "output": "Hello."}, {"wer": "Ann", "was": "Hm."}])
    found = load(body)
    assert len(found.records) == 1
    assert [problem.code for problem in found.problems] == ["unknown_shape"]


@pytest.mark.parametrize("body", ["[1, 2]", "{}", '[{"a": null}]', "[[[[]]]]"])
def test_a_file_without_texts_under_keys_is_not_asked_about(load, body):
    assert load(body).records == []
