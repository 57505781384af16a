"""Points of lines that the server draws."""

from __future__ import annotations

from otto_web.lib.curves import curve_points

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
