"""YAML: talks in lists of lists, records of questions and answers, and traps."""

from __future__ import annotations

import pytest

from datasets_app.corpus.limited.run import ChildError

TALKS = b"""categories:
- greetings
conversations:
- - Where is my hat?
  - 'It is here: on the hook.'
  - Note: thank you
- - |
    Two
    lines
  - yes
"""
PAIRS = b"""version: "3.1"
faq:
- question: When do you open?
  answer: 9
- question: And on Sunday?
  answer: no
"""
SPOKEN = b"""---
- messages:
  - {role: user, content: "Where?"}
  - {role: assistant, content: "Here."}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "talks"),
    [
        (
            TALKS,
            [
                [
                    ("user", "Where is my hat?"),
                    ("assistant", "It is here: on the hook."),
                    ("user", "Note: thank you"),
                ],
                [("user", "Two\nlines\n"), ("assistant", "yes")],
            ],
        ),
        (
            PAIRS,
            [
                [("user", "When do you open?"), ("assistant", "9")],
                [("user", "And on Sunday?"), ("assistant", "no")],
            ],
        ),
        (SPOKEN, [[("user", "Where?"), ("assistant", "Here.")]]),
    ],
)
def test_talks_and_records_are_read_as_they_are_written(read_doc, body, talks):
    found = read_doc(body, "a.yml")
    assert found.talks == talks
    assert found.records[0].place == "record 1"


def test_a_file_of_settings_stays_plain_text(load):
    assert load("server:\n  port: 80\nnames:\n- one\n- two\n", "a.yml").identified.kind == "txt"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a: &x [b, c]\nconversations:\n- - one\n  - two\n- - *x\n", "an alias"),
        (b"conversations:\n- - one\n  - two\n- - 'three\n  - four\n", "not valid YAML"),
        (b"- - " * 4_000 + b"\n- - a\n", "too deep"),
    ],
)
def test_traps_and_damage_are_refused_in_a_sentence(read_doc, body, said):
    with pytest.raises(ChildError, match=said):
        read_doc(body, "a.yml", kind="yaml")
