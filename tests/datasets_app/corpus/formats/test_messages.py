"""One row a message: whose conversation it is, in which order, wherever the rows lie."""

from __future__ import annotations

import csv
import io
import json

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.parsing.moments import in_order
from datasets_app.corpus.readers import threads
from datasets_app.corpus.source import Joined, Mapping, WaitingError

HEADER = ("conversation_id", "role", "text")
ROWS = [
    ("T1", "customer", "Where is my parcel?"),
    ("T1", "agent", "It is at the depot,\nit comes tomorrow."),
    ("T1", "customer", "Thank you. 🙂"),
    ("T1", "agent", "You are welcome."),
    ("T2", "customer", "Can I return a lamp?"),
    ("T2", "agent", "Yes, within thirty days."),
]
ROLES = {"customer": "user", "agent": "assistant"}
TALKS = [
    [(ROLES[role], text) for talk, role, text in ROWS if talk == name] for name in ("T1", "T2")
]


def as_csv(rows, header=HEADER, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue()


def as_lines(rows, header=HEADER):
    return "\n".join(json.dumps(dict(zip(header, row, strict=True))) for row in rows)


def as_array(rows, header=HEADER):
    return json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=1)


WRITERS = [(as_csv, "t.csv"), (as_lines, "t.jsonl"), (as_array, "t.json")]


@pytest.mark.parametrize(("write", "name"), WRITERS)
@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        ("Session ID", "sender", "message"),
        ("ticketId", "author", "body"),
        ("dialogue_id", "speaker", "utterance"),
        ("chat_id", "from", "content"),
        ("thread", "sender_type", "Message Text"),
    ],
)
def test_plain_columns_give_one_conversation_for_each_name(load, write, name, header):
    reading = load(write(ROWS, header), name)
    assert reading.talks == TALKS
    assert reading.codes == []


@pytest.mark.parametrize(("write", "name"), WRITERS)
def test_rows_that_lie_apart_come_together(load, write, name):
    mixed = [ROWS[n] for n in (0, 4, 1, 5, 2, 3)]
    reading = load(write(mixed), name)
    assert reading.talks == TALKS
    assert sum(isinstance(item, Joined) for item in reading.items) == 3
    assert reading.tally.failed == 0


@pytest.mark.parametrize(
    "times",
    [
        ["1", "2", "10", "11"],
        ["1710234845.000100", "1710234845.000200", "1710234899", "1710234900"],
        ["2024-03-12T09:14Z", "2024-03-12T09:15Z", "2024-03-12T10:00:00+00:00", "2024-03-13"],
        ["12.03.2024, 09:14", "12.03.2024, 09:15", "13.03.2024, 00:01", "14.03.2024, 7:00"],
        ["3/12/24, 9:14 AM", "3/12/24, 9:15\u202fAM", "3/12/24, 1:00 PM", "3/13/24, 1:00 AM"],
        ["Tue, 12 Mar 2024 09:14:05 +0000", "Tue, 12 Mar 2024 09:15:05 +0000"],
        ["Wed Mar 13 09:14:05 2024", "Wed Mar 13 09:14:06 +0000 2024"],
    ],
)
def test_the_order_is_read_as_numbers_and_as_dates(load, times):
    first = [(*row, time) for row, time in zip(ROWS[:4], times, strict=False)]
    header = (*HEADER, "sent at")
    for places in ((1, 0, 3, 2), (2, 3, 0, 1), (3, 1, 0, 2)):
        mixed = [first[place] for place in places if place < len(first)]
        reading = load(as_csv(mixed, header, ";"), "t.csv")
        assert reading.talks == [TALKS[0][: len(first)]]


def test_the_newest_first_and_equal_times_are_turned_round(load):
    times = ["9", "9", "8", "8"]
    newest = [(*row, time) for row, time in zip(ROWS[3::-1], times, strict=True)]
    assert load(as_csv(newest, (*HEADER, "ts")), "t.csv").talks == TALKS[:1]
    assert in_order(["today", "tomorrow"]) is None


