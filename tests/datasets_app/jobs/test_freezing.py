"""Which rows of a dataset a version holds, and in which split."""

from __future__ import annotations

from uuid import UUID

from datasets_app.jobs.freezing import Line, _without_copies

FILE, OTHER = UUID(int=1), UUID(int=2)


def line(position, key, file=FILE):
    return Line(1_000_000 + position, position, "hash", 1, key, None, file)


def test_a_passage_stands_in_one_split_only():
    lines = [
        line(1, "a"),
        line(2, "footer"),
        line(3, "b"),
        line(4, "footer", OTHER),  # the same words in another document and split
        line(5, "footer", OTHER),
        line(6, "c", OTHER),
    ]
    splits = (*("train",) * 3, "validation", "train", "validation")
    drawn = dict(enumerate(splits, start=1))
    assert set(_without_copies(lines, drawn)) == {1, 2, 3, 5, 6}


def test_no_split_is_emptied_and_conversations_stay():
    drawn = {1: "train", 2: "validation"}
    assert _without_copies([line(1, "a"), line(2, "a")], drawn) == drawn
    drawn = {1: "train", 2: "validation", 3: "validation"}
    told = [line(1, "a", None), line(2, "a", None), line(3, "b", None)]
    assert _without_copies(told, drawn) == drawn
