from __future__ import annotations

import json
from contextlib import suppress

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.source import Mapping, WaitingError

PAIRS = [("How, much?", "Ten."), ("When?", 'He said "now".'), ("Two\nlines?", "Yes; no.")]


def table(delimiter: str, end: str = "\n", header: tuple[str, str] = ("question", "answer")) -> str:
    rows = [header, *PAIRS]
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows]
    return end.join(delimiter.join(row) for row in quoted) + end


@pytest.mark.checklist(48, 49)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_delimiter_and_line_end_gives_the_same_pairs(load, delimiter, end):
    reading = load(table(delimiter, end), "t.csv")
    assert reading.talks == [[("user", asked), ("assistant", told)] for asked, told in PAIRS]


@pytest.mark.parametrize(
    "header", [("Question ", " ANSWER"), ("input", "output"), ("Q", "A"), ("prompt", "completion")]
)
def test_well_known_headers_are_read_at_once(load, header):
    assert len(load(table(",", header=header), "t.csv").records) == 3


def test_a_byte_order_mark_and_a_separator_line_are_no_cells(load):
    assert len(load("\ufeff" + table(","), "t.csv").records) == 3
    assert len(load("sep=;\r\n" + table(";", "\r\n"), "t.csv").records) == 3


@pytest.mark.checklist(48)
def test_unknown_columns_wait_and_a_mapping_makes_them_readable(load):
    text = "id,wer,was\n1,Hallo?,Ja.\n2,Wo?,Da.\n3,Wann?,Jetzt.\n"
    with pytest.raises(WaitingError) as waiting:
        load(text, "t.csv")
    shown = waiting.value.waiting
    assert (shown.code, shown.columns) == ("needs_mapping", ("id", "wer", "was"))
    assert shown.rows[0] == ("1", "Hallo?", "Ja.")
    mapping = Mapping.from_json(json.loads(json.dumps(Mapping("wer", "was").as_json())))
    assert mapping.sha256 == Mapping("wer", "was").sha256
    reading = load(text, "t.csv", mapping=mapping)
    assert reading.talks[1] == [("user", "Wo?"), ("assistant", "Da.")]
    assert reading.records[1].meta == {"id": "2"}
    assert load(text, "t.csv", mapping=Mapping(text="was")).talks[2] == [("text", "Jetzt.")]


def test_a_mapping_of_no_such_column_is_refused(load):
    with pytest.raises(CorpusError, match="no column 'x'"):
        load(table(","), "t.csv", mapping=Mapping(text="x"))
    with pytest.raises(CorpusError):
        Mapping(question="a")


def test_one_column_is_offered_as_text(load):
    with pytest.raises(WaitingError) as waiting:
        load("note\nhello\nyou\n", "t.csv")
    assert waiting.value.waiting.suggested == Mapping(text="note", delimiter=",")


def test_ragged_rows_are_remarked_and_loaded_as_far_as_they_go(load):
    reading = load("question,answer\na,b\nc\nd,e,f\n\ng,h\n", "t.csv")
    assert [talk[0][1] for talk in reading.talks] == ["a", "d", "g"]
    assert [(p.line, p.code) for p in reading.problems] == [
        (3, "ragged_row"),
        (3, "missing_role"),
        (4, "ragged_row"),
    ]
    assert reading.records[1].meta == {"spare cells": "f"}


def test_repeated_and_blank_headers_get_names_of_their_own(load):
    with pytest.raises(WaitingError) as waiting:
        load("x,x,,y\n1,2,3,4\n1,2,3,4\n", "t.csv")
    assert waiting.value.waiting.columns == ("x", "x_2", "column 3", "y")


def test_an_unclosed_quote_names_its_line_and_rows_before_it_load(load):
    reading = load('question,answer\na,b\nc,"d\ne,f\ng,h\n', "t.csv")
    assert len(reading.records) == 1
    assert [(p.line, p.code) for p in reading.problems] == [(3, "unclosed_quote")]


@pytest.mark.slow
def test_a_cell_over_one_mib_is_a_problem_and_the_next_rows_load(load):
    reading = load(f"question,answer\na,b\nc,{'x' * (1 << 21)}\ne,f\n", "t.csv")
    assert [talk[0][1] for talk in reading.talks] == ["a", "e"]
    assert reading.codes == ["long_field"]


@pytest.mark.slow
def test_a_quote_bomb_takes_linear_time(load):
    reading = load("question,answer\na,b\n" + '"' * 3_000_000, "t.csv")
    assert reading.problems or len(reading.records) >= 1


def test_a_header_alone_is_no_conversation(load):
    assert load("question,answer\n", "t.csv").tally.verdict() == ("skipped", "no_conversations")


def test_prose_with_commas_is_no_table(load):
    text = "Well, I said, no.\nNow, he said, go.\nThen, she said, stay.\n" * 3
    assert load(text, "t.txt").identified.kind == "txt"


