"""Curves: thinned without losing an extreme, complete after any number."""

from __future__ import annotations

import time

import pytest

from training_app.models import RunPoint
from training_app.selectors.points import MOST_PER_CURVE, points_since, thinned_curves
from training_app.services.attempts import ProcessIdentity, claim_run
from training_app.services.recording import record_points

HERE = ProcessIdentity("here", 1, 1.0)


@pytest.fixture
def claim(queued_run):
    return claim_run(HERE)


@pytest.mark.slow
def test_a_long_curve_is_thinned_and_keeps_its_extremes(claim):
    values = {step: float(step % 100) for step in range(1, 10_001)}
    values[5_003], values[7_777] = -9.0, 999.0
    record_points(claim, [("train/loss", step, value) for step, value in values.items()])
    began = time.thread_time()  # what a neighbour cannot lengthen
    rows = points_since(claim.run_id, 0).rows
    assert time.thread_time() - began < 1
    assert len(rows) <= MOST_PER_CURVE
    assert {-9.0, 999.0} <= {value for _, _, value in rows}


def test_a_short_curve_is_given_whole(claim):
    record_points(claim, [("train/loss", step, 1.0) for step in range(1, 301)])
    curve = thinned_curves([claim.run_id], most=400)[claim.run_id]["train/loss"]
    assert [step for step, _ in curve] == list(range(1, 301))


def test_what_came_after_a_number_is_all_there_is_to_fetch(claim):
    record_points(claim, [("train/loss", 1, 4.0)])
    first = points_since(claim.run_id, 0)
    record_points(claim, [("train/loss", 2, 3.0), ("validation/loss", 2, 3.5)])
    later = points_since(claim.run_id, first.upto)
    assert {row[:2] for row in later.rows} == {("train/loss", 2), ("validation/loss", 2)}
    assert points_since(claim.run_id, later.upto).rows == []


@pytest.mark.checklist(91)
def test_a_step_computed_again_is_one_point_and_says_when_it_differs(claim):
    assert record_points(claim, [("train/loss", 1, 4.0), ("train/loss", 2, 3.0)]) is None
    assert record_points(claim, [("train/loss", 1, 4.0), ("train/loss", 2, 3.0)]) is None
    assert record_points(claim, [("train/loss", 2, 3.1)]) == 2
    assert record_points(claim, [("train/tokens_per_second", 1, 10.0)]) is None
    assert record_points(claim, [("train/tokens_per_second", 1, 11.0)]) is None
    assert RunPoint.objects.filter(name="train/loss").count() == 2
