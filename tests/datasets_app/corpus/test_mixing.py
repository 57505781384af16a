"""How many rows each part of a mix gives: shares hold in each split, errors say what can be."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.mixing import Ingredient, given


def part(name, share, train, validation=0, test=0):
    return Ingredient(name, share, {"train": train, "validation": validation, "test": test})


def test_the_shares_hold_as_a_whole_and_in_each_split():
    shop = part("shop talk", 70, 8_500, 1_000, 500)
    takes = given([shop, part("general", 30, 1_700, 200, 100)])
    assert [take.total() for take in takes] == [4_666, 2_000]  # all of the general ones
    assert takes[0] == {"train": 3_966, "validation": 467, "test": 233}
    smaller = given([shop, part("general", 30, 1_700, 200, 100)], 1_000)
    assert [dict(take) for take in smaller] == [
        {"train": 595, "validation": 70, "test": 35},
        {"train": 255, "validation": 30, "test": 15},
    ]


@pytest.mark.parametrize("rows", [None, 2, 3, 7, 50, 149])
def test_no_part_gives_more_than_it_has_and_the_whole_is_what_was_wanted(rows):
    parts = [part("a", 33.3, 50, 3), part("b", 33.3, 61, 0, 2), part("c", 33.4, 49, 1)]
    if rows == 2:
        with pytest.raises(CorpusError, match="less than one row"):
            given(parts, rows)
        return
    takes = given(parts, rows)
    assert rows is None or sum(take.total() for take in takes) == rows
    for one, take in zip(parts, takes, strict=True):
        assert all(take[split] <= one.rows[split] for split in take)
    assert sum(take["validation"] for take in takes) >= 1


def test_too_few_rows_for_a_share_say_what_is_possible():
    parts = [part("Shop v1", 70, 900, 100), part("General v2", 30, 110, 10)]
    with pytest.raises(CorpusError) as told:
        given(parts, 1_000)
    assert str(told.value) == (
        "“General v2” has 120 rows to give, and 30 % of 1,000 are 300. With these shares 400 rows "
        "are possible; or give it at most 12 %."
    )
    assert sum(take.total() for take in given(parts, 400)) == 400


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([part("a", 100, 9, 1)], "2 to 6 versions, and 1 is chosen"),
        ([part("a", 50, 9, 1), part("b", 40, 9, 1)], "90 % together"),
        ([part("a", 100, 9, 1), part("b", 0, 9, 1)], "above 0 %"),
        ([part("a", 50, 9, 1), part("b", 50, 0)], "“b” has no row that the versions before"),
        ([part("a", 50, 9), part("b", 50, 9)], "in “validation”.*Choose a version"),
    ],
)
def test_what_cannot_be_mixed_is_refused_in_a_sentence(parts, told):
    with pytest.raises(CorpusError, match=told):
        given(parts)