def test_empty_cells_become_no_metadata(load):
    rows = "".join(f"Where {n}?,Here {n}.{',' * 2_000}\n" for n in range(20))
    header = "question,answer" + "".join(f",c{n}" for n in range(1_000)) + "\n"
    found = load(header + rows, "a.csv")
    assert len(found.records) == 20
    assert all(record.meta == {} for record in found.records)


def test_beside_a_message_the_user_is_who_wrote_it(load):
    table = "user;message;reply\ndora77;Do you ship abroad?;Yes, to all of Europe.\n" * 1
    table += "".join(f"milo;Do you ship to {n}?;Yes, we do.\n" for n in range(3))
    assert load(table, "t.csv").talks[0] == [
        ("user", "Do you ship abroad?"),
        ("assistant", "Yes, to all of Europe."),
    ]


@pytest.mark.parametrize("beside", ["role", "author_id", "conversation_id", "in_response_to"])
def test_a_text_beside_a_speaker_is_never_taken_for_a_text_of_its_own(load, beside):
    table = f"{beside},text\n" + "".join(f"A{n % 2},Where is parcel {n}?\n" for n in range(6))
    with pytest.raises(WaitingError):
        load(table, "t.csv")
    record = json.dumps({beside: "A", "text": "Where is my parcel?"})
    with suppress(WaitingError):
        assert load(record + "\n" + record, "t.jsonl").records == []


@pytest.mark.parametrize("titles", [1, 2, 5])
def test_titles_may_stand_above_the_names_of_the_columns(load, titles):
    rows = "".join(f'Is lamp {n} in stock?,"Yes, {n} of them."\n' for n in range(4))
    table = "Support report,\n" * titles + ",\nQuestion,Answer\n" + rows
    reading = load(table, "t.csv")
    assert [talk[0][1] for talk in reading.talks] == [f"Is lamp {n} in stock?" for n in range(4)]
    assert reading.codes == []


def test_a_first_row_that_is_data_names_no_columns(load):
    body = "ham\tSee you at nine then\nspam\tYou won a prize, call now\nham\tIs it raining there\n"
    with pytest.raises(WaitingError) as asked:
        load(body, "a.tsv")
    assert asked.value.waiting.columns == ("column 1", "column 2")
    assert asked.value.waiting.rows[0] == ("ham", "See you at nine then")
    mapping = Mapping(text="column 2")
    found = load(body, "a.tsv", mapping=mapping)
    assert [talk[0][1] for talk in found.talks][:1] == ["See you at nine then"]
    assert len(found.records) == 3


CALLS = (
    ("Agent: Lamps, hello. How can I help?\nCustomer: {}\nAgent: {}", "assistant"),
    ("Customer: {} Agent: {}", "user"),
)


@pytest.mark.parametrize(("talk", "opens"), CALLS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["calls.csv", "calls.txt"])
def test_a_talk_in_a_cell_is_one_conversation(load, talk, opens, delimiter, name):
    rows = [
        delimiter.join((str(n), f'"{talk.format(f"Is lamp {n} here?", f"Yes, all {n}.")}"', "Oslo"))
        for n in range(2, 8)
    ]
    text = "\n".join([delimiter.join(("ticket", "what they said", "town")), *rows]) + "\n"
    reading = load(text, name)
    assert [record.meta for record in reading.records] == [
        {"ticket": str(n), "town": "Oslo"} for n in range(2, 8)
    ]
    assert reading.talks[0][0][0] == opens
    assert reading.talks[0][-2:] == [("user", "Is lamp 2 here?"), ("assistant", "Yes, all 2.")]


def test_names_in_the_cells_of_talks_are_asked_about(load):
    said = "Ann: Is lamp {n} here?\nBo: Yes, it is.\nAnn: And its twin?\nBo: It is, too."
    text = "case,talk\n" + "".join(f'{n},"{said.format(n=n)}"\n' for n in range(6))
    with pytest.raises(WaitingError) as raised:
        load(text, "a.csv")
    assert {one.name for one in raised.value.waiting.speakers} == {"Ann", "Bo"}
    reading = load(text, "a.csv", mapping=Mapping(roles={"ann": "user", "bo": "assistant"}))
    assert [[role for role, _ in talk] for talk in reading.talks] == [["user", "assistant"] * 2] * 6


CARDS = (
    "Customer: ACME Ltd, Main Street {n}\nAgent: John Smith\nOrder: two lamps",
    "Customer: wants a refund of order {n}.\nAgent: opened a case for it.",
)


@pytest.mark.parametrize("card", CARDS)
def test_cards_with_words_for_roles_are_talks_only_once_somebody_says_so(load, card):
    rows = "".join(f'{n},"{card.format(n=n)}"\n' for n in range(6))
    with pytest.raises(WaitingError) as raised:
        load(f"case,what\n{rows}", "a.csv")
    waiting = raised.value.waiting
    assert waiting.suggested == Mapping(text="what", delimiter=",")
    (first, *_) = load(f"case,what\n{rows}", "a.csv", mapping=waiting.suggested).talks
    assert [role for role, _ in first] == ["user", "assistant"]
    (first, *_) = load(f"case,text\n{rows}", "a.csv").talks
    assert [role for role, _ in first] == ["text"]
