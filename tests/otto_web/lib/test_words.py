"""Numbers, sizes and spans in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto_web.lib import words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0 B"),
        (212, "212 B"),
        (999.7, "1 kB"),
        (1_300_000, "1.3 MB"),
        (41e9, "41 GB"),
        (5e16, "50,000 TB"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_size_has_one_decimal_below_ten(value, said):
    assert words.filesize(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.42, "0.4 s"),
        (9.97, "10 s"),
        (42, "42 s"),
        (59.9, "1 min 00 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 05 min"),
        (3 * 86400 + 4 * 3600, "3 d 4 h"),
        (timedelta(minutes=15), "15 min 00 s"),
        (None, "–"),
        (-1, "–"),
    ],
)
def test_a_span_names_its_two_largest_units(value, said):
    assert words.duration(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(999, "999"), (1234, "1.2 k"), (1_200_000, "1.2 M"), (999_999, "1 M"), ("", "–")],
)
def test_a_large_count_is_shortened(value, said):
    assert words.short_count(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.20491896500016082, "0.205"),
        (2e-3, "0.002"),
        (3e-5, "3e-05"),
        (1922, "1,922"),
        (-7, "-7"),
        (4.0, "4"),
        (12431.7, "12,432"),
        (10**30, f"{10**30:,d}"),
        (1e300, "1e+300"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (True, "yes"),
        (False, "no"),
        (None, "–"),
        ("", "–"),
        ("auto", "auto"),
    ],
)
def test_a_figure_is_said_as_people_read_one(value, said):
    assert words.figure(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "under a minute"),
        (50, "about 1 min"),
        (230, "about 4 min"),
        (5400, "about 90 min"),
        (7300, "about 2 h"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_span_that_nobody_knows_exactly_is_rounded(seconds, said):
    assert words.about(seconds) == said


def test_a_count_has_separators():
    assert words.count(12431) == "12,431"


def test_control_and_direction_characters_are_shown_as_signs():
    assert words.clean("a\x00b\x1b\x7f\u202ec\r\nd\te") == "a␀b␛␡[U+202E]c\nd\te"


@pytest.mark.slow
@given(st.text())
def test_cleaned_text_holds_no_character_that_acts(text):
    assert not words.CONTROL.search(words.clean(text))
