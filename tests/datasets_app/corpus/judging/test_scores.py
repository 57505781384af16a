"""Scores, verdicts, buckets, priorities, calibration: what the numbers mean."""

from __future__ import annotations

from decimal import Decimal

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging import calibration
from datasets_app.corpus.judging.scores import (
    Cuts,
    Scores,
    Summary,
    band,
    bucket_of,
    distribution,
    priority,
)

CUTS = Cuts()


@pytest.mark.parametrize(
    ("parts", "overall"),
    [
        ((10, 10, 10), "10.00"),
        ((8, 8, 8), "8.00"),
        ((7.99, 8.01, 8.0), "8.00"),  # 7.998: what is shown is what is compared
        ((9, 7, 5), "7.60"),
        ((0, 0, 0), "0.00"),
    ],
)
def test_the_overall_score_is_computed_and_rounded(parts, overall):
    assert Scores(*parts).overall == Decimal(overall)


@pytest.mark.parametrize("value", [-0.1, 10.01, float("nan"), float("inf")])
def test_a_score_outside_of_the_range_is_none(value):
    with pytest.raises(CorpusError):
        Scores(value, 5, 5)


@pytest.mark.parametrize(
    ("overall", "verdict"),
    [
        ("8.00", "PASS"),
        ("7.99", "NEEDS_REVIEW"),
        ("7.00", "NEEDS_REVIEW"),
        ("6.99", "FAIL"),
        ("10", "PASS"),
        ("0", "FAIL"),
    ],
)
def test_the_verdict_follows_from_the_score_alone(overall, verdict):
    assert CUTS.verdict(Decimal(overall)) == verdict


def test_both_cuts_are_fields_and_may_not_cross():
    strict = Cuts.of(9.5, 9.5)
    assert strict.verdict(Decimal("9.49")) == "FAIL"
    assert strict.verdict(Decimal("9.50")) == "PASS"
    for wrong in ((6, 7), (11, 7), (8, -1)):
        with pytest.raises(CorpusError):
            Cuts.of(*wrong)


def test_the_documented_example_comes_out():
    """5,826 pairs: 16 in 6-7, 98 in 7-8, 1,250 in 8-9, 4,462 in 9-10."""
    scores = [*[6.4] * 16, *[7.5] * 98, *[8.2] * 1_250, *[9.3] * 4_461, 10.0]
    assert len(scores) == 5_826
    verdicts = [CUTS.verdict(Decimal(str(score))) for score in scores]
    summary = Summary({name: verdicts.count(name) for name in set(verdicts)})
    assert summary.shares == [
        ("PASS", 5_712, 98.0),
        ("NEEDS_REVIEW", 98, 1.7),
        ("FAIL", 16, 0.3),
    ]
    assert [one.line for one in distribution(scores)][6:] == [
        "Overall: 6-7: 16 (0.3%)",
        "Overall: 7-8: 98 (1.7%)",
        "Overall: 8-9: 1250 (21.5%)",
        "Overall: 9-10: 4462 (76.6%)",
    ]
    assert summary.is_suspicious


def test_an_empty_set_gives_zeros():
    assert Summary({}).shares == [("PASS", 0, 0.0), ("NEEDS_REVIEW", 0, 0.0), ("FAIL", 0, 0.0)]
    assert [one.count for one in distribution([])] == [0] * 10
    assert distribution([])[9].line == "Overall: 9-10: 0 (0.0%)"


def test_ten_counts_in_the_last_bucket():
    assert [bucket_of(score) for score in (0, 0.99, 1, 9.99, 10)] == [0, 0, 1, 9, 9]


@pytest.mark.parametrize(
    ("overall", "issues", "soon"),
    [
        ("6.99", [], "high"),
        ("4.9", ["x"], "high"),
        ("7.5", [], "medium"),
        ("8.5", ["a word"], "low"),
        ("8.5", [], ""),
    ],
)
def test_issues_have_a_priority(overall, issues, soon):
    assert priority(Decimal(overall), CUTS.verdict(Decimal(overall)), issues) == soon


def test_a_lenient_cut_does_not_hide_a_bad_pair():
    lenient = Cuts.of(3, 2)
    assert priority(Decimal("4.9"), lenient.verdict(Decimal("4.9")), []) == "high"
    assert priority(Decimal("6.5"), lenient.verdict(Decimal("6.5")), []) == "medium"


def test_bands_in_words():
    assert [band(score) for score in (9.5, 8, 6, 4, 1)] == [
        *("excellent", "good", "fair", "poor", "fail")
    ]


def test_kappa_of_equal_and_of_opposite_judges():
    equal = [(n, n) for n in range(11)]
    assert calibration.weighted_kappa(equal) == 1.0
    assert calibration.weighted_kappa([(n, 10 - n) for n in range(11)]) == -1.0
    assert calibration.weighted_kappa([(5, 5), (5, 5)]) is None
    assert calibration.weighted_kappa([]) is None
    # a table of two raters, worked out by hand: 4 of 6 alike, two one step apart
    pairs = [(1, 1), (2, 2), (3, 3), (3, 2), (1, 2), (2, 2)]
    assert calibration.weighted_kappa(pairs) == 0.667


def test_the_best_cut_loses_least_and_leniency_is_a_difference():
    pairs = [(9, 9.5), (8, 9.0), (3, 8.0), (2, 7.5), (9, 8.5)]
    found = calibration.calibrated(pairs)
    assert (found.best_cut, found.lost) == (8.5, 0)
    assert found.leniency == pytest.approx(2.3)
    assert not found.may_exclude  # five labels are too few, however well they agree
    assert calibration.calibrated(pairs * 8).labelled == 40


def test_rows_are_drawn_over_the_range_and_always_the_same():
    scores = dict.fromkeys(range(1000), 9.5) | {2_000 + n: float(n) for n in range(9)}
    drawn = calibration.drawn(scores, most=20, seed=3)
    assert drawn == calibration.drawn(scores, most=20, seed=3)
    assert len(set(drawn)) == 20
    assert {n for n in drawn if n >= 2_000} == {2_000 + n for n in range(9)}
