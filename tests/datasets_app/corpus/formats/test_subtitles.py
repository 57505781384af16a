"""Subtitles: who says what, and passages where nobody is named."""

from __future__ import annotations

import io

import pytest

from datasets_app.corpus.formats import subtitles
from datasets_app.corpus.readers.job import Job

SRT = """1
00:00:01,000 --> 00:00:03,500
Open the valve
before you start.

2
00:00:04,000 --> 00:00:06,000
<i>Then</i> wait &amp; listen.
"""
VTT = """\ufeffWEBVTT - a call

NOTE made by hand

intro
00:01.000 --> 00:03.000 align:start
<v Agent>How can I help you today?

00:04.000 --> 00:06.000
<v Customer>The heater is cold,
it was warm yesterday.

00:06.500 --> 00:07.000
<v Agent>I will send somebody.

00:08.000 --> 00:09.000
<v Customer>Thank you very much.
"""


def test_subrip_without_speakers_is_a_passage(load):
    found = load(SRT, "film.srt")
    assert found.identified.kind == "subtitle"
    assert found.talks == [[("text", "Open the valve before you start. Then wait & listen.")]]
    assert found.records[0].meta == {"from": "00:00:01,000", "to": "00:00:06,000"}


def test_voices_become_turns(load):
    found = load(VTT, "call.vtt")
    assert found.talks == [
        [
            ("assistant", "How can I help you today?"),
            ("user", "The heater is cold, it was warm yesterday."),
            ("assistant", "I will send somebody."),
            ("user", "Thank you very much."),
        ]
    ]


def test_labels_and_the_times_of_sbv_are_known(load):
    lines = ("Agent: How can I help?", "Customer: It is cold.") * 2
    cues = (f"0:00:0{n}.000,0:00:0{n}.900\n{line}\n\n" for n, line in enumerate(lines))
    found = load("".join(cues), "call.sbv")
    assert [role for role, _ in found.talks[0]] == ["assistant", "user"] * 2


def test_a_line_that_rolls_on_is_read_once(load):
    cues = ("one", "one\ntwo", "two\nthree")
    text = "".join(f"0{n}:00.000 --> 0{n}:09.000\n{cue}\n\n" for n, cue in enumerate(cues))
    assert load(f"WEBVTT\n\n{text}", "a.vtt").talks == [[("text", "one two three")]]


def test_text_without_times_is_pointed_at_and_the_rest_loads(load):
    found = load(SRT + "\nlost words\nand more\n\n" + SRT, "a.srt")
    assert found.codes == ["unknown_shape"]
    assert found.problems[0].message == "Line 10: no times stand above this text."
    assert len(found.records) == 2


def test_a_long_film_is_cut_between_its_cues(load):
    cue = "00:00:01,000 --> 00:00:02,000\n" + "Many words are said here. " * 4
    found = load("\n\n".join(f"{n}\n{cue} {n}" for n in range(200)), "film.srt")
    assert len(found.records) == 3
    assert all(len(record.turns[0].text) <= 8_000 for record in found.records)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["film.srt", "film.txt"])
def test_cues_need_no_blank_lines_between_them_and_no_parts_of_a_second(load, name, end):
    text = "1\n00:00:01 --> 00:00:03\nOpen it\n2\n00:00:04 --> 00:00:06\nat last 2\n"
    found = load(text.replace("\n", end), name)
    assert found.identified.kind == "subtitle"
    assert found.talks == [[("text", "Open it at last 2")]]
    assert found.records[0].meta == {"from": "00:00:01", "to": "00:00:06"}


def test_the_first_cue_may_follow_the_header_at_once(load):
    found = load("WEBVTT\nKind: captions\n00:01.000 --> 00:02.000\nFirst.\n", "a.vtt")
    assert found.talks == [[("text", "First.")]]
    assert found.codes == []


def test_two_voices_in_one_line_are_two_turns(load):
    cues = "<v Agent>How can I help?</v> <v Customer>It is cold.</v>", "<v Agent>I come.</v>"
    text = "".join(f"0{n}:00.000 --> 0{n}:09.000\n{cue}\n\n" for n, cue in enumerate(cues))
    assert load(f"WEBVTT\n\n{text}", "a.vtt").talks == [
        [("assistant", "How can I help?"), ("user", "It is cold."), ("assistant", "I come.")]
    ]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.csv", "start,stop,text\n0:01.5,0:02.5,Hello\n0:03.5,0:04.5,There\n", "csv"),
        ("a", "0:01.5,0:02.5,Hello\n0:03.5,0:04.5,There\n0:05.5,0:06.5,You\n", "csv"),
        ("a.csv", "start,stop\n0:01.5,0:02.5\n0:03.5,0:04.5\n", "csv"),
        ("a.md", f"# How to\n\nLike this:\n\n```\n{SRT}```\n\n## Then\n\nGo.\n\nOn.\n", "md"),
        ("a.txt", "The film begins.\n\n0:00:01.000,0:00:02.000\nHello.\n\nIt ends.\n", "txt"),
        ("a.vtt", "\ufeffWEBVTT\n", "subtitle"),
    ],
)
def test_a_line_of_times_alone_makes_no_subtitles(kind_of, name, text, kind):
    assert kind_of(text, name).kind == kind


def test_what_is_said_before_the_first_speaker_is_kept_beside_the_talk(load):
    text = VTT.replace("intro\n", "00:00.100 --> 00:00.900\nA call of May\n\n")
    assert load(text, "a.vtt").records[0].meta["heading"] == "A call of May"


def test_the_next_piece_of_a_long_talk_goes_on_with_the_same_speakers(load):
    words = "he went on and on " * 30_000
    lines = ["Romeo: Thank you for calling, how can I help?", "Juliet: It is cold."]
    cues = [*lines, *lines, *(f"{words}{n}" for n in range(3)), "Romeo: I come."]
    times = "00:00:01.000 --> 00:00:02.000"
    found = load("WEBVTT\n\n" + "".join(f"{times}\n{cue}\n\n" for cue in cues), "a.vtt")
    assert len(found.records) == 3
    assert [turn.role for record in found.records for turn in record.turns] == [
        *("assistant", "user", "assistant", "user"),
        *("user", "user", "assistant"),
    ]
    said = " ".join(turn.text for record in found.records for turn in record.turns)
    assert said.split() == " ".join(cues).replace("Romeo: ", "").replace("Juliet: ", "").split()


def test_cues_without_blank_lines_are_never_held_as_a_whole():
    cue = "00:00:01,000 --> 00:00:02,000\nOne line of %d.\nAnd its second one.\n"
    text = "".join(f"{n}\n{cue}" % n for n in range(40_000)).encode()
    stream = io.BytesIO(text)
    next(subtitles.read(Job(stream, text[: 1 << 10])))
    assert stream.tell() < len(text) // 4
