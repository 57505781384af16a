from __future__ import annotations

import io
import tracemalloc

import pytest

from datasets_app.corpus.detection import kinds
from datasets_app.corpus.readers import passages, reading
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import WaitingError


@pytest.mark.checklist(45)
def test_a_text_is_cut_at_blank_lines_and_nothing_is_lost(load):
    paragraphs = [f"Paragraph {n}.\n" + "word " * 300 for n in range(40)]
    text = "\n\n".join(paragraphs)
    data = text.encode()
    reading = load(data, "book.txt")
    assert reading.identified.kind == "txt"
    assert all(len(record.turns[0].text) <= 8000 for record in reading.records)
    assert len(reading.records) == 8
    for record in reading.records:
        assert data[record.start : record.end].decode().removesuffix("\n") == record.turns[0].text
    assert "\n\n".join(t for [(_, t)] in reading.talks).split() == text.split()


def test_a_paragraph_longer_than_a_passage_is_divided_never_cut_off(load):
    text = "This is a sentence. " * 1000
    reading = load(text, "long.txt")
    texts = [talk[0][1] for talk in reading.talks]
    assert "".join(texts) == text
    assert all(len(piece) <= 8000 for piece in texts)
    assert all(piece.endswith(". ") for piece in texts)


def test_a_text_without_any_space_is_divided_too(load):
    reading = load("啊" * 20_000, "long.txt")
    assert [len(talk[0][1]) for talk in reading.talks] == [8000, 8000, 4000]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_kind_give_the_same_passages(load, end):
    text = end.join(["one", "two", "", "", "three", ""])
    assert load(text, "a.txt").talks == [[("text", "one\ntwo\n\n\nthree")]]


@pytest.mark.checklist(46)
def test_markdown_keeps_headings_and_its_front_matter_is_no_text(load):
    body = "# Title\n\nText.\n\n## Part\n\n```\nUser: not a speaker\n\nAgent: code\n```\n"
    reading = load(f"---\ntitle: A page\ntags: [a]\n---\n{body}", "page.md")
    assert reading.identified.kind == "md"
    assert reading.talks == [[("text", body.rstrip("\n"))]]
    assert reading.records[0].meta == {"front_matter": {"title": "A page", "tags": "[a]"}}


@pytest.mark.checklist(47)
def test_rst_is_read_as_passages(load):
    reading = load("Title\n=====\n\n.. note:: x\n\nText.\n", "page.rst")
    assert reading.identified.kind == "rst"
    assert "Title\n=====" in reading.talks[0][0][1]


@pytest.mark.checklist(62)
@pytest.mark.parametrize("data", [b"", b"  \n\n ", b"\xef\xbb\xbf"])
def test_an_empty_file_is_called_empty(kind_of, data):
    assert kind_of(data, "a.txt").kind == "empty"
    assert "empty" in kind_of(data).format.refusal


TALK = "Agent: Hello, how can I help?\nCustomer: My box is broken.\nAgent: I send one.\n"
STAMPED = """[00:01:12] Agent - Hello, how can I help?
[00:01:15] Customer - My box is broken.
[00:01:19] Agent - I send one.
"""
NAMED = TALK.replace("Agent", "Daleen").replace("Customer", "Dani") + "Dani: Fine, thanks.\n"


@pytest.mark.parametrize(
    "text",
    [
        TALK,
        TALK.replace("Agent", "Agent (Ben)", 1),
        TALK.replace("Agent:", "**Agent:**").replace("Customer:", "**Customer:**"),
        "**Call Transcript** "
        + TALK.replace("Agent:", "**Agent:**")
        .replace("Customer:", "**Customer:**")
        .replace("\n", " "),
        TALK.replace("\n", "\n\n"),
        STAMPED,
        NAMED,
        "Participants:\nAgent: Daleen\nCustomer: Dani\n\n" + NAMED.replace("Hello, how can I", "I"),
        TALK.replace("Agent", "AGENT", 1).replace("Customer", "Kunde"),
    ],
)
def test_transcripts_give_turns_with_roles(load, text):
    reading = load(text, "call.txt")
    assert reading.identified.kind == "transcript"
    (talk,) = reading.talks
    assert [role for role, _ in talk][:3] == ["assistant", "user", "assistant"]
    assert talk[1][1].strip() == "My box is broken."


def test_the_same_speaker_in_a_row_is_one_turn_and_a_label_in_a_sentence_is_none(load):
    text = TALK + "Agent: And\nnote: call back, she said: yes.\nCustomer: Thanks.\n"
    (talk,) = load(text, "call.txt").talks
    assert [role for role, _ in talk] == ["assistant", "user", "assistant", "user"]
    assert talk[2][1] == "I send one.\nAnd\nnote: call back, she said: yes."


