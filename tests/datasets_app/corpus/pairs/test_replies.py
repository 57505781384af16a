"""Replies of language models: what is read out of them, and what is said where nothing is."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.corpus.pairs.replies import ReplyError, pairs_of
from datasets_app.corpus.pairs.support import nearest_place, place_of

ONE, TWO = ("Who?", "We."), ("When?", "Now.")
BOTH = json.dumps([{"question": q, "answer": a} for q, a in (ONE, TWO)])


@pytest.mark.parametrize(
    "reply",
    [
        BOTH,
        f'{{"qa_pairs": {BOTH}}}',
        f'{{"data": {{"items": {BOTH}}}}}',
        f"```json\n{BOTH}\n```",
        f'<think>Maybe [{{"question": "x", "answer": "y"}}]</think>\n{BOTH}',
        f"I thought a while.</think>{BOTH}",
        f"Here they are:\n{BOTH}\nAsk for more.",
        '{"question": "Who?", "answer": "We."}\n{"question": "When?", "answer": "Now."}',
        '[{"question": "Who?", "answer": "We."}, {"question": "When?", "answer": "Now."},]',
        '[{"question": "Who?", "answer": "We."} {"question": "When?", "answer": "Now.",}]',
        '[{"question": "Who?" "answer": "We."}, {"question": "When?", "answer": "Now."}]',
        '[{"Question": "Who?", "Answer": "We."}, {"q": "When?", "a": "Now."}]',
        f"{BOTH[:-1]}, {BOTH[1:]}",
        f'{BOTH[:-1]}, {{"question": "Cut?", "answ',
    ],
)
def test_both_pairs_are_found_however_they_are_wrapped_or_broken(reply):
    assert pairs_of(reply, 5) == [ONE, TWO]


def test_line_breaks_escapes_and_quotes_inside_are_mended():
    reply = (
        '[{"question": "Where is C:\\data?", "answer": "On\nthe disk."}, '
        '{"question": "Who said "stop" first?", "answer": "Ana \\u00e9."}]'
    )
    assert pairs_of(reply, 5) == [
        ("Where is C:\\data?", "On\nthe disk."),
        ('Who said "stop" first?', "Ana é."),
    ]


def test_what_no_database_holds_is_taken_out_of_pairs():
    reply = '[{"question": "Wh\\u0000o?", "answer": "\\ud800We."}, {"q": "x", "a": "\\u0000"}]'
    assert pairs_of(reply, 5) == [("Who?", "\ufffdWe.")]


def test_no_more_than_asked_and_none_twice():
    assert pairs_of(BOTH, 1) == [ONE]
    assert pairs_of(BOTH + BOTH, 5) == [ONE, TWO]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "empty"),
        ("<think>for ever", "empty"),
        ("I cannot help with that.", "prose"),
        ('{"questions": ["Who?"]}', "no list of questions and answers"),
        ('[{"question": "Who?", "answer": ""}]', "no list of questions and answers"),
        ('[{"question": 1, "answer": null}]', "no list of questions and answers"),
    ],
)
def test_a_reply_without_pairs_says_what_it_is(reply, why):
    with pytest.raises(ReplyError, match=why):
        pairs_of(reply, 3)


@given(st.text(alphabet='{}[]",:\\ \nabu<>think/`', max_size=200))
def test_no_reply_breaks_the_reader(reply):
    with suppress(ReplyError):
        assert all(question and answer for question, answer in pairs_of(reply, 3))


def test_an_answer_is_found_in_its_chunk_also_across_lines():
    chunk = "The shop opens\nat nine. It closes at six. Nobody works on Sunday."
    place = place_of("The shop opens at nine.", chunk)
    assert chunk[slice(*place)] == "The shop opens\nat nine."
    assert place_of("The shop is shut.", chunk) is None
    near = nearest_place("It closes at six o'clock", chunk)
    assert "closes at six" in chunk[slice(*near)]
    assert nearest_place("Rabbits eat carrots all day long", chunk) is None
