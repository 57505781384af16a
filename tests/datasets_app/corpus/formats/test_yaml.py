"""YAML: talks in lists of lists, records of questions and answers, and traps."""

from __future__ import annotations

import pytest

from datasets_app.corpus.detection.kinds import text_kind
from datasets_app.corpus.detection.text_head import TextHead
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


@pytest.mark.parametrize("name", ["a.txt", "a.md", "notes"])
@pytest.mark.parametrize(
    "text",
    [
        "One.\n\n- - -\n\nTwo: a rule above.\n\n- - -\n\nThree.\n",
        "- - - - -\nTitle\n- - - - -\n\nText: some\n",
        "# Notes\n\n- - one\n- - two\n\nAnd prose: with words.\n",
        "- - *one* thing\n- - *two* things\n",
        "- - one\n- - " + "[" * 20_000,
    ],
)
def test_text_that_only_looks_like_lists_of_lists_stays_text(load, name, text):
    assert load(text, name).identified.kind in {"txt", "md"}


def test_talks_are_told_without_the_name_of_yaml_also_in_a_long_file():
    talk = "- - Where is my hat?\n  - 'It is here: on the hook.'\n"
    assert text_kind(TextHead(talk * 2, "a.txt", is_whole=True))[0] == "yaml"
    assert text_kind(TextHead((talk * 6_000)[:-20], "a.txt", is_whole=False))[0] == "yaml"


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
