"""Subtitles: who says what, and passages where nobody is named."""

from __future__ import annotations

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