def test_an_order_nobody_can_read_keeps_that_of_the_file_and_says_so(load):
    rows = [(*row, "soon") for row in ROWS]
    reading = load(as_csv(rows, (*HEADER, "time")), "t.csv")
    assert reading.talks == TALKS
    assert "could not be read" in reading.records[0].notes[0]


def test_who_speaks_is_asked_after_the_columns(load):
    rows = [
        (talk, {"customer": "Dora", "agent": "Lamp Desk"}[role], text) for talk, role, text in ROWS
    ]
    with pytest.raises(WaitingError) as raised:
        load(as_csv(rows), "t.csv")
    assert {one.name for one in raised.value.waiting.speakers} == {"Dora", "Lamp Desk"}
    roles = {"dora": "user", "lamp desk": "assistant"}
    assert load(as_csv(rows), "t.csv", mapping=Mapping(roles=roles)).talks == TALKS
    told = Mapping(conversation="c", speaker="who", words="what").with_roles(roles)
    again = Mapping.from_json(json.loads(json.dumps(told.as_json())))
    assert (again, again.sha256) == (told, told.sha256)
    assert load(as_csv(rows, ("c", "who", "what")), "t.csv", mapping=again).talks == TALKS


@pytest.mark.parametrize(("write", "name"), [(as_csv, "t.csv"), (as_lines, "t.jsonl")])
def test_without_a_conversation_column_it_is_asked_where_one_begins(load, write, name):
    rows = [
        (str(n), role, text) for n, (_, role, text) in zip((1, 2, 3, 4, 1, 2), ROWS, strict=True)
    ]
    header = ("turn", "speaker", "message")
    with pytest.raises(WaitingError) as raised:
        load(write(rows, header), name)
    asked = raised.value.waiting
    assert (asked.code, asked.columns, asked.rows[4][0]) == ("needs_mapping", header, "1")
    guess = asked.suggested
    assert (guess.order, guess.speaker, guess.words, guess.begins) == (*header, "anew")
    assert load(write(rows, header), name, mapping=guess).talks == TALKS
    whole = Mapping(speaker="speaker", words="message", begins="whole")
    assert load(write(rows, header), name, mapping=whole).talks == [TALKS[0] + TALKS[1]]


def test_a_new_conversation_begins_below_a_blank_row_or_after_a_pause(load):
    header = ("at", "who", "what")
    times = ["2024-03-12 09:00", "2024-03-12 09:05", "2024-03-12 09:40", "2024-03-12 10:20"]
    times += ["2024-03-12 11:30", "2024-03-12 11:31"]
    rows = [(time, role, text) for time, (_, role, text) in zip(times, ROWS, strict=True)]
    chosen = {"order": "at", "speaker": "who", "words": "what"}
    pause = Mapping(**chosen, begins="pause")
    assert load(as_csv(rows, header), "t.csv", mapping=pause).talks == TALKS
    rows.insert(4, ("", "", ""))
    blank = Mapping(**chosen, begins="blank")
    assert load(as_csv(rows, header), "t.csv", mapping=blank).talks == TALKS


def test_a_name_in_the_first_row_of_each_conversation_holds_for_those_below(load):
    rows = [(talk * (n in {0, 4}), role, text) for n, (talk, role, text) in enumerate(ROWS)]
    assert load(as_csv(rows), "t.csv").talks == TALKS


def test_rows_without_words_hold_nothing_and_other_columns_are_kept(load):
    rows = [(*row, "parcel") for row in ROWS]
    rows.insert(1, ("T1", "customer", "", "picture.png"))
    reading = load(as_csv(rows, (*HEADER, "topic")), "t.csv")
    assert reading.talks == TALKS
    assert reading.records[0].meta == {"topic": "parcel", "conversation_id": "T1"}


