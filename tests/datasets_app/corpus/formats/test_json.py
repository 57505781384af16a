from __future__ import annotations

import json

import pytest

from datasets_app.corpus.conversation import Conversation, Turn, from_json
from datasets_app.corpus.parsing.shapes import list_of_turns
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard

PAIR = [("user", "Hi?"), ("assistant", "Hello.")]
MESSAGES = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]

SHAPES = [
    {"input": "Hi?", "output": "Hello."},
    {"Question": "Hi?", "Answer": "Hello."},
    {"prompt": "Hi?", "completion": "Hello."},
    {"prompt": "Hi?", "response": "Hello."},
    {"instruction": "Hi?", "input": "", "output": "Hello."},
    {"messages": MESSAGES},
    {"messages": [{"role": "USER", "content": [{"type": "text", "text": "Hi?"}]}, MESSAGES[1]]},
    {"conversations": [{"from": "human", "value": "Hi?"}, {"from": "gpt", "value": "Hello."}]},
    {"turns": [{"speaker": "USER", "text": "Hi?"}, {"speaker": "SYSTEM", "text": "Hello."}]},
    {"turns": [{"role": "Customer", "content": "Hi?"}, {"role": "Agent", "content": "Hello."}]},
    {"prompt": "Hi?", "chosen": "Hello.", "rejected": "Go away."},
    {"chosen": MESSAGES, "rejected": MESSAGES},
    {"title": "Hi?", "body": "Hello."},
    {"Content": "Customer: Hi?\n\nAgent: Hello.\n\nCustomer: Bye.\n"},
]


@pytest.mark.checklist(51, 147)
@pytest.mark.parametrize("shape", SHAPES, ids="-".join)
@pytest.mark.parametrize("wrap", ["line", "array", "object", "nested", "alone"])
def test_known_shapes_become_conversations(load, shape, wrap):
    wrapped = {
        "line": f"{json.dumps(shape)}\n{json.dumps(shape)}\n",
        "array": json.dumps([shape, shape]),
        "object": json.dumps({"version": 1, "data": [shape, shape]}),
        "nested": json.dumps({"shop": {"7": {"docs": {"0": shape, "1": shape}}}}, indent=1),
        "alone": json.dumps(shape, indent=2),
    }[wrap]
    talks = load(wrapped).talks
    assert len(talks) == (1 if wrap == "alone" else 2)
    assert all(talk[:2] == PAIR for talk in talks)


@pytest.mark.checklist(149)
def test_fields_that_are_no_turns_are_kept_beside_the_conversation(load):
    row = {"input": "a", "output": "b", "timestamp": "2024-01-01T00:00:00", "accepted": False}
    (record,) = load(json.dumps(row)).records
    assert record.meta == {"timestamp": "2024-01-01T00:00:00", "accepted": False}


@pytest.mark.checklist(51, 151)
def test_a_broken_line_is_one_problem_with_its_number_and_the_others_load(load):
    good = '{"input": "a", "output": "b"}\n'
    reading = load(good * 2 + '{"input": "a", "outp\n' + '{"input": "a"}\n' + good + good[:9])
    assert len(reading.records) == 3
    assert [(p.line, p.code) for p in reading.problems] == [
        (3, "bad_json"),
        (4, "missing_role"),
        (6, "bad_json"),
    ]
    assert "no answer" in reading.problems[1].message


@pytest.mark.checklist(151)
def test_a_broken_element_of_an_array_fails_alone_at_its_place(load):
    text = '[\n{"input": "a", "output": "b"},\n  {"input": tru},\n{"input": "c", "output": "d"}\n]'
    reading = load(text, "x.json")
    assert len(reading.records) == 2
    assert [(p.line, p.column, p.code) for p in reading.problems] == [(3, 13, "bad_json")]


def test_a_record_cut_from_the_file_gives_the_same_value(load, tmp_path):
    rows = [{"input": f"q{n} «é»", "output": "a" * n} for n in range(1, 50)]
    data = json.dumps(rows, ensure_ascii=False, indent=1).encode()
    reading = load(data)
    cut = [json.loads(data[record.start : record.end]) for record in reading.records]
    assert cut == rows


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_other_encodings_keep_their_own_places(load, encoding):
    rows = [{"input": f"q{n} «é»", "output": "a" * n} for n in range(1, 50)]
    data = json.dumps(rows, ensure_ascii=False).encode(encoding)
    plain = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}
    reading = load(data)
    cut = [
        json.loads(data[record.start : record.end].decode(plain.get(encoding, encoding)))
        for record in reading.records
    ]
    assert cut == rows


