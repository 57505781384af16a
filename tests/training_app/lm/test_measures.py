"""Measures of replies, with answers that are known, and test sets that people write."""

from __future__ import annotations

import pytest

from training_app.lm.config import TrainingError
from training_app.lm.measures import Expected, as_json, from_json, means, measured, read_tests


@pytest.mark.parametrize(
    ("reply", "answer", "exact", "f1", "rouge_l"),
    [
        ("We open at nine.", "we open at NINE", True, 1.0, 1.0),
        ("nine at open we", "we open at nine", False, 1.0, 0.25),
        ("the cat sat on the mat", "the cat is on the mat", False, 5 / 6, 5 / 6),
        ("police killed the gunman", "the gunman police killed", False, 1.0, 0.5),
        ("Nothing shared", "we open at nine", False, 0.0, 0.0),
        ("", "we open", False, 0.0, 0.0),
    ],
)
def test_exact_f1_and_rouge_l_are_those_of_the_papers(reply, answer, exact, f1, rouge_l):
    found = measured(reply, Expected("When?", answer))
    assert (found.exact, found.f1, found.rouge_l) == (
        exact,
        pytest.approx(f1, abs=1e-4),
        pytest.approx(rouge_l, abs=1e-4),
    )
    assert (found.keywords, found.pattern) == (None, None)


@pytest.mark.parametrize(
    ("reply", "fits"),
    [
        ("Nine o'clock, Monday to Friday", True),
        ("9:00 from Monday", True),
        ("At ten, Monday", False),
    ],
)
def test_keywords_are_all_wanted_and_a_bar_means_one_of_them(reply, fits):
    assert measured(reply, Expected("When?", keywords=("9|nine", "monday"))).keywords is fits


def test_a_pattern_is_searched_and_one_without_end_does_not_fit():
    assert measured("Order AB-12", Expected("?", pattern=r"[A-Z]{2}-\d+")).pattern is True
    assert measured("a" * 60 + "b", Expected("?", pattern=r"(a|a|aa)+$")).pattern is False


def test_means_are_over_the_replies_that_a_measure_was_asked_of():
    found = [
        measured("nine", Expected("?", "nine")),
        measured("ten", Expected("?", "nine", keywords=("ten",))),
    ]
    assert means(found) == {"exact": 0.5, "keywords": 1.0, "f1": 0.5, "rouge_l": 0.5}
    assert means([]) == {}


CSV = 'question,answer,keywords,regex\n"When, exactly?",At nine.,nine|9; open,\nCode?,,,[A-Z]+\n'
JSONL = (
    '{"question": "When, exactly?", "answer": "At nine.", "keywords": ["nine|9", "open"]}\n\n'
    '{"question": "Code?", "regex": "[A-Z]+"}\n'
)


@pytest.mark.parametrize("text", [CSV, JSONL])
def test_a_test_set_is_read_from_csv_and_from_json_lines(text):
    found = read_tests(text)
    assert found == [
        Expected("When, exactly?", "At nine.", ("nine|9", "open")),
        Expected("Code?", pattern="[A-Z]+"),
    ]
    assert [from_json(as_json(one)) for one in found] == found


def test_signs_that_no_row_can_hold_are_taken_out_of_a_test_set():
    hostile = "a\\u0000b\\ud800"
    line = '{"question": "X", "answer": "X", "keywords": ["X"], "regex": "X"}'.replace("X", hostile)
    assert read_tests(line) == [Expected("ab\ufffd", "ab\ufffd", ("ab\ufffd",), "ab\ufffd")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must name the columns"),
        ("question,answer\n", "no question in this text"),
        ("a,b\n1,2\n", "must name the columns"),
        ("question,colour\nx,y\n", "no column “colour”"),
        ("question,answer\nWhen?,\n", "Line 2 says nothing of the answer"),
        ("question,answer\n,At nine.\n", "Line 2 has no question"),
        ('{"question": "a"', "Line 1 is no JSON object"),
        ('{"question": "a", "answer": 3}', "are texts"),
        ('{"question": "a", "x": 3}', "there is no “x”"),
        ('{"question": "a", "\\ud800": 3}', "there is no “\ufffd”"),
        ('{"question": "a", "keywords": 5}', "are texts"),
        ('{"question": "a", "keywords": {"a": 1}}', "are texts"),
        ('{"question": "a", "keywords": [["a"]]}', "are texts"),
        ("question,regex\nx," + "(" * 480 + "a" + ")" * 480 + "\n", "nested too deeply"),
        ("question,regex\nx," + "a" * 1_001 + "\n", "at most 1,000 characters"),
        ("question,regex\nx,(\n", "the regex cannot be read"),
        ("question,answer\n" + "a,b\n" * 501, "at most 500 questions"),
        ("question,answer\n" + "x" * 400_001, "at most 400,000 characters"),
    ],
)
def test_a_mistake_in_a_test_set_is_named_with_its_line(text, words):
    with pytest.raises(TrainingError, match=words):
        read_tests(text)