def test_pairs_of_one_conversation_come_together_where_a_person_says_so(load):
    rows = [("S", "Where?", "There."), ("S", "When?", "Now."), ("U", "Who?", "Ben.")]
    text = as_csv(rows, ("session", "asked", "told"))
    mapping = Mapping("asked", "told", conversation="session")
    reading = load(text, "t.csv", mapping=mapping)
    assert [len(talk) for talk in reading.talks] == [4, 2]
    assert reading.talks[0][2] == ("user", "When?")


def test_several_turns_stand_in_each_row(load):
    header = ("id", "user_1", "bot_1", "user_2", "bot_2")
    rows = [("7", "Where?", "There.", "When?", "Now."), ("8", "Who?", "Ben.", "", "")]
    talks = [
        [("user", "Where?"), ("assistant", "There."), ("user", "When?"), ("assistant", "Now.")],
        [("user", "Who?"), ("assistant", "Ben.")],
    ]
    assert load(as_csv(rows, header), "t.csv").talks == talks
    other = ("id", "a", "b", "c", "d")
    mapping = Mapping(turns=other[1:])
    assert load(as_csv(rows, other), "t.csv", mapping=mapping).talks == talks


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"speaker": "a"}, "both the column of who speaks"),
        ({"speaker": "a", "words": "b"}, "how a new one begins"),
        ({"speaker": "a", "words": "b", "begins": "pause"}, "column of the order"),
        ({"speaker": "a", "words": "b", "begins": "whole", "text": "c"}, "one way only"),
        ({"speaker": "a", "words": "a", "begins": "whole"}, "chosen twice"),
        ({"turns": ("a",)}, "at least two"),
        ({}, "Choose"),
    ],
)
def test_half_a_choice_is_refused_in_a_sentence(chosen, says):
    with pytest.raises(CorpusError, match=says):
        Mapping(**chosen)


def test_a_conversation_without_end_is_divided_and_nothing_is_lost(load, monkeypatch):
    monkeypatch.setattr(threads, "MOST_MESSAGES", 10)
    rows = [("T", "customer" if n % 2 else "agent", f"Line {n} of many.") for n in range(64)]
    for mixed in (rows, [row for n, row in enumerate(rows) for row in (row, ROWS[n % 6])]):
        reading = load(as_csv(mixed), "t.csv")
        told = [text for talk in reading.talks for _, text in talk if text.startswith("Line")]
        assert told == [f"Line {n} of many." for n in range(64)]
        assert max(map(len, reading.talks)) <= 10


def test_remarks_inside_a_conversation_and_broken_lines_keep_the_file_whole(load):
    text = as_csv(ROWS[:1]) + "T1,agent\nT1,agent,Here it is.,too much\n\nT2,agent,Hello you.\n"
    reading = load(text, "t.csv")
    assert reading.talks[0][-1] == ("assistant", "Here it is.")
    assert sorted(reading.codes) == ["missing_role", "ragged_row", "ragged_row"]
    lines = as_lines(ROWS[:2]) + "\n{broken\n" + as_lines(ROWS[2:])
    assert load(lines, "t.jsonl").codes == ["bad_json"]
    assert load(lines, "t.jsonl").talks == TALKS


def test_half_characters_of_json_pass_the_disk(load):
    line = '{"chat_id": "\\ud83d", "role": "user", "text": "Half \\ud83d\\u0000 one"}\n'
    reading = load(line + line.replace("user", "bot"), "t.jsonl")
    assert reading.talks == [[("user", "Half \ufffd one"), ("assistant", "Half \ufffd one")]]


def test_one_list_of_messages_of_one_conversation_stays_what_it_is(load):
    value = {"messages": [{"chat_id": 7, "role": "user", "text": "Hi there."}] * 1}
    value["messages"].append({"chat_id": 7, "role": "bot", "text": "Good day."})
    assert len(load(json.dumps(value), "x.json").records) == 1
    value["messages"] += [{"chat_id": 8, "role": "user", "text": "Hello."}]
    assert [len(talk) for talk in load(json.dumps(value), "x.json").talks] == [2, 1]