def test_small_faults_are_remarked_and_the_record_loads(load):
    cases = {
        '{"input": "a", "output": "b", "n": NaN}': "not_a_number",
        '{"input": "a", "output": "b", "n": 1e999}': "not_a_number",
        '{"input": "a", "output": "x", "output": "b"}': "duplicate_key",
        '{"input": "a", "output": "b",}': "trailing_comma",
        '{"input": "a", /* why */ "output": "b"}': "comment",
        '{"input": "a\u000b", "output": "b"}': "control_character",
    }
    for text, code in cases.items():
        reading = load(text + "\n" + text + "\n", "x.jsonl")
        assert reading.codes == [code, code], text
        assert [talk[1] for talk in reading.talks] == [("assistant", "b")] * 2
        assert all(record.meta.get("n") is None for record in reading.records)


def test_values_that_are_no_text(load):
    lines = [json.dumps({"input": "a", "output": value}) for value in (5, True, 1.5, None, [], {})]
    reading = load("\n".join(lines), "x.jsonl")
    assert [talk[1][1] for talk in reading.talks] == ["5", "true", "1.5"]
    assert all("was a" in record.notes[0] for record in reading.records)
    assert reading.codes == ["not_text"] * 3


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("[" * 100_000, "too_nested"),
        ('{"input": ' + "9" * 5000 + ', "output": "b"}', "long_number"),
        ('{"a":' * 100 + "1" + "}" * 100, "too_nested"),
    ],
)
def test_values_made_to_hurt_fail_and_the_other_lines_load(load, bad, code):
    good = '{"input": "a", "output": "b"}\n'
    reading = load(good * 3 + bad + "\n" + good, "x.jsonl")
    assert len(reading.records) == 4
    assert reading.codes == [code]


def test_separators_that_are_no_line_ends_stay_inside_a_record(load):
    signs = "\u2028\u2029\u0085"
    line = json.dumps({"input": f"a{signs}b", "output": "c"}, ensure_ascii=False)
    reading = load(f"{line}\n{line}\r\n{line}")
    assert [talk[0][1] for talk in reading.talks] == [f"a{signs}b"] * 3
    assert load(f"{line}\r{line}\r").talks == reading.talks[:2]


def test_nul_and_half_characters_never_reach_the_database(load):
    line = '{"input": "a\\u0000b", "output": "\\ud800", "x\\u0000": ["\\udfff"]}'
    (record,) = load(line).records
    assert [turn.text for turn in record.turns] == ["ab", "\ufffd"]
    assert record.meta == {"x": ["\ufffd"]}
    assert len(record.notes) == 2


def test_a_list_of_strings_is_a_list_of_passages(load):
    reading = load(json.dumps(["one", "", "{two}", "undef\ttab"]))
    assert reading.talks == [[("text", text)] for text in ("one", "", "{two}", "undef\ttab")]


def test_questions_about_a_shared_text_get_it_before_them(load):
    asked = [
        {"question": "Who?", "id": "1", "answers": [{"text": "Ann", "answer_start": 0}]},
        {"question": "Why?", "id": "2", "answers": [], "is_impossible": True},
    ]
    data = {"data": [{"title": "T", "paragraphs": [{"context": "Ann ran.", "qas": asked}]}]}
    reading = load(json.dumps(data))
    assert reading.talks == [[("user", "Ann ran.\n\nWho?"), ("assistant", "Ann")]]
    assert reading.codes == ["missing_role"]


def test_the_name_of_what_pairs_are_about_opens_their_questions(load):
    pair = {"title": "Do you take cards?", "body": "No, only cash."}
    told = {
        "restaurant": {"7": {"name": "Da Vinci", "docs": {"0": pair}}},
        "taxi": {"*": {"name": None, "docs": {"0": pair}}},
        "shops": [{"title": "x" * 200, "faq": [pair]}],
    }
    asked = [talk[0][1] for talk in load(json.dumps(told)).talks]
    opened = "{}\n\nDo you take cards?"
    assert asked == [opened.format("Da Vinci"), opened.format("taxi"), "Do you take cards?"]


def test_the_name_of_a_whole_file_opens_no_question(load):
    pairs = [{"question": "Open?", "answer": "Yes."}]
    assert load(json.dumps({"name": "Our FAQ", "data": pairs})).talks[0][0] == ("user", "Open?")


def test_concatenated_and_pretty_printed_objects_are_read(load):
    rows = [{"input": f"q{n}", "output": "a"} for n in range(3)]
    pretty = "\n".join(json.dumps(row, indent=2) for row in rows)
    assert len(load(pretty, "x.jsonl").records) == 3
    assert len(load("".join(map(json.dumps, rows)), "x.json").records) == 3


