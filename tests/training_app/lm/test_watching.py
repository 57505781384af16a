"""What is said of a run while it goes, and what its perplexity is called."""

from __future__ import annotations

import math

import pytest

from training_app.lm.bands import LossCurve
from training_app.lm.watching import (
    course_warnings,
    is_gibberish,
    overfit_warning,
    perplexity_band,
    perplexity_of,
)

NOTHING = LossCurve([])


def line(first, last, count=200):
    return [(n + 1, first + (last - first) * n / (count - 1)) for n in range(count)]


@pytest.mark.checklist(96)
@pytest.mark.parametrize(
    ("perplexity", "tone", "span"),
    [
        (4, "warn", "below 10"),
        (45, "good", "10 to 100 is good"),
        (400, "warn", "100 to 1,000 is fair"),
        (5_000, "bad", "above 1,000 is poor"),
        (math.inf, "bad", "above 1,000 is poor"),
    ],
)
def test_a_perplexity_has_the_colour_and_the_text_of_its_band(perplexity, tone, span):
    band = perplexity_band(math.log2(perplexity) / 4.5 if perplexity < math.inf else 1e9)
    assert (band.tone, span in band.span) == (tone, True)
    assert perplexity_of(math.log2(45) / 4.5) == pytest.approx(45)


@pytest.mark.checklist(97)
def test_a_loss_above_8_or_flat_is_said_while_the_run_goes():
    said = list(course_warnings(line(10.4, 8.6), NOTHING, passes=0.5))
    assert len(said) == 1
    assert "The loss is 8.6 after 200 updates" in said[0]
    assert "a good run falls from about 10 to 2 to 4" in said[0]
    assert not list(course_warnings(line(10.4, 9.9, count=50), NOTHING, passes=0.1))  # too soon
    assert not list(course_warnings(line(10.4, 3.1), NOTHING, passes=1.0))
    flat = LossCurve([(0, 6.0), (100, 5.95), (200, 5.9)])
    assert list(course_warnings(line(6.0, 5.9), flat, passes=1.0)) == [
        "The loss stayed flat: it learned almost nothing."
    ]


@pytest.mark.checklist(186)
def test_a_loss_above_2_after_three_passes_is_advice_to_look_at_the_data():
    (said,) = course_warnings(line(6.0, 2.4), NOTHING, passes=3.2)
    assert "still 2.4" in said
    assert "after 3 passes over the data. That often means poor data" in said
    assert not list(course_warnings(line(6.0, 2.4), NOTHING, passes=2.0))
    assert not list(course_warnings(line(6.0, 1.6), NOTHING, passes=8.0))


@pytest.mark.checklist(99)
def test_it_overfits_where_validation_rises_while_training_falls():
    rising = LossCurve([(0, 6.0), (40, 3.0), (80, 3.2), (120, 3.5)])
    said = overfit_warning(line(2.8, 1.0, count=80), rising)
    assert "It overfits since update 40" in said
    assert "rose from 3.000 to 3.500" in said
    assert "“Stop and keep” makes a model of that state" in said
    assert not overfit_warning(line(2.8, 2.9, count=80), rising)  # both rise: no overfitting
    falling = LossCurve([(0, 6.0), (40, 3.0), (80, 2.9), (120, 2.8)])
    assert not overfit_warning(line(2.8, 1.0, count=80), falling)
    assert not list(course_warnings(line(2.8, 1.0), rising, passes=1.0))  # said once, there


@pytest.mark.checklist(98)
def test_replies_that_are_no_language_are_told_from_those_that_are():
    for reply in ("\ufffd\ufffd ref\ufffd\ufffd", "the the the the the the the the the the the"):
        assert is_gibberish(reply)
    for reply in ("Your parcel is on its way.", "Ja, gern.", "42", "", "配達中です。"):
        assert not is_gibberish(reply)
