"""Points of lines that the server draws."""

from __future__ import annotations

import math

from otto_web.lib.curves import curve_points, smoothed

BOX = {"width": 100, "height": 50, "margin": 0}


def test_the_first_point_is_left_and_the_highest_value_is_at_the_top():
    assert curve_points([(0, 4), (10, 2)], **BOX) == "0.0,0.0 100.0,50.0"


def test_values_that_are_no_numbers_are_left_out():
    broken = [(0, 4.0), (5, float("nan")), (7, float("inf")), (10, 2.0)]
    assert curve_points(broken, **BOX) == "0.0,0.0 100.0,50.0"


def test_two_curves_share_a_scale_by_their_bounds():
    assert curve_points([(0, 2), (1, 2)], bounds=(0, 4), **BOX) == "0.0,25.0 100.0,25.0"


def test_one_point_or_none_is_no_fault():
    assert curve_points([(3, 3)], **BOX) == "0.0,50.0"
    assert curve_points([], **BOX) == ""


def test_a_smoothed_curve_begins_at_its_first_value_and_keeps_its_steps():
    noisy = [(step, 5.0 + (1 if step % 2 else -1)) for step in range(300)]
    calm = smoothed(noisy)
    assert [step for step, _ in calm] == list(range(300))
    assert calm[0][1] == noisy[0][1]
    assert max(value for _, value in calm[50:]) - min(value for _, value in calm[50:]) < 0.3
    assert smoothed([(1, 2.0), (2, math.nan), (3, 2.0)]) == [(1, 2.0), (3, 2.0)]
    assert smoothed([]) == []