@pytest.mark.parametrize("first", ["Agent (Ben)", "Ben (agent)", "Agent Ben", "**Agent (Ben)**"])
def test_who_says_the_own_role_once_keeps_it(load, first):
    talk = load(
        f"{first}: How may I help you?\n\nCustomer (Ana): My lamp is dark.\n\n"
        "Ben: Is it plugged in?\n\nAna: Yes, it is.\n\nBen: Then we send a new one.\n",
        "call.txt",
    ).talks
    (turns,) = talk
    assert [role for role, _ in turns] == ["assistant", "user", "assistant", "user", "assistant"]


def test_speakers_of_unknown_role_are_asked_for(load):
    text = "Romeo: I love you dearly.\nJuliet: And so do I.\n" * 3
    with pytest.raises(WaitingError) as raised:
        load(text, "play.txt")
    assert {one.name for one in raised.value.waiting.speakers} == {"Romeo", "Juliet"}


@pytest.mark.parametrize(
    "stamp",
    [
        *("[01/20/19 11:25] ", "20/01/19, 11:25 - ", "01/20/2019, 11:25 a. m. - "),
        *("2019/01/20, 11:25 - ", "20.01.19, 11:25:09 - ", "[00:01:12] "),
    ],
)
def test_chat_exports_in_many_date_styles_give_turns(load, stamp):
    text = f"{stamp}John Doe: Hello you.\nand more\n{stamp}Kunde: Hello John.\n"
    (talk,) = load(text, "chat.txt").talks
    assert talk == [("assistant", "Hello you.\nand more"), ("user", "Hello John.")]


def test_a_training_text_is_read_back_as_its_pair(load):
    reading = load('{"text": "User: What?\\nAssistant: That."}\n' * 2, "x.jsonl")
    assert reading.talks == [[("user", "What?"), ("assistant", "That.")]] * 2


def test_a_list_of_questions_and_answers_gives_pairs(load):
    reading = load("Q: How much?\nA: Ten.\n\nQ: When?\nA: Now.\nOr later.\n", "faq.txt")
    assert reading.talks == [
        [("user", "How much?"), ("assistant", "Ten.")],
        [("user", "When?"), ("assistant", "Now.\nOr later.")],
    ]


@pytest.mark.slow
def test_many_blank_lines_are_one_gap_that_takes_no_memory(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a first line\n" + b"\n" * 50_000 + b"a last line\n" + b" \n" * 50_000)
    tracemalloc.start()
    items = list(reading.read(path, kinds.Identified("txt", ("given",))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(item).__name__ for item in items if item.end - item.start < 20] == ["Record"] * 2
    assert sum(item.end - item.start for item in items) == path.stat().st_size
    assert peak < 5 << 20


@pytest.mark.slow
def test_a_text_without_blank_lines_is_never_held_as_a_whole():
    stream = io.BytesIO(b"One line of many, with no blank line anywhere.\n" * 180_000)
    size = len(stream.getvalue())
    found = passages.read(Job(stream, b""))
    first = next(found)
    assert stream.tell() < 1 << 20 < 8_000_000 < size
    items = [first, *found]
    assert all(7_900 < len(item.turns[0].text) <= 8_000 for item in items[:-1])
    assert sum(item.end - item.start for item in items) == size


@pytest.mark.slow
def test_dividing_one_long_line_copies_each_of_its_characters_a_few_times_only():
    class Counted(str):
        __slots__ = ()
        copied = 0

        def __getitem__(self, key):
            part = super().__getitem__(key)
            Counted.copied += len(part)
            return part

    text = Counted("many words without an end " * 400_000)
    assert sum(map(len, passages.pieces(text))) == len(text) > 8_000_000
    assert Counted.copied < 3 * len(text)


@pytest.mark.slow
def test_a_speaker_without_end_is_divided_and_goes_on_speaking(load):
    words = "and then he went on and on " * 30_000
    text = "Customer: Hello there.\nAgent: Good day.\n" + f"{words}\n" * 4 + "Customer: Well.\n"
    found = load(text, "call.txt")
    roles = [[role for role, _ in talk] for talk in found.talks]
    assert roles == [["user", "assistant"], ["assistant", "user"]]
    assert sum(len(said.split()) for talk in found.talks for _, said in talk) == 840_005
    assert found.codes == []


def test_a_part_in_which_nobody_speaks_is_named_by_its_line(load):
    found = load(f"{TALK}\n---\nWith kind regards\n", "call.txt")
    assert [(problem.line, problem.code) for problem in found.problems] == [(5, "missing_role")]
    assert "Line 5" in found.problems[0].message