def test_two_turns_of_one_role_stay_two(load):
    turns = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    assert load(json.dumps({"messages": turns})).talks == [[("user", "a"), ("user", "b")]]


def test_an_unknown_role_in_one_talk_of_many_stays_as_it_is(load):
    def talk(*said):
        return {"messages": [{"role": role, "content": text} for role, text in said]}

    odd = [("user", "a"), ("assistant", "b"), ("user", "c"), ("narrator", "d"), ("choir", "e")]
    fine = talk(("user", "a"), ("assistant", "b"))
    found = load(json.dumps([fine] * 20 + [talk(*odd[2:])])).talks
    assert found[-1] == odd[2:]


@pytest.mark.slow
def test_a_line_of_17_mib_is_one_problem(load):
    good = '{"input": "a", "output": "b"}\n'
    long = '{"input": "' + "x" * (17 << 20) + '"}\n'
    reading = load(good * 2 + long + good, "x.jsonl")
    assert (len(reading.records), reading.codes) == (3, ["too_long"])


@pytest.mark.slow
def test_a_single_line_array_of_any_size_is_read_in_flat_memory(tmp_path):
    import tracemalloc  # noqa: PLC0415

    from datasets_app.corpus.detection.kinds import identify  # noqa: PLC0415
    from datasets_app.corpus.readers.reading import read  # noqa: PLC0415

    path = tmp_path / "big.json"
    element = json.dumps({"input": "q" * 4000, "output": "a" * 4000})
    with path.open("w") as file:
        file.write("[" + ",".join([element] * 200))
        for _ in range(20):
            file.write("," + ",".join([element] * 200))
        file.write("]")
    found = identify(path, "big.json")
    tracemalloc.start()
    count = sum(1 for item in read(path, found) if hasattr(item, "turns"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 21 * 200
    assert peak < 24 << 20


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_every_line_end_inside_a_value_becomes_lf(load, name):
    text = r'{"input": "one\r\ntwo", "output": "three\rfour"}' + "\n"
    table = 'input,output\r\n"one\r\ntwo","three\rfour"\r\n'
    (talk,) = load(table if name.endswith("csv") else text, name).talks
    assert talk == [("user", "one\ntwo"), ("assistant", "three\nfour")]


def test_a_comma_behind_each_line_is_passed_over(load):
    lines = [json.dumps({"input": f"Where is {n}?", "output": f"At {n}."}) for n in range(5)]
    for name in ("export.jsonl", "export.json", "export.txt"):
        reading = load(",\r\n".join(lines) + "\r\n", name)
        assert (len(reading.records), set(reading.codes)) == (5, {"trailing_comma"})


@pytest.mark.slow
def test_the_commas_of_a_list_longer_than_what_is_looked_at_are_its_own(load):
    record = json.dumps({"input": "Where is it?", "output": "At home, as it is every day of May."})
    text = "[\n" + ",\n".join([record] * 20_000) + "\n]\n"
    reading = load(text, "export.json")
    assert (len(reading.records), reading.codes) == (20_000, [])


def test_files_inside_a_text_become_a_mark(load):
    coded = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 40
    wrapped = "\n".join(coded[at : at + 76] for at in range(0, len(coded), 76)) + "=="
    asked = (
        f"See ![the lamp](data:image/png;base64,{coded}=) and data:audio/ogg;base64,{wrapped} ok?"
    )
    short = "It says data:text/plain;base64,SGVsbG8= there."
    reading = load(json.dumps({"input": asked, "output": short}), "a.json")
    assert reading.talks == [[("user", "See [file] and [file] ok?"), ("assistant", short)]]
    assert reading.records[0].notes == ("2 files inside the text became [file]",)


def test_an_answer_of_weight_zero_is_marked_as_not_to_be_learnt():
    messages = [
        {"role": "user", "content": "Hi?", "weight": 0},
        {"role": "assistant", "content": "Go away.", "weight": 0},
        {"role": "user", "content": "Please?"},
        {"role": "assistant", "content": "Hello.", "weight": 1},
    ]
    talk = Conversation(list_of_turns(messages, [], {}))
    assert [turn.is_learnt for turn in talk.turns] == [True, False, True, True]
    assert from_json(talk.as_json()) == talk
    shorter = Conversation(tuple(Turn(turn.role, turn.text) for turn in talk.turns))
    assert talk.row_hash() != shorter.row_hash()
    assert {found.turn for found in judge(talk, standard()).findings} == {3}
    alone = Conversation(talk.turns[:2])
    assert [found.rule for found in judge(alone, standard()).findings] == ["structure"]
