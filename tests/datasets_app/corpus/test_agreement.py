"""Agreement of two people: against tables worked out by hand, and no figure where there is none."""

from __future__ import annotations

import pytest

from datasets_app.corpus.agreement import Agreement


def of(both_keep, first_keeps, second_keeps, both_exclude):
    """Return the agreement of a table: both, the first alone, the second alone, neither keeps."""
    pairs = {
        ("keep", "keep"): both_keep,
        ("keep", "exclude"): first_keeps,
        ("exclude", "keep"): second_keeps,
        ("exclude", "exclude"): both_exclude,
    }
    return Agreement.of(pair for pair, count in pairs.items() for _ in range(count))


@pytest.mark.parametrize(
    ("table", "share", "kappa", "words"),
    [
        # p_e = .5 * .6 + .5 * .4 = .5; (.7 - .5) / .5
        ((20, 5, 10, 15), 0.70, 0.40, "fair"),
        # p_e = .6 * .7 + .4 * .3 = .54; (.6 - .54) / .46
        ((45, 15, 25, 15), 0.60, 0.1304, "slight"),
        # p_e = .6 * .3 + .4 * .7 = .46; (.6 - .46) / .54
        ((25, 35, 5, 35), 0.60, 0.2593, "fair"),
        ((10, 0, 0, 10), 1.00, 1.0, "almost perfect"),
        ((0, 10, 10, 0), 0.00, -1.0, "no better than chance"),
        ((25, 25, 25, 25), 0.50, 0.0, "no better than chance"),
        # one of them says one word only: chance explains all of it
        ((9, 1, 0, 0), 0.90, 0.0, "no better than chance"),
    ],
)
def test_it_is_what_the_formula_gives(table, share, kappa, words):
    found = of(*table)
    assert found.share == pytest.approx(share)
    assert found.kappa == pytest.approx(kappa, abs=5e-5)
    assert found.words == words


def test_there_is_no_figure_where_it_is_not_defined():
    assert of(0, 0, 0, 0).kappa is None
    assert of(0, 0, 0, 0).share is None
    assert of(12, 0, 0, 0).kappa is None
    assert of(0, 0, 0, 12).kappa is None
    assert of(12, 0, 0, 0).share == 1
    assert of(12, 0, 0, 0).words == ""
