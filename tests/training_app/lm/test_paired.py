"""Whether one model is better than another, from what both were asked."""

from __future__ import annotations

import pytest

from training_app.lm.paired import (
    compare_answers,
    compare_losses,
    words_for_answers,
    words_for_losses,
)


def outcomes(both, first, second, neither):
    """Return the outcomes of two models: how many both have right, only one, neither."""
    pairs = [(True, True)] * both + [(True, False)] * first + [(False, True)] * second
    pairs += [(False, False)] * neither
    return [a for a, _ in pairs], [b for _, b in pairs]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((30, 2, 14, 27), "B is better than A: 12 more right of 73"),
        ((30, 3, 12, 28), "B is probably better than A: 9 more right of 73"),
        ((30, 12, 3, 28), "A is probably better than B: 9 more right of 73"),
        ((30, 4, 10, 29), "B may be better than A: 6 more right of 73"),
        ((30, 5, 6, 32), "B is ahead of A, but no clear difference is seen: 1 more right of 73"),
        ((30, 5, 5, 33), "A and B have equally many right of 73 questions"),
    ],
)
def test_a_newcomer_reads_who_is_better_and_how_sure_that_is(counts, words):
    assert words_for_answers(compare_answers(*outcomes(*counts)), "A", "B").startswith(words)


def test_the_chance_is_that_of_a_fair_coin_and_the_interval_holds_the_difference():
    found = compare_answers(*outcomes(20, 0, 5, 10))
    assert found.chance == pytest.approx(2 / 2**5)
    assert found.low <= found.value == 5 <= found.high
    assert found.low >= 0
    assert "could be chance in 6 of 100 cases" in words_for_answers(found, "A", "B")
    assert compare_answers([], []) is None


def test_losses_are_compared_by_text_and_less_is_better():
    first = [(60.0 + number % 7, 80) for number in range(60)]
    second = [(nats - 3, size) for nats, size in first]
    found = compare_losses(first, second)
    assert found.high < 0
    assert found.is_clear
    assert words_for_losses(found, "A", "B").startswith(
        "B is better than A at writing like the valid"
    )
    assert compare_losses(first, first).value == 0
    mixed = [(nats + (3 if number % 2 else -3), size) for number, (nats, size) in enumerate(first)]
    assert not compare_losses(first, mixed).is_clear
